"""`visualneurons destroy` in an emulated account: nothing is left, not even where it was interrupted or refused."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lambda_launcher.deploy.packed import Packed
from lambda_launcher.destroy import leftovers
from tests.lambda_launcher.account import ID, REGION, Cloud, account
from tests.lambda_launcher.terminal import Terminal

pytestmark = pytest.mark.slow

STACK = "visualneurons"
ARTIFACTS = f"{STACK}-{ID}-{REGION}-artifacts"
LINGERING = (
    '<TerminateInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>1</requestId>'
    "<instancesSet/></TerminateInstancesResponse>"
)
STAYING = (
    '<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    "<Error><Key>a</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error></DeleteResult>"
)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with account(tmp_path_factory.mktemp("account")) as made:
        yield made


@pytest.fixture(scope="module")
def terminal(cloud: Cloud, ready: Packed) -> Terminal:
    return Terminal(cloud, ready)


@pytest.fixture
def lived_in(cloud: Cloud, terminal: Terminal) -> Iterator[None]:
    """A stack in which studios run, images were made and paintings are kept: what the test before has left, or anew."""
    if "stacks" not in left(cloud):
        furnish(cloud, terminal)
    yield
    cloud.shim.refusals = {}


def furnish(cloud: Cloud, terminal: Terminal) -> None:
    """Deploy a stack, and put into it all that comes together in one that is used."""
    assert terminal.run("deploy", "--yes").code == 0
    ec2 = cloud.client("ec2")
    for tag in ("visualneurons", "visualneurons-workshop"):
        tags = [{"ResourceType": "instance", "Tags": [{"Key": tag, "Value": STACK}]}]
        ec2.run_instances(ImageId="ami-0", InstanceType="g6.xlarge", MinCount=1, MaxCount=1, TagSpecifications=tags)
    snapshot = ec2.create_snapshot(VolumeId=ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"])
    disk = {"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": snapshot["SnapshotId"]}}
    image = ec2.register_image(Name=f"{STACK} image", BlockDeviceMappings=[disk], RootDeviceName="/dev/sda1")["ImageId"]
    ec2.create_tags(Resources=[image], Tags=[{"Key": "visualneurons", "Value": STACK}])
    ssm = cloud.client("ssm")
    ssm.put_parameter(Name=f"/imagebuilder/{STACK}/image", Value=image, Type="String")
    cloud.client("logs").create_log_group(logGroupName=f"/aws/imagebuilder/{STACK}-studio")
    s3 = cloud.client("s3")
    (gallery,) = (each["Name"] for each in s3.list_buckets()["Buckets"] if "gallery" in each["Name"])
    s3.put_bucket_versioning(Bucket=gallery, VersioningConfiguration={"Status": "Enabled"})
    for content in (b"one", b"other"):
        s3.put_object(Bucket=gallery, Key="gallery/a/b/picture", Body=content)
    s3.delete_object(Bucket=gallery, Key="gallery/a/b/picture")


def left(cloud: Cloud) -> dict[str, Any]:
    """What there is in the account that was not there before."""
    ec2 = cloud.client("ec2")
    machines = [each for some in ec2.describe_instances()["Reservations"] for each in some["Instances"]]
    found = {
        "machines": [each["InstanceId"] for each in machines if each["State"]["Name"] != "terminated"],
        "buckets": [each["Name"] for each in cloud.client("s3").list_buckets()["Buckets"]],
        "images": [each["ImageId"] for each in ec2.describe_images(Owners=["self"])["Images"]],
        "snapshots": [each["SnapshotId"] for each in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]],
        "builds": list(cloud.shim.images),
        "parameters": [
            each["Name"]
            for each in cloud.client("ssm").describe_parameters()["Parameters"]
            if each["Name"].startswith("/imagebuilder/")
        ],
        "logs": [each["logGroupName"] for each in cloud.client("logs").describe_log_groups()["logGroups"]],
        "functions": [each["FunctionName"] for each in cloud.client("lambda").list_functions()["Functions"]],
        "tables": cloud.client("dynamodb").list_tables()["TableNames"],
        "secrets": [each["Name"] for each in cloud.client("secretsmanager").list_secrets()["SecretList"]],
        "stacks": [each["StackName"] for each in cloud.client("cloudformation").describe_stacks()["Stacks"]],
    }
    return {what: each for what, each in found.items() if each}


def test_where_there_is_nothing_it_says_so(terminal: Terminal) -> None:
    code, out, err = terminal.run("destroy", "--yes")
    assert (code, err) == (0, "")
    assert out.endswith("There was nothing of it.\n")
    code, _, err = terminal.run("destroy")
    assert (code, err) == (1, "visualneurons destroy: There is nobody to ask. Add --yes if it is to be done unasked.\n")


@pytest.mark.usefixtures("lived_in")
def test_nothing_is_left_and_all_that_was_removed_is_said(cloud: Cloud, terminal: Terminal) -> None:
    refused = terminal.run("destroy", says="n\n")
    assert refused.code == 1
    assert f"All of the stack '{STACK}' in {REGION}, account {ID}, is removed" in refused.out
    assert "EVERYTHING THAT WAS PAINTED. 2 machines are there now; they are ended." in refused.out
    assert refused.out.endswith("Nothing was removed.\n")
    there = left(cloud)
    assert there.keys() >= {"machines", "buckets", "images", "snapshots", "builds", "parameters", "logs", "stacks"}

    done = cloud.run("destroy", says="yes\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert left(cloud) == {}
    for what in (
        *(f"the machine {name}" for name in there["machines"]),
        *(f"the image {name}" for name in there["images"]),
        *(f"the snapshot {name}" for name in there["snapshots"]),
        *(f"Image Builder's image {name}" for name in there["builds"]),
        *(f"the baking of {name}" for name in there["builds"]),
        f"the parameter /imagebuilder/{STACK}/image",
        f"the log /aws/imagebuilder/{STACK}-studio",
        f"the stack {STACK}",
        "the bucket of the artifacts",
    ):
        assert f"removed: {what}\n" in done.stdout, what
    assert "LEFT" not in done.stdout


@pytest.mark.usefixtures("lived_in")
def test_as_long_as_a_machine_runs_the_reaper_stays(cloud: Cloud, terminal: Terminal) -> None:
    denied = "You are not authorized to perform: ec2:TerminateInstances on it"
    cloud.shim.refusals["TerminateInstances"] = (403, "UnauthorizedOperation", denied)
    cloud.shim.refusals["ListImages"] = (403, "AccessDeniedException", "is not authorized to perform: x:ListImages")
    code, out, _ = terminal.run("destroy", "--yes")
    assert code == 1
    for machine in left(cloud)["machines"]:
        assert f"LEFT: the machine {machine}: You may not do ec2:TerminateInstances in this account. Ask" in out
    assert "LEFT: what is baked: You may not do x:ListImages in this account." in out
    assert left(cloud)["stacks"] == [STACK]
    assert f"{STACK}-reaper" in left(cloud)["functions"]


@pytest.mark.usefixtures("lived_in")
def test_a_machine_that_does_not_end_is_named(
    cloud: Cloud, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "PATIENCE", 0)
    monkeypatch.setitem(cloud.shim.answers, "TerminateInstances", LINGERING)
    code, out, _ = terminal.run("destroy", "--yes")
    assert code == 1
    for machine in left(cloud)["machines"]:
        assert f"LEFT: the machine {machine}: it has not ended within 0 s.\n" in out
    assert left(cloud)["stacks"] == [STACK]


@pytest.mark.usefixtures("lived_in")
def test_what_could_not_be_removed_is_named_and_goes_the_next_time(cloud: Cloud, terminal: Terminal) -> None:
    denied = "You are not authorized to perform: ec2:DeleteSnapshot on it"
    cloud.shim.refusals["DeleteSnapshot"] = (403, "UnauthorizedOperation", denied)
    (snapshot,) = left(cloud)["snapshots"]
    stays = (
        f"LEFT: the snapshot {snapshot}: You may not do ec2:DeleteSnapshot in this account. "
        "Ask who runs the account to allow it.\n"
    )
    client = cloud.client("cloudformation")
    client.update_termination_protection(StackName=STACK, EnableTerminationProtection=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(cloud.shim.answers, f"POST /{ARTIFACTS}", STAYING)
        code, out, _ = terminal.run("destroy", "--yes")
    assert code == 1
    assert f"LEFT: the stack {STACK}: AWS refuses DeleteStack: " in out
    assert stays in out
    hint = "Ask who runs the account to allow it."
    assert f"LEFT: the bucket of the artifacts: 1 objects stay (AccessDenied). {hint}\n" in out

    client.update_termination_protection(StackName=STACK, EnableTerminationProtection=False)
    cloud.shim.refusals[f"DELETE /{ARTIFACTS}"] = (409, "BucketNotEmpty", "Somebody has just laid something in it.")
    code, out, _ = terminal.run("destroy", "--yes")
    assert code == 1
    assert stays in out, "a snapshot is known by its tag when its image is gone"
    assert "LEFT: the bucket of the artifacts: AWS refuses DeleteBucket: Somebody has just laid" in out
    assert out.endswith("Run it again when that is mended.\n")
    cloud.shim.refusals = {}
    assert left(cloud).keys() == {"snapshots", "buckets"}

    again = terminal.run("destroy", "--yes")
    assert again.code == 0
    assert "2 things were removed." in again.out
    assert left(cloud) == {}


@pytest.mark.usefixtures("lived_in")
def test_what_was_interrupted_is_gone_on_with(cloud: Cloud, terminal: Terminal) -> None:
    cloud.shim.held["DeleteStack"] = release = threading.Event()
    with cloud.start("destroy", "--yes") as process:
        until = time.monotonic() + 120
        while "DeleteStack" not in cloud.shim.asked[-3:]:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    release.set()
    cloud.shim.held.clear()
    assert process.returncode == 130
    assert err.strip().endswith("Interrupted. What was begun goes on by itself; run it again for the rest.")
    assert terminal.run("destroy", "--yes").code == 0
    assert left(cloud) == {}
