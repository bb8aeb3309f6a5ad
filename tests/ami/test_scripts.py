"""The scripts of the image, each run for real but for the last step: what it would ask of systemd is written down."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lambda_launcher.settings import GRACE
from rehearsal.processes import free_port
from tests.ami.test_units import unit
from tests.server.process import serving

AMI = Path(__file__).resolve().parents[2] / "ami"
SCRIPTS = sorted(AMI.glob("*.sh"))


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which it is written what was asked of systemd, which is that of no other machine."""
    asked, tools = tmp_path / "asked", tmp_path / "tools"
    tools.mkdir()
    asked.touch()
    systemctl = tools / "systemctl"
    systemctl.write_text(f'#!/bin/sh\necho "$@" >> "{asked}"\n')
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    return asked


def test_shellcheck_finds_nothing() -> None:
    assert {each.name for each in SCRIPTS} == {"deadline.sh", "install.sh", "smoke.sh", "user_data.sh", "watch.sh"}
    shellcheck = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run([shellcheck, *SCRIPTS], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("", 0)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_can_be_run(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", script], check=True)


@pytest.mark.parametrize(
    ("environment", "ends"),
    [
        (None, 3720),
        ("STACK=paint\nDEADLINE=1200\nIDLE_STOP=420\n", 1320),
        ("DEADLINE=43200", 3720),  # a line that was not finished was not read
        ("DEADLINE=43200\n", 43320),
        ("DEADLINE=43201\n", 3720),
        ("DEADLINE=999999999999999999999\n", 3720),
        ("DEADLINE=\n", 3720),
        ("DEADLINE=soon\n", 3720),
        ("DEADLINE=-1\n", 3720),
        ("DEADLINE=$(reboot)\n", 3720),
        ("DEADLINE=09\n", 3720),
        ("STACK=DEADLINE=1\n", 3720),
        ("", 3720),
    ],
)
def test_a_machine_is_powered_off_at_its_deadline_and_not_before(
    asked: Path, tmp_path: Path, environment: str | None, ends: int
) -> None:
    file, uptime = tmp_path / "environment", tmp_path / "uptime"
    if environment is not None:
        file.write_text(environment)
    for up, expected in ((ends - 0.01, ""), (ends, "poweroff\n")):
        uptime.write_text(f"{up:.2f} 100.00\n")
        told = os.environ | {"ENVIRONMENT_FILE": str(file), "UPTIME_FILE": str(uptime)}
        done = subprocess.run([AMI / "deadline.sh"], env=told, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        assert asked.read_text() == expected


def test_a_machine_is_off_before_its_reservation_is_over(asked: Path, tmp_path: Path) -> None:
    """It is looked at once a minute, and its services are given time to stop: systemd's own, where they say nothing."""
    (patience,) = unit("visualneurons.service")["Service"]["TimeoutStopSec"]
    timer = unit("visualneurons-deadline.timer")["Timer"]
    assert (timer["OnUnitActiveSec"], timer["AccuracySec"]) == (["1min"], ["1s"])
    latest = 3600 + GRACE - max(int(patience), 90) - 61
    uptime = tmp_path / "uptime"
    uptime.write_text(f"{latest}.00 100.00\n")
    told = os.environ | {"ENVIRONMENT_FILE": str(tmp_path / "none"), "UPTIME_FILE": str(uptime)}
    subprocess.run([AMI / "deadline.sh"], env=told, check=True, timeout=60)
    assert asked.read_text() == "poweroff\n"


def test_a_studio_that_does_not_answer_is_killed_after_three_times(asked: Path, tmp_path: Path) -> None:
    told = os.environ | {"HEALTH": "http://127.0.0.1:9/healthz", "COUNT_FILE": str(tmp_path / "count")}
    for turn, kills in ((1, 0), (2, 0), (3, 1), (4, 1), (5, 1), (6, 2)):
        subprocess.run([AMI / "watch.sh"], env=told, check=True, capture_output=True, timeout=60)
        assert asked.read_text().count("kill --signal=KILL visualneurons.service\n") == kills, turn


@pytest.mark.slow
def test_a_studio_that_answers_is_let_be(asked: Path, tmp_path: Path) -> None:
    count = tmp_path / "count"
    with serving() as studio:
        told = os.environ | {"HEALTH": f"{studio.url}healthz", "COUNT_FILE": str(count)}
        for unanswered in ("1\n", "2\n"):
            count.write_text(unanswered)
            subprocess.run([AMI / "watch.sh"], env=told, check=True, timeout=60)
            assert not count.exists()
    assert "kill" not in asked.read_text()


@dataclass
class Machine:
    """A machine whose image is tried: a root with a program that paints and serves, and what stands in for systemd."""

    root: Path
    port: int

    def smoke(self, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the smoke test."""
        told = os.environ | {"ROOT": str(self.root), "PORT": str(self.port)} | environment
        return subprocess.run([AMI / "smoke.sh"], env=told, capture_output=True, text=True, timeout=60)

    @property
    def asked(self) -> list[str]:
        """What was asked of systemd and the driver."""
        return (self.root / "asked").read_text().splitlines()

    @property
    def answers(self) -> bool:
        """Whether the server is there."""
        with socket.socket() as asking:
            return asking.connect_ex(("127.0.0.1", self.port)) == 0


# Runs the command as systemd would, but for what it forbids it: until it has ended, or else until it is stopped.
SYSTEMD_RUN = """
echo "systemd-run $*" >> "$ROOT/asked"
waits=
while case $1 in --*) true ;; *) false ;; esac do
    [ "$1" = --wait ] && waits=yes
    shift
done
[ "$waits" ] && exec "$@"
"$@" > /dev/null 2>&1 &
echo $! > "$ROOT/server"
"""
SYSTEMCTL = """
echo "systemctl $*" >> "$ROOT/asked"
[ "$1" != stop ] || kill "$(cat "$ROOT/server")"
"""
PROGRAM = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

class Healthy(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()

said = dict(zip(sys.argv, sys.argv[1:]))
if sys.argv[1] == "paint":
    Path(said["--out"]).write_bytes(b"a picture")
else:
    HTTPServer(("127.0.0.1", int(said["--port"])), Healthy).serve_forever()
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    root, tools = tmp_path / "root", tmp_path / "tools"
    program, units = root / "opt" / "visualneurons" / "bin", root / "usr" / "lib" / "systemd" / "system"
    for folder in (tools, program, units, root / "var" / "lib" / "visualneurons"):
        folder.mkdir(parents=True)
    (units / "visualneurons.service").write_bytes((AMI / "units" / "visualneurons.service").read_bytes())
    scripts = {
        tools / "systemd-run": SYSTEMD_RUN,
        tools / "systemctl": SYSTEMCTL,
        tools / "systemd-analyze": "exit 0",
        tools / "nvidia-smi": 'echo "nvidia-smi $*" >> "$ROOT/asked"',
        tools / "chown": 'echo "chown $1" >> "$ROOT/asked"',
        program / "python": f'case $2 in *tensorflow*) exit "${{NO_GPU:-0}}" ;; esac; exec "{sys.executable}" "$@"',
        program / "visualneurons": f'exec "{sys.executable}" "{tmp_path}/program.py" "$@"',
    }
    for path, script in scripts.items():
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    (tmp_path / "program.py").write_text(PROGRAM)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    yield Machine(root, free_port())
    if (root / "server").exists():
        try:
            os.kill(int((root / "server").read_text()), signal.SIGKILL)
        except ProcessLookupError:
            return  # as it should be


@pytest.mark.slow
def test_an_image_that_will_do_is_left_as_it_was(machine: Machine) -> None:
    done = machine.smoke()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("smoke.sh: this image will do\n")
    assert machine.asked[-1] == "systemctl stop --quiet visualneurons-smoke.service"
    until = time.monotonic() + 10
    while machine.answers:
        assert time.monotonic() < until, "the server does not survive its test"
    assert list((machine.root / "var" / "lib" / "visualneurons").iterdir()) == []


def test_the_gpu_is_looked_for_first_and_as_the_studio_does(machine: Machine) -> None:
    done = machine.smoke(NO_GPU="1")
    assert (done.returncode, done.stderr) == (1, "smoke.sh: TensorFlow sees no GPU.\n")
    looked = machine.asked[-2]
    assert looked.startswith("systemd-run ")
    assert not [line for line in machine.asked if line.startswith("nvidia-smi")]
    service = unit("visualneurons.service")["Service"]
    own = {"Type", "EnvironmentFile", "ExecStart", "Restart", "RestartSec", "TimeoutStopSec"}
    for name in service.keys() - own - {"RuntimeDirectory", "RuntimeDirectoryMode"}:
        for value in service[name]:
            assert f" --property={name}={value} " in looked
    for name in own:
        assert f"--property={name}=" not in looked


def test_an_image_that_holds_what_one_studio_is_told_will_not_do(machine: Machine) -> None:
    (machine.root / "etc" / "visualneurons").mkdir(parents=True)
    done = machine.smoke()
    assert done.returncode == 1
    assert done.stderr == "smoke.sh: The image holds what one studio is told: /etc/visualneurons.\n"


def test_what_debian_packs_apart_is_installed_once_nobody_else_installs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine that is not touched: what would change it is written down, up to where Python would be set up."""
    asked, wheel = tmp_path / "asked", tmp_path / "one.whl"
    wheel.touch()
    scripts = {
        "id": "echo 0",
        "install": "",
        "systemd-sysusers": "",
        "sleep": f'echo "sleep $1" >> "{asked}"',
        # Another holds the lists the first time.
        "apt-get": f'echo "apt-get $*" >> "{asked}"; [ "$(grep -c apt-get "{asked}")" -gt 1 ]',
        "python3.13": 'case "$*" in *ensurepip*) exit 1 ;; *-venv*) echo python3.13-venv ;; "-m venv"*) exit 9 ;; esac',
    }
    for name, script in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    done = subprocess.run([AMI / "install.sh", "--wheel", wheel], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (9, "")
    patient = "apt-get --yes --quiet -o DPkg::Lock::Timeout=300"
    assert asked.read_text().splitlines() == [
        f"{patient} update",
        "sleep 30",
        f"{patient} update",
        f"{patient} install python3.13-venv",
    ]
