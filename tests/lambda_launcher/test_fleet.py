"""One contract for the fleet of the deployed launcher and for the one that the schedules are played with."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from benchmarks.cloud import TRIED, EmulatedFleet, Faults, World
from lambda_launcher.ec2 import Ec2Fleet
from lambda_launcher.fleet import QUOTA, QUOTA_NAME, Fleet, NoImage, OverQuota, Pool, Refused, Throttled, Unclear
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


def test_a_machine_is_of_the_templates_version_that_was_deployed(ec2: Any, cloud: Settings) -> None:
    template = cloud.launch_template
    told = base64.b64encode(b"what the second version tells").decode()
    made = ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData={"UserData": told})
    version = str(made["LaunchTemplateVersion"]["VersionNumber"])
    (known,) = ec2.describe_launch_templates(LaunchTemplateIds=[template])["LaunchTemplates"]
    assert known["DefaultVersionNumber"] == 1, "as CloudFormation leaves it, too"

    def user_data(settings: Settings, studio: str) -> str | None:
        machine, _ = Ec2Fleet(ec2, settings).launch(studio, cloud.pools)
        found = ec2.describe_instance_attribute(InstanceId=machine.id, Attribute="userData")["UserData"].get("Value")
        return str(found) if found else None

    assert user_data(replace(cloud, launch_template_version=version), "studio-1") == told
    assert user_data(cloud, "studio-2") is None, "a launcher that is being replaced keeps to what it was deployed with"


def test_a_machine_is_made_from_the_image_that_was_baked_last(ec2: Any, cloud: Settings) -> None:
    machine, _ = Ec2Fleet(ec2, cloud).launch("studio-1", cloud.pools)
    (reservation,) = ec2.describe_instances(InstanceIds=[machine.id])["Reservations"]
    assert reservation["Instances"][0]["ImageId"] == f"resolve:ssm:/imagebuilder/{cloud.stack}/image"


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
def saying(status: int, body: str) -> Iterator[str]:
    """The address of an EC2 that gives one answer to everything: that of a pool without machines, say."""

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
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))  # seconds until it sees that it is to end
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def answering(status: int, body: str) -> Iterator[Ec2Fleet]:
    """A fleet of such an EC2, which no emulator is."""
    with saying(status, body) as address:
        config = Config(retries={"total_max_attempts": 1, "mode": "standard"})
        yield Ec2Fleet(boto3.client("ec2", endpoint_url=address, config=config), SETTINGS)


def pools(*codes: str) -> str:
    """The errors of an answer: the code of each pool, the last one that of all others, too."""
    codes += codes[-1:] * (len(SETTINGS.pools) - len(codes))
    return "".join(
        NONE.format(where=WHERE.format(*pool), code=code) for pool, code in zip(SETTINGS.pools, codes, strict=True)
    )


@pytest.mark.usefixtures("endpoint")
def test_pools_that_have_none_are_named() -> None:
    body = FLEET.format(errors=pools("InsufficientInstanceCapacity"), instances="")
    with answering(200, body) as fleet, pytest.raises(Refused, match="InsufficientInstanceCapacity") as refused:
        fleet.launch("studio-1", SETTINGS.pools)
    assert refused.value.pools == SETTINGS.pools


SHORT, LACKING, UNTRIED = "InsufficientInstanceCapacity", "InvalidFleetConfiguration", "UnfulfillableCapacity"


@pytest.mark.usefixtures("endpoint")
@pytest.mark.parametrize(
    ("codes", "raised", "named"),
    [
        ([SHORT, SHORT, SHORT, UNTRIED], Refused, SETTINGS.pools[:3]),
        ([SHORT, LACKING, UNTRIED], Refused, SETTINGS.pools[:2]),
        ([LACKING, UNTRIED], Refused, SETTINGS.pools[:1]),
        ([SHORT, "UnauthorizedOperation"], Refused, SETTINGS.pools[:1]),
        ([UNTRIED], Refused, SETTINGS.pools),
        (["UnauthorizedOperation", UNTRIED], Refused, ()),
        ([SHORT, "VcpuLimitExceeded", UNTRIED], OverQuota, SETTINGS.pools[:1]),
        ([SHORT, "RequestLimitExceeded", UNTRIED], Throttled, SETTINGS.pools[:1]),
    ],
)
def test_a_pool_is_refused_by_its_own_code_alone(
    codes: list[str], raised: type[Refused], named: Sequence[Pool]
) -> None:
    with answering(200, FLEET.format(errors=pools(*codes), instances="")) as fleet, pytest.raises(Refused) as refused:
        fleet.launch("studio-1", SETTINGS.pools)
    assert type(refused.value) is raised
    assert refused.value.pools == tuple(named)


@pytest.mark.usefixtures("endpoint")
def test_a_quota_that_is_used_up_is_named() -> None:
    with answering(400, FAILED.format("VcpuLimitExceeded")) as fleet, pytest.raises(OverQuota) as refused:
        fleet.launch("studio-1", SETTINGS.pools)
    assert f"{QUOTA_NAME} ({QUOTA})" in str(refused.value)


NO_IMAGE = FAILED.replace("no", "The following aliases are invalid: /imagebuilder/visualneurons/image").format(
    "SsmInvalidParameter"
)


@pytest.mark.usefixtures("endpoint")
def test_an_image_that_is_still_to_be_made_is_told_from_one_that_is_no_image() -> None:
    with answering(400, NO_IMAGE) as fleet, pytest.raises(NoImage):
        fleet.launch("studio-1", SETTINGS.pools)
    with answering(400, FAILED.format("SsmInvalidParameter")) as fleet, pytest.raises(Refused) as refused:
        fleet.launch("studio-1", SETTINGS.pools)
    assert type(refused.value) is Refused


def test_the_emulated_fleet_tries_as_many_pools_as_ec2() -> None:
    fleet = EmulatedFleet(World(Faults(lacking=1.0), seed=0), lambda machine: None, lambda studio: None)
    with pytest.raises(Refused) as refused:
        fleet.launch("studio-1", SETTINGS.pools)
    assert refused.value.pools == SETTINGS.pools[:TRIED]


@pytest.mark.usefixtures("endpoint")
def test_what_is_refused_for_another_reason_names_no_pool() -> None:
    body = FLEET.format(errors=pools("InvalidLaunchTemplateId.NotFound"), instances="")
    with answering(200, body) as fleet, pytest.raises(Refused, match="InvalidLaunchTemplateId") as refused:
        fleet.launch("studio-1", SETTINGS.pools)
    assert refused.value.pools == ()


@pytest.mark.usefixtures("endpoint")
def test_pools_that_refused_are_told_with_the_machine_that_another_gave() -> None:
    first, *_, last = SETTINGS.pools
    body = FLEET.format(errors=pools(SHORT, UNTRIED), instances=GIVEN.format(where=WHERE.format(*last)))
    with answering(200, body) as fleet:
        machine, refused = fleet.launch("studio-1", SETTINGS.pools)
    assert (machine.id, machine.type, machine.subnet) == ("i-1", *last)
    assert refused == [first]


@pytest.mark.usefixtures("endpoint")
def test_a_machine_is_not_forgotten_for_an_error_that_says_little() -> None:
    errors = "<item><errorCode>InternalError</errorCode></item><item/>"
    last = SETTINGS.pools[-1]
    with answering(200, FLEET.format(errors=errors, instances=GIVEN.format(where=WHERE.format(*last)))) as fleet:
        machine, refused = fleet.launch("studio-1", SETTINGS.pools)
    assert (machine.id, machine.type, machine.subnet, refused) == ("i-1", *last, [])
    with answering(200, FLEET.format(errors=errors, instances=GIVEN.format(where=""))) as fleet:
        assert fleet.launch("studio-1", SETTINGS.pools)[0].id == "i-1"
    with answering(200, FLEET.format(errors=errors, instances="")) as fleet, pytest.raises(Refused) as raised:
        fleet.launch("studio-1", SETTINGS.pools)
    assert (str(raised.value), raised.value.pools) == ("InternalError, no code given", ())


@pytest.mark.usefixtures("endpoint")
def test_a_fleet_that_was_asked_for_too_often_says_so() -> None:
    errors = pools("InsufficientInstanceCapacity") + pools("RequestLimitExceeded")
    with answering(200, FLEET.format(errors=errors, instances="")) as fleet, pytest.raises(Throttled):
        fleet.launch("studio-1", SETTINGS.pools)


@pytest.mark.usefixtures("endpoint")
@pytest.mark.parametrize(
    ("status", "code", "raised", "named"),
    [
        (500, "InsufficientInstanceCapacity", Refused, True),
        (400, "VcpuLimitExceeded", OverQuota, False),
        (400, "InvalidFleetConfiguration", Refused, False),
        (500, "UnfulfillableCapacity", Refused, True),
        (503, "RequestLimitExceeded", Throttled, False),
        (400, "ThrottlingException", Throttled, False),
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
