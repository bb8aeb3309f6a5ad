"""The units: that systemd would take them, and that they say what matters."""

from __future__ import annotations

from configparser import RawConfigParser
from pathlib import Path

import pytest

from lambda_launcher.reaper import PUTTING_ASIDE
from server.cloud.life import NOTICED, OWN_CHOICE
from server.command import CLOSING, GONE

AMI = Path(__file__).resolve().parents[2] / "ami"
UNITS = sorted(path for path in (AMI / "units").iterdir() if path.suffix != ".sysusers")
SECTIONS = {".service": "Service", ".timer": "Timer", ".path": "Path"}


def unit(name: str) -> dict[str, dict[str, list[str]]]:
    """What a unit says, by section and name; a name may be said several times."""
    said: dict[str, dict[str, list[str]]] = {}
    section = ""
    for line in (AMI / "units" / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
            said[section] = {}
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, line
            said[section].setdefault(key, []).append(value)
    return said


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_has_its_sections_and_starts_what_there_is(path: Path) -> None:
    parser = RawConfigParser(strict=False, interpolation=None, delimiters=["="])
    parser.read(path)
    said = unit(path.name)
    assert parser.sections() == list(said)
    assert said["Unit"]["Description"]
    assert SECTIONS[path.suffix] in said
    assert said.keys() <= {"Unit", "Install", SECTIONS[path.suffix]}
    if path.suffix == ".service":
        (start,) = said["Service"]["ExecStart"]
        started = [word for word in start.split() if word.startswith("/usr/lib/visualneurons/")]
        assert started
        assert all((AMI / Path(word).name).is_file() for word in started)
    else:
        assert path.with_suffix(".service") in UNITS
        assert len(said["Install"]["WantedBy"]) == 1


def test_the_studio_is_a_plain_user_that_can_do_little_else() -> None:
    service = unit("visualneurons.service")["Service"]
    assert service["User"] == ["visualneurons"]
    assert service["CapabilityBoundingSet"] == [""]
    for shut in ("NoNewPrivileges", "PrivateTmp", "ProtectHome", "ProtectKernelModules", "RestrictSUIDSGID"):
        assert service[shut] == ["true"]
    assert service["ProtectSystem"] == ["strict"]
    assert service["Restart"] == ["on-failure"]
    assert "WatchdogSec" not in service, "the server does not tell systemd that it lives: the watch asks it"
    stop = int(service["TimeoutStopSec"][0])
    assert PUTTING_ASIDE == stop > max(CLOSING, OWN_CHOICE, NOTICED) + GONE, "time to put the paintings aside"
    assert service["OOMPolicy"] == ["continue"], "an easel that takes too much memory does not take the studio along"


def test_the_studio_has_its_gpu() -> None:
    service = unit("visualneurons.service")["Service"]
    for shut in ("DeviceAllow", "DevicePolicy", "PrivateDevices", "ProtectClock"):
        assert shut not in service, "with which systemd shuts out devices that are not named"
    # "+": as root and unconfined; "-": where there is no such program, the driver may be there all the same.
    made = [line.removeprefix("-+/usr/bin/nvidia-modprobe ") for line in service["ExecStartPre"]]
    assert made == ["-c 0 -c 255", "-c 0 -u"]
    (devices,) = (line for line in service["Environment"] if line.startswith("DEVICES="))
    assert devices == "DEVICES=/dev/nvidia0:/dev/nvidia-uvm", "which are made before, and looked for by the studio"


def test_a_machine_whose_studio_ends_or_cannot_be_kept_up_is_powered_off() -> None:
    said = unit("visualneurons.service")["Unit"]
    assert said["SuccessAction"] == said["StartLimitAction"] == ["poweroff"]


def test_the_deadline_needs_nothing_else() -> None:
    for name in ("visualneurons-deadline.timer", "visualneurons-deadline.service"):
        said = unit(name)["Unit"]
        assert said["DefaultDependencies"] == ["no"]
        assert not said.keys() & {"After", "BindsTo", "PartOf", "Requires", "Requisite", "Wants"}
    timer = unit("visualneurons-deadline.timer")["Timer"]
    assert timer["OnBootSec"] == timer["OnUnitActiveSec"] == ["1min"]
    assert "OnCalendar" not in timer, "the wall clock may be wrong when a machine boots"
