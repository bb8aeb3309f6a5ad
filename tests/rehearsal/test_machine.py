"""One machine: what systemd does on a real one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from rehearsal import machine
from rehearsal.cloud import Cloud
from rehearsal.machine import Image, Machine
from tests.loop import run

NOWHERE = Cloud("http://127.0.0.1:9", "http://127.0.0.1:9")
# Tells the studio too little: it ends at once, and says what it misses.
USER_DATA = """
folder="$VISUALNEURONS_ROOT/etc/visualneurons"
mkdir -p "$folder"
echo "STACK=rehearsal" > "$folder/environment"
echo booted >> "$VISUALNEURONS_ROOT/boots"
"""


def made(folder: Path, off: list[str]) -> Machine:
    async def power_off(instance: str) -> None:
        off.append(instance)

    image = Image(NOWHERE, USER_DATA, "patches")
    return Machine("i-1", "a-studio", "ec2-10-0-0-1.compute-1.amazonaws.com", image, folder, power_off)


def test_a_studio_that_cannot_be_kept_up_ends_its_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "AGAIN", 0.01)
    off: list[str] = []

    async def live() -> None:
        one = made(tmp_path, off)
        one.power_on(0)
        while not off:
            await asyncio.sleep(0.05)
        await one.power_off()
        assert not one.is_on
        assert one.can_be_switched

    run(live())
    assert off == ["i-1"]
    assert (tmp_path / "log").read_text().count("KeyError: 'TICKET_KEY'") == machine.BURST


def test_a_machine_that_is_started_again_is_told_nothing_new(tmp_path: Path) -> None:
    off: list[str] = []

    async def live() -> None:
        one = made(tmp_path, off)
        for turn in (1, 2):
            one.power_on(0)
            while (tmp_path / "log").exists() is False or (tmp_path / "log").read_text().count("KeyError") < turn:
                await asyncio.sleep(0.05)
            await one.power_off()

    run(live())
    assert off == [], "who is shut down does not power himself off"
    assert (tmp_path / "boots").read_text() == "booted\n"


def test_a_machine_that_is_lost_never_comes_back(tmp_path: Path) -> None:
    off: list[str] = []

    async def live() -> None:
        one = made(tmp_path, off)
        one.power_on(600)
        await one.crash()
        assert not one.is_on
        assert not one.can_be_switched

    run(live())
    assert off == ["i-1"]
