"""One contract for the fleet of the deployed launcher and for the one that the schedules are played with."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from benchmarks.cloud import EmulatedFleet, Faults, World
from lambda_launcher.ec2 import Ec2Fleet
from lambda_launcher.fleet import Fleet, Refused, Unclear
from lambda_launcher.settings import Settings
from tests.lambda_launcher.site import SETTINGS


class Kind(NamedTuple):
    fleet: Fleet
    settings: Settings
    world: World

    def powers(self) -> dict[str, str]:
        self.world.pass_until(self.world.now + 60)
        return {each.studio: each.power for each in self.fleet.instances()}


@pytest.fixture(params=["emulated", "ec2"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """A new fleet, in turn of both kinds."""
    world = World(Faults(), seed=0)
    if request.param == "emulated":
        return Kind(EmulatedFleet(world, lambda machine: None, lambda studio: None), SETTINGS, world)
    cloud: Settings = request.getfixturevalue("cloud")
    return Kind(Ec2Fleet(request.getfixturevalue("ec2"), cloud), cloud, world)


def test_a_machine_is_launched_stopped_started_and_ended(kind: Kind) -> None:
    assert kind.powers() == {}
    machine, refused = kind.fleet.launch("studio-1", kind.settings.pools)
    assert (machine.studio, machine.type, machine.subnet) == ("studio-1", *kind.settings.pools[0])
    assert refused == []
    assert kind.powers() == {"studio-1": "running"}
    assert kind.fleet.instances()[0].id == machine.id
    assert kind.fleet.instances()[0].type == machine.type
    kind.fleet.stop(machine.id)
    assert kind.powers() == {"studio-1": "stopped"}
    kind.fleet.start(machine.id, (machine.type, machine.subnet))
    assert kind.powers() == {"studio-1": "running"}
    kind.fleet.end(machine.id)
    assert kind.powers() == {"studio-1": "terminated"}


def test_what_need_not_be_done_is_no_error(kind: Kind) -> None:
    machine, _ = kind.fleet.launch("studio-1", kind.settings.pools)
    kind.fleet.stop(machine.id)
    kind.powers()
    kind.fleet.stop(machine.id)
    assert kind.powers() == {"studio-1": "stopped"}
    kind.fleet.end(machine.id)
    kind.powers()
    kind.fleet.end(machine.id)
    assert kind.powers() == {"studio-1": "terminated"}


def test_other_stacks_machines_are_not_ours(ec2: Any, cloud: Settings) -> None:
    mine, theirs = Ec2Fleet(ec2, cloud), Ec2Fleet(ec2, replace(cloud, stack="another"))
    theirs.launch("studio-2", cloud.pools)
    assert mine.instances() == []
    assert [each.studio for each in theirs.instances()] == ["studio-2"]


def test_a_machine_that_is_not_there_is_let_be(ec2: Any, cloud: Settings) -> None:
    fleet = Ec2Fleet(ec2, cloud)
    fleet.end("i-00000000000000000")
    fleet.stop("i-00000000000000000")
    assert fleet.instances() == []


FLEET = """<CreateFleetResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><fleetId>fleet-1</fleetId>
<errorSet>{errors}</errorSet><fleetInstanceSet>{instances}</fleetInstanceSet></CreateFleetResponse>"""
WHERE = """<launchTemplateAndOverrides><overrides><instanceType>{}</instanceType><subnetId>{}</subnetId>
</overrides></launchTemplateAndOverrides>"""
NONE = "<item>{where}<errorCode>{code}</errorCode></item>"
GIVEN = "<item>{where}<instanceIds><item>i-1</item></instanceIds></item>"
FAILED = "<Response><Errors><Error><Code>{}</Code><Message>no</Message></Error></Errors></Response>"


@contextmanager
def answering(status: int, body: str) -> Iterator[Ec2Fleet]:
    """A fleet whose EC2 gives one answer to everything: that of a pool without machines, which no emulator has."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        client = boto3.client(
            "ec2",
            endpoint_url=f"http://127.0.0.1:{server.server_port}",
            config=Config(retries={"total_max_attempts": 1, "mode": "standard"}),
        )
        yield Ec2Fleet(client, SETTINGS)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def pools(code: str) -> str:
    return "".join(NONE.format(where=WHERE.format(*pool), code=code) for pool in SETTINGS.pools)


@pytest.mark.usefixtures("endpoint")
def test_pools_that_have_none_are_named() -> None:
    body = FLEET.format(errors=pools("InsufficientInstanceCapacity"), instances="")
    with answering(200, body) as fleet, pytest.raises(Refused, match="InsufficientInstanceCapacity") as refused:
        fleet.launch("studio-1", SETTINGS.pools)
    assert refused.value.pools == SETTINGS.pools


@pytest.mark.usefixtures("endpoint")
def test_what_is_refused_for_another_reason_names_no_pool() -> None:
    body = FLEET.format(errors=pools("InvalidLaunchTemplateId.NotFound"), instances="")
    with answering(200, body) as fleet, pytest.raises(Refused, match="InvalidLaunchTemplateId") as refused:
        fleet.launch("studio-1", SETTINGS.pools)
    assert refused.value.pools == ()


@pytest.mark.usefixtures("endpoint")
def test_pools_that_refused_are_told_with_the_machine_that_another_gave() -> None:
    first, *_, last = SETTINGS.pools
    errors = NONE.format(where=WHERE.format(*first), code="InsufficientInstanceCapacity")
    body = FLEET.format(errors=errors, instances=GIVEN.format(where=WHERE.format(*last)))
    with answering(200, body) as fleet:
        machine, refused = fleet.launch("studio-1", SETTINGS.pools)
    assert (machine.id, machine.type, machine.subnet) == ("i-1", *last)
    assert refused == [first]


@pytest.mark.usefixtures("endpoint")
@pytest.mark.parametrize(
    ("status", "code", "raised", "named"),
    [
        (500, "InsufficientInstanceCapacity", Refused, True),
        (400, "VcpuLimitExceeded", Refused, True),
        (403, "UnauthorizedOperation", Refused, False),
        (400, "IncorrectInstanceState", Refused, False),
        (503, "Unavailable", Unclear, False),
        (400, "IdempotentParameterMismatch", Unclear, False),
    ],
)
def test_an_answer_that_is_an_error(status: int, code: str, raised: type[Exception], named: bool) -> None:
    with answering(status, FAILED.format(code)) as fleet:
        with pytest.raises(raised, match=code) as launching:
            fleet.launch("studio-1", SETTINGS.pools)
        with pytest.raises(raised, match=code):
            fleet.start("i-1", SETTINGS.pools[0])
    assert getattr(launching.value, "pools", ()) == (SETTINGS.pools if named else ())


@pytest.mark.usefixtures("endpoint")
def test_what_may_not_be_ended_is_not_passed_over() -> None:
    with answering(403, FAILED.format("UnauthorizedOperation")) as fleet:
        with pytest.raises(ClientError, match="UnauthorizedOperation"):
            fleet.end("i-1")
        with pytest.raises(ClientError, match="UnauthorizedOperation"):
            fleet.stop("i-1")


@pytest.mark.usefixtures("endpoint")
def test_no_answer_at_all_is_unclear() -> None:
    config = Config(connect_timeout=1, retries={"total_max_attempts": 1, "mode": "standard"})
    client = boto3.client("ec2", endpoint_url="http://127.0.0.1:9", config=config)
    with pytest.raises(Unclear, match=r"127\.0\.0\.1"):
        Ec2Fleet(client, SETTINGS).launch("studio-1", SETTINGS.pools)
