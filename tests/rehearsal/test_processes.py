"""Processes on a leash: none outlives its owner."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rehearsal import processes
from rehearsal.processes import Leashed, free_port
from tests.loop import run

# Says its own number and its child's, and hears no polite request.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(os.getpid(), child.pid, flush=True)
time.sleep(600)
"""
OWNER = """
import asyncio, os, sys
from pathlib import Path
from rehearsal.processes import Leashed
async def own():
    await Leashed.start([sys.executable, "-c", sys.argv[2]], os.environ, Path(sys.argv[1]))
    await asyncio.sleep(600)
asyncio.run(own())
"""


def exists(pid: int) -> bool:
    """Whether a process runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def waited(what: str, log: Path) -> list[int]:
    """The numbers in the log, once they are there."""
    until = time.monotonic() + 20
    while len(said := log.read_text().split() if log.exists() else []) < 2:
        assert time.monotonic() < until, what
        time.sleep(0.02)
    return list(map(int, said))


def are_gone(pids: list[int]) -> None:
    until = time.monotonic() + 20
    while any(map(exists, pids)):
        assert time.monotonic() < until, "it has outlived its owner"
        time.sleep(0.02)


def test_what_an_owner_has_started_is_gone_with_it_however_it_ends(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with subprocess.Popen([sys.executable, "-c", OWNER, log, STUBBORN]) as owner:
        pids = waited("the process starts", log)
        owner.send_signal(signal.SIGKILL)
    are_gone(pids)


def test_who_does_not_hear_is_killed_with_all_it_has_started(tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def stop() -> list[int]:
        process = await Leashed.start([sys.executable, "-c", STUBBORN], os.environ, log)
        assert process.runs
        pids = waited("the process starts", log)
        await process.stop(0.1)
        assert not process.runs
        return pids

    are_gone(run(stop()))


def test_how_it_ended_is_told(tmp_path: Path) -> None:
    async def codes() -> list[int]:
        scripts = ["raise SystemExit(7)", "pass", "import os; os.kill(os.getpid(), 9)"]
        started = [
            await Leashed.start([sys.executable, "-c", each], os.environ, tmp_path / f"log-{number}")
            for number, each in enumerate(scripts)
        ]
        return [await each.ended() for each in started]

    assert run(codes()) == [7, 0, 137]


def test_who_hears_ends_as_he_likes(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(print("farewell", flush=True)))
print(1, 2, flush=True)
time.sleep(600)
"""

    async def stop() -> int:
        process = await Leashed.start([sys.executable, "-c", script], os.environ, log)
        waited("the process starts", log)
        await process.stop(20)
        return await process.ended()

    assert run(stop()) == 0
    assert log.read_text().split() == ["1", "2", "farewell"]


def test_a_free_port_is_one_that_the_system_gives_to_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = tmp_path / "given"
    monkeypatch.setattr(processes, "_GIVEN", given)
    given.write_text("20010\t60999\n")
    assert {free_port() for _ in range(20)} <= set(range(20_000, 20_010))
    for all_are_given in ("1024\t65535\n", "20000\t65535\n"):
        given.write_text(all_are_given)
        assert free_port() >= 1024


def test_a_port_that_is_taken_is_not_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = free_port()
    with socket.create_server(("127.0.0.1", taken)):
        with pytest.raises(OSError, match="in use"):
            free_port(taken)
        monkeypatch.setattr(processes, "_GIVEN", tmp_path / "given")
        (tmp_path / "given").write_text(f"{taken + 1}\t60999\n")
        monkeypatch.setattr(processes, "_LEAST", taken)
        assert free_port() != taken
