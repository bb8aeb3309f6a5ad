"""The scripts of the image, each run for real but for the last step: what it would ask of systemd is written down."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
        (None, 3900),
        ("STACK=paint\nDEADLINE=1200\nIDLE_STOP=420\n", 1500),
        ("DEADLINE=43200", 3900),  # a line that was not finished was not read
        ("DEADLINE=43200\n", 43500),
        ("DEADLINE=43201\n", 3900),
        ("DEADLINE=999999999999999999999\n", 3900),
        ("DEADLINE=\n", 3900),
        ("DEADLINE=soon\n", 3900),
        ("DEADLINE=-1\n", 3900),
        ("DEADLINE=$(reboot)\n", 3900),
        ("DEADLINE=09\n", 3900),
        ("STACK=DEADLINE=1\n", 3900),
        ("", 3900),
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
        done = subprocess.run([AMI / "deadline.sh"], env=told, capture_output=True, text=True, timeout=10)
        assert (done.returncode, done.stderr) == (0, "")
        assert asked.read_text() == expected


def test_a_studio_that_does_not_answer_is_killed_after_three_times(asked: Path, tmp_path: Path) -> None:
    told = os.environ | {"HEALTH": "http://127.0.0.1:9/healthz", "COUNT_FILE": str(tmp_path / "count")}
    for time, kills in ((1, 0), (2, 0), (3, 1), (4, 1), (5, 1), (6, 2)):
        subprocess.run([AMI / "watch.sh"], env=told, check=True, capture_output=True, timeout=30)
        assert asked.read_text().count("kill --signal=KILL visualneurons.service\n") == kills, time


@pytest.mark.slow
def test_a_studio_that_answers_is_let_be(asked: Path, tmp_path: Path) -> None:
    count = tmp_path / "count"
    with serving() as studio:
        told = os.environ | {"HEALTH": f"{studio.url}healthz", "COUNT_FILE": str(count)}
        for unanswered in ("1\n", "2\n"):
            count.write_text(unanswered)
            subprocess.run([AMI / "watch.sh"], env=told, check=True, timeout=30)
            assert not count.exists()
    assert "kill" not in asked.read_text()
