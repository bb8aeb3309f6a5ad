"""``visualneurons rehearse`` at the terminal."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rehearsal import machine
from rehearsal.faults import FAULTS
from tests.server.process import ROOT, get, send
from visualneurons import main

REHEARSE = [sys.executable, "-m", "visualneurons", "rehearse"]


def processes(folder: Path) -> list[int]:
    """Those that were told to keep their things in `folder`, however they came about."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdecimal():
            try:
                told, state = (each / "environ").read_bytes(), (each / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if str(folder).encode() in told and state != "Z":
                found.append(int(each.name))
    return found


@contextmanager
def rehearsing(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A rehearsal that has said its address."""
    command = [*REHEARSE, "--port", "0", "--boot-seconds", "0", *options]
    with (folder / "said").open("w") as said:
        environment = {**os.environ, "TMPDIR": str(folder)}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, cwd=ROOT, env=environment, text=True)
    with process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            address = re.fullmatch(r"The rehearsal is at (http://127\.0\.0\.1:\d+/) \(Ctrl-C ends it\)\n", line)
            assert address, f"it said {line!r}, and {(folder / 'said').read_text()}"
            yield process, address[1]
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_says_its_address_and_what_happens_and_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    with rehearsing(tmp_path) as (process, url):
        with get(url) as page:
            assert b"VisualNeurons" in page.read()
        order = json.dumps({"key": "a-painting", "painting": "a-painting"}).encode()
        with send("POST", f"{url}api/launch", order, Content_Type="application/json") as answer:
            studio = json.load(answer)["id"]
        assert process.stdout
        told = ""
        while not re.search(rf"studio {studio} \(g6\.xlarge\): (loading|ready)", told):
            told = process.stdout.readline()
            assert told, (tmp_path / "said").read_text()
        assert "2284 reserved" in told
        assert len(processes(tmp_path)) >= 5, "the rehearsal, the emulator and the studio, and both leashes"
        process.send_signal(number)
        code = process.wait(30)
        assert code == (0 if number == signal.SIGTERM else -signal.SIGKILL)
    until = time.monotonic() + 20
    while left := processes(tmp_path):
        assert time.monotonic() < until, left
        time.sleep(0.05)
    if number == signal.SIGTERM:
        assert [each.name for each in tmp_path.iterdir()] == ["said"]


def test_a_port_that_is_taken_is_refused_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run([*REHEARSE, "--port", port], cwd=ROOT, capture_output=True, text=True, timeout=60)
    problem = f"The page cannot be at 127.0.0.1, port {port}: Address already in use."
    assert done.stderr == f"{problem} Choose another with --port.\n"
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("--port", "65536", "is no port"),
        ("--port", "a", "is no port"),
        ("--boot-seconds", "nan", "is no time for a boot"),
        ("--boot-seconds", "601", "must be from 0 to 600"),
        ("--boot-seconds", "-1", "must be from 0 to 600"),
    ],
)
def test_what_cannot_be_is_refused(option: str, value: str, problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["rehearse", f"{option}={value}"])
    assert problem in capsys.readouterr().err


def test_a_fault_that_is_none_is_refused_with_those_that_are() -> None:
    done = subprocess.run([*REHEARSE, "--fault", "flood"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert all(fault in done.stderr for fault in FAULTS)


def test_what_is_documented_is_what_there_is() -> None:
    text = (ROOT / "docs" / "rehearsal.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE) == list(FAULTS)


def test_machines_end_as_systemd_would_have_them() -> None:
    unit = (ROOT / "ami" / "units" / "visualneurons.service").read_text(encoding="utf-8")
    said = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line and line[0] != "#")
    assert float(said["RestartSec"]) == machine.AGAIN
    assert int(said["StartLimitBurst"]) == machine.BURST
    assert float(said["TimeoutStopSec"]) == machine.PATIENCE
    assert said["SuccessAction"] == said["StartLimitAction"] == "poweroff"
