"""`visualneurons deploy` in an emulated account: from nothing to a page, again, changed, and all that goes wrong.

And `visualneurons studios`, which tells of what is deployed.
"""

from __future__ import annotations

import base64
import io
import json
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit
from zipfile import ZipFile

import boto3
import pytest

from lambda_launcher.deploy import image, network
from lambda_launcher.deploy.account import Account
from lambda_launcher.deploy.packed import Packed
from lambda_launcher.deploy.stack import Proposal, Stack
from lambda_launcher.deploy.trouble import Trouble
from lambda_launcher.studios import overview
from lambda_launcher.table import Table
from tests.lambda_launcher.account import ID, REGION, Cloud, Shim, account
from tests.lambda_launcher.shim import BASE, TYPES
from tests.lambda_launcher.terminal import Ended, Terminal
from tests.lambda_launcher.test_studios import keep, studio
from tests.server.process import send

pytestmark = pytest.mark.slow

STACK = "visualneurons"
ARTIFACTS = f"{STACK}-{ID}-{REGION}-artifacts"
WAITING = """
Resources:
  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
  Wait: {Type: AWS::CloudFormation::WaitCondition, Properties: {Handle: !Ref Handle, Timeout: "120"}}
"""
OTHER = "Resources: {Handle: {Type: AWS::CloudFormation::WaitConditionHandle}}"
KEPT = """
Resources:
  Gallery: {{Type: AWS::S3::Bucket, Properties: {{BucketName: {}}}}}
"""
DESCRIBED = """
<DescribeChangeSetResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeChangeSetResult>
{}</DescribeChangeSetResult></DescribeChangeSetResponse>"""
FAILING = DESCRIBED.format("<Status>FAILED</Status><StatusReason>A bucket has that name.</StatusReason>")
REPLACING = DESCRIBED.format("""
<Status>CREATE_COMPLETE</Status><Changes><member><Type>Resource</Type><ResourceChange><Action>Modify</Action>
<LogicalResourceId>Gallery</LogicalResourceId><ResourceType>AWS::S3::Bucket</ResourceType>
<Replacement>True</Replacement><Details><member><Target><Attribute>Properties</Attribute><Name>BucketName</Name>
<RequiresRecreation>Always</RequiresRecreation></Target></member></Details></ResourceChange></member></Changes>""")
FULL = f"""
<DescribeSnapshotsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>1</requestId><snapshotSet>
<item><snapshotId>snap-1</snapshotId><volumeSize>80</volumeSize>
<fullSnapshotSizeInBytes>{60 * 2**30}</fullSnapshotSizeInBytes>
</item></snapshotSet></DescribeSnapshotsResponse>"""
OTHER_TABLE = """
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      BillingMode: PAY_PER_REQUEST
"""
NOBODY: dict[str, str | None] = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
READING = re.compile(r"(Describe|Get|List|HEAD|GET|list_)")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with account(tmp_path_factory.mktemp("account")) as made:
        yield made


@pytest.fixture(scope="module")
def terminal(cloud: Cloud, ready: Packed) -> Terminal:
    return Terminal(cloud, ready)


@pytest.fixture(scope="module")
def first(terminal: Terminal) -> Ended:
    """The first deploy of all."""
    return terminal.run("deploy", says="y\n")


@pytest.fixture(autouse=True)
def _let_be(cloud: Cloud) -> Iterator[None]:
    """Take back what a test has told the shim."""
    yield
    for release in cloud.shim.held.values():
        release.set()
    fresh = Shim()
    cloud.shim.quota, cloud.shim.offered, cloud.shim.base = fresh.quota, fresh.offered, fresh.base
    cloud.shim.refusals, cloud.shim.answers, cloud.shim.held = {}, {}, {}


def resources(cloud: Cloud, stack: str = STACK) -> dict[str, str]:
    listed = cloud.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in listed}


def test_the_first_time_it_says_what_is_made_and_where_it_is(first: Ended) -> None:
    assert (first.code, first.err) == (0, "")
    out = first.out
    assert f"The stack 'visualneurons' in {REGION}, account {ID}." in out
    assert re.search(r"launcher +[\d,]+ bytes\n +template +[\d,]+ bytes, \d+ resources\n", out)
    assert "  added    Distribution, CloudFront::Distribution\n" in out
    assert "At most 2 GPUs at once and 33934 GPU-seconds a day: $10.00 a day" in out
    assert re.search(r"^ +\d+ s  Launcher is being made$", out, re.MULTILINE)
    assert re.search(r"^ +\d+ s  Launcher is made$", out, re.MULTILINE)
    assert re.search(r"The page is uploaded: \d+ files written, 0 removed\.", out)
    assert "The machine's image 1.0.0 is being baked from now on." in out
    assert re.search(r"^VisualNeurons is at https://\w+\.cloudfront\.net/$", out, re.MULTILINE)


def test_what_is_deployed_is_what_is_here(cloud: Cloud, first: Ended, terminal: Terminal) -> None:
    (stack,) = cloud.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    assert {"Key": "visualneurons", "Value": STACK} in stack["Tags"]
    told = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    assert told["Artifacts"] == ARTIFACTS
    assert len(told["Subnets"].split(",")) == 3
    zones = {each["SubnetId"]: each["AvailabilityZone"] for each in cloud.client("ec2").describe_subnets()["Subnets"]}
    assert zones[told["Subnets"].split(",")[0]] == "us-east-1b", "which has all the types: images are made there"
    made = cloud.client("lambda").get_function(FunctionName=f"{STACK}-launcher")
    proxies = urllib.request.ProxyHandler({})
    with urllib.request.build_opener(proxies).open(made["Code"]["Location"]) as sent:
        assert sent.read() == terminal.ready.launcher
    s3 = cloud.client("s3")
    listed = {each["Key"] for each in s3.list_objects_v2(Bucket=ARTIFACTS)["Contents"]}
    assert {
        f"{terminal.ready.image.prefix}/ami/install.sh",
        terminal.ready.parameters["LauncherZip"],
        terminal.ready.template_key,
    } <= listed
    (wheel,) = (key for key in listed if key.endswith(".whl"))
    with ZipFile(io.BytesIO(s3.get_object(Bucket=ARTIFACTS, Key=wheel)["Body"].read())) as archive:
        assert "ami/install.sh" in archive.namelist()
    site = resources(cloud)["Site"]
    config = json.loads(s3.get_object(Bucket=site, Key="config.json")["Body"].read())
    assert config == {"launcher": "/api", "days": 30}
    assert s3.head_object(Bucket=site, Key="display")["ContentType"].startswith("text/html")


def test_the_bucket_of_the_artifacts_is_private_encrypted_and_ours(cloud: Cloud, first: Ended) -> None:
    s3 = cloud.client("s3")
    closed = s3.get_public_access_block(Bucket=ARTIFACTS)["PublicAccessBlockConfiguration"]
    assert set(closed.values()) == {True}
    assert len(closed) == 4
    (rule,) = s3.get_bucket_encryption(Bucket=ARTIFACTS)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    (denied,) = json.loads(s3.get_bucket_policy(Bucket=ARTIFACTS)["Policy"])["Statement"]
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert s3.get_bucket_tagging(Bucket=ARTIFACTS)["TagSet"] == [{"Key": "visualneurons", "Value": STACK}]


def test_studios_are_told_of_where_there_are_none(first: Ended, terminal: Terminal) -> None:
    code, out, err = terminal.run("studios")
    assert (code, err) == (0, "")
    assert out == "No studio runs.\nToday (UTC): 0 GPU-seconds used and 0 reserved of 33934; 33934 are left.\n"


def test_studios_are_told_of_where_there_is_one(cloud: Cloud, first: Ended) -> None:
    table = Table(cloud.client("dynamodb"), resources(cloud)["Studios"])
    now = time.time()
    keep(table, studio("0123456789abcdef", now, active=now))
    done = cloud.run("studios", "--price", "g6.xlarge=2")
    assert (done.returncode, done.stderr) == (0, "")
    head, line, today, note = done.stdout.splitlines()
    assert head.split() == list(overview.COLUMNS)
    assert re.match(r"0123456789abcdef  ready  g6\.xlarge  -     1\d min  \d+ s +1 of 1  3900 s  \$0\.4\d\d$", line)
    assert today.startswith("Today (UTC): ")
    assert note == "Costs are by the prices of us-east-1 of June 2026, unless set right by --price."


def test_studios_are_not_told_of_where_nothing_is_deployed(terminal: Terminal) -> None:
    code, _, err = terminal.run("studios", "--stack", "nothing")
    assert (code, err) == (
        1,
        "visualneurons studios: There is no stack 'nothing' in us-east-1. "
        "Name another with --region or --stack, or run 'visualneurons deploy' first.\n",
    )


def test_the_second_time_nothing_changes(cloud: Cloud, first: Ended, terminal: Terminal) -> None:
    again = terminal.run("deploy")
    assert (again.code, again.err) == (0, "")
    out = again.out
    assert "Nothing changes in the stack.\nNothing changes on the page.\n" in out
    assert "The machine's image 1.0.0 is being baked (building). The page paints by itself" in out
    assert cloud.shim.asked.count("StartImagePipelineExecution") == 1


def test_a_baked_image_is_not_spoken_of_and_a_failed_one_is_baked_again(
    cloud: Cloud, first: Ended, terminal: Terminal
) -> None:
    (build,) = cloud.shim.images.values()
    build["state"] = {"status": "FAILED", "reason": "The smoke test has failed"}
    _, out, _ = terminal.run("deploy")
    assert "1.0.0 is being baked from now on. The last try failed: The smoke test has failed. The page" in out
    assert cloud.shim.asked.count("StartImagePipelineExecution") == 2
    for each in cloud.shim.images.values():
        each["state"] = {"status": "AVAILABLE"}
    _, out, _ = terminal.run("deploy")
    assert "image" not in out.partition("Nothing changes on the page.")[2]


def test_an_image_is_baked_anew_when_asked_for(cloud: Cloud, first: Ended, terminal: Terminal) -> None:
    for each in cloud.shim.images.values():
        each["state"] = {"status": "AVAILABLE"}
    before = set(cloud.shim.images)
    _, out, _ = terminal.run("deploy", "--bake")
    assert "Nothing changes in the stack." in out
    assert "image 1.0.0 is being baked from now on. Studios boot from the one before until it is there. Run" in out
    (anew,) = cloud.shim.images.keys() - before
    client, pipeline = cloud.client("imagebuilder"), f"arn:aws:imagebuilder:{REGION}:{ID}:image-pipeline/{STACK}-studio"
    told = image.bake(client, pipeline, "1.0.0", anew=True)
    assert told.startswith(
        "The machine's image 1.0.0 is being baked (building). Studios boot from the one before until"
    )
    cloud.shim.images[anew]["state"] = {"status": "FAILED", "reason": "No GPU was to be had"}
    told = image.bake(client, pipeline, "1.0.0", anew=False)
    assert told == (
        "The machine's image 1.0.0 is not as new as it could be. The last try failed: No GPU was to be had. "
        "Try it again with --bake."
    )
    cloud.shim.images[anew]["state"] = {"status": "AVAILABLE"}
    assert image.bake(client, pipeline, "1.0.0", anew=False) == ""
    assert cloud.shim.images.keys() == before | {anew}
    assert "from now on. Studios boot from the one before until" in image.bake(client, pipeline, "1.0.1", anew=False)
    cloud.shim.images.popitem()


def test_older_images_are_removed_once_there_is_a_newer_one(cloud: Cloud, first: Ended, terminal: Terminal) -> None:
    ec2, ssm = cloud.client("ec2"), cloud.client("ssm")
    images = []
    for number in range(2):
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
        disk = {"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": ec2.create_snapshot(VolumeId=volume)["SnapshotId"]}}
        made = ec2.register_image(Name=f"image {number}", BlockDeviceMappings=[disk], RootDeviceName="/dev/sda1")
        ec2.create_tags(Resources=[made["ImageId"]], Tags=[{"Key": "visualneurons", "Value": STACK}])
        images.append(made["ImageId"])
    ssm.put_parameter(Name=f"/imagebuilder/{STACK}/image", Value=images[1], Type="String")
    for each in cloud.shim.images.values():
        each["state"] = {"status": "AVAILABLE"}
    assert "Older images of the machine were removed: 1." in terminal.run("deploy", "--yes").out
    assert [each["ImageId"] for each in ec2.describe_images(Owners=["self"])["Images"]] == images[1:]
    assert len(ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]) == 1
    assert "Older images" not in terminal.run("deploy").out


def test_what_the_filling_of_a_disk_costs_is_told_by_the_newest_image(
    cloud: Cloud, first: Ended, terminal: Terminal
) -> None:
    ec2, ssm, path = cloud.client("ec2"), cloud.client("ssm"), f"/imagebuilder/{STACK}/image"
    snapshot = ec2.create_snapshot(VolumeId=ec2.create_volume(AvailabilityZone="us-east-1a", Size=80)["VolumeId"])
    disk = {"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": snapshot["SnapshotId"]}}
    made = ec2.register_image(Name="large", BlockDeviceMappings=[disk], RootDeviceName="/dev/sda1")["ImageId"]
    before = ssm.get_parameters(Names=[path])["Parameters"]
    ssm.put_parameter(Name=path, Value=made, Type="String", Overwrite=True)
    try:
        out = terminal.run("deploy", "--dry-run").out
        assert "with an image of 80.0 GiB." in out, "the whole disk, where EC2 does not tell how much of it is full"
        cloud.shim.answers["DescribeSnapshots"] = FULL
        out = terminal.run("deploy", "--dry-run").out
        assert re.search(r"^  FillSeconds +245  \(now \d+\)$", out, re.MULTILINE)
        assert "245 of them for the filling of its disk, with an image of 60.0 GiB." in out
    finally:
        ssm.delete_parameter(Name=path)
        for each in before:
            ssm.put_parameter(Name=path, Value=each["Value"], Type="String")
        ec2.deregister_image(ImageId=made)
        ec2.delete_snapshot(SnapshotId=snapshot["SnapshotId"])


def test_a_base_image_that_does_not_fit_is_refused_before_anything_is_made(
    cloud: Cloud, first: Ended, terminal: Terminal
) -> None:
    cloud.shim.base = 81
    builds = cloud.shim.asked.count("StartImagePipelineExecution")
    code, _, err = terminal.run("deploy", "--bake")
    assert (code, err) == (
        1,
        f"visualneurons deploy: The base image {BASE} needs a disk of 81 GB, and the machine's has 80. "
        "Take a newer VisualNeurons, or a larger VolumeSize in lambda_launcher/template.yaml, in both places.\n",
    )
    assert terminal.run("deploy", "--stack", "fourth", "--dry-run").code == 1
    assert terminal.run("deploy", "--dry-run").code == 0, "nothing is to be baked"
    cloud.shim.refusals["GetParameter"] = (400, "ParameterNotFound", "")
    code, _, err = terminal.run("deploy", "--stack", "fourth")
    assert (code, err.startswith(f"visualneurons deploy: {REGION} has no base image /aws/service/")) == (1, True)
    assert cloud.shim.asked.count("StartImagePipelineExecution") == builds


def test_a_dry_run_only_looks(cloud: Cloud, first: Ended, terminal: Terminal) -> None:
    before = len(cloud.shim.asked)
    code, out, _ = terminal.run("deploy", "--dry-run", "--max-gpus", "1")
    assert code == 0
    assert re.search(r"^  MaxStudios +1  \(now 2\)$", out, re.MULTILINE)
    assert re.search(r"^  ImageVersion +1\.0\.0$", out, re.MULTILINE)
    assert "At most 1 GPUs at once" in out
    assert out.endswith("This was a dry run: nothing was changed.\n")
    asked = cloud.shim.asked[before:]
    assert asked
    assert [each for each in asked if not READING.match(each)] == []


def test_what_changes_is_said_before_and_asked(cloud: Cloud, first: Ended, terminal: Terminal) -> None:
    code, out, _ = terminal.run("deploy", "--max-gpus", "1", says="n\n")
    assert code == 1
    assert re.search(r"^  changed +Launcher, Lambda::Function \(.*Environment.*\)$", out, re.MULTILINE)
    assert "Nothing was changed; the bucket of the artifacts stays" in out
    code, out, err = terminal.run("deploy", "--max-gpus", "1")
    listed = cloud.client("cloudformation").list_change_sets(StackName=STACK)["Summaries"]
    assert [each for each in listed if each["ExecutionStatus"] == "AVAILABLE"] == []
    assert (code, err) == (1, "visualneurons deploy: There is nobody to ask. Add --yes if it is to be done unasked.\n")
    variables = "Environment"
    function = cloud.client("lambda").get_function_configuration(FunctionName=f"{STACK}-launcher")
    assert function[variables]["Variables"]["MAX_STUDIOS"] == "2"
    code, out, _ = terminal.run("deploy", "--max-gpus", "1", "--gallery-days", "7", "--yes")
    assert code == 0
    assert "Launcher is changed" in out
    page = cloud.client("s3").get_object(Bucket=resources(cloud)["Site"], Key="config.json")["Body"].read()
    assert json.loads(page)["days"] == 7
    function = cloud.client("lambda").get_function_configuration(FunctionName=f"{STACK}-launcher")
    assert function[variables]["Variables"]["MAX_STUDIOS"] == "1"
    code, out, _ = terminal.run("deploy")
    assert "Nothing changes in the stack." in out, "what is not given stays as it is deployed"


def test_what_a_machine_is_told_changes_with_the_launchers_settings(
    cloud: Cloud, first: Ended, terminal: Terminal
) -> None:
    ec2, template = cloud.client("ec2"), resources(cloud)["StudioTemplate"]

    def version() -> str:
        """The one that the launcher starts machines with."""
        function = cloud.client("lambda").get_function_configuration(FunctionName=f"{STACK}-launcher")
        found: str = function["Environment"]["Variables"]["LAUNCH_TEMPLATE_VERSION"]
        return found

    def told() -> str:
        """What the next machine finds in its environment."""
        described = ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=[version()])
        (found,) = described["LaunchTemplateVersions"]
        return base64.b64decode(found["LaunchTemplateData"]["UserData"]).decode()

    assert "\nDEADLINE=3600\n" in told()
    assert terminal.run("deploy", "--deadline", "1800", "--yes").code == 0
    assert "\nDEADLINE=1800\n" in told()
    (known,) = ec2.describe_launch_templates(LaunchTemplateIds=[template])["LaunchTemplates"]
    assert known["DefaultVersionNumber"] == 1, "the default stays the first"
    assert version() == str(known["LatestVersionNumber"])


def test_a_page_that_has_changed_is_forgotten_by_the_edge(cloud: Cloud, first: Ended, terminal: Terminal) -> None:
    made = resources(cloud)
    cloud.client("s3").put_object(Bucket=made["Site"], Key="main.js", Body=b"old")
    _, out, _ = terminal.run("deploy")
    assert "The page is uploaded: 1 files written, 0 removed." in out
    listed = cloud.client("cloudfront").list_invalidations(DistributionId=made["Distribution"])
    assert listed["InvalidationList"]["Quantity"] >= 2


def test_a_closed_launcher_is_opened_again(cloud: Cloud, first: Ended, terminal: Terminal) -> None:
    client, name = cloud.client("lambda"), f"{STACK}-launcher"
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert terminal.run("deploy").code == 0
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName=name)


def test_what_fails_is_said_by_its_first_reason_and_nothing_is_left(cloud: Cloud, terminal: Terminal) -> None:
    config = {"Comment": "somebody else's", "Runtime": "cloudfront-js-2.0"}
    code = b"function handler(event) { return event.request; }"
    cloud.client("cloudfront").create_function(Name=f"second-{REGION}-route", FunctionConfig=config, FunctionCode=code)
    exit_code, _, err = terminal.run("deploy", "--stack", "second", "--yes")
    assert exit_code == 1
    assert re.match(r"visualneurons deploy: Route could not be made: .*already exist.*\. Nothing of it is left\. ", err)
    assert "Choose another name for the stack with --stack, or remove what has the name." in err
    with pytest.raises(cloud.client("cloudformation").exceptions.ClientError, match="does not exist"):
        cloud.client("cloudformation").describe_stacks(StackName="second")


def test_a_stack_of_somebody_else_is_let_be(cloud: Cloud, terminal: Terminal) -> None:
    cloud.client("cloudformation").create_stack(StackName="other", TemplateBody=OTHER)
    for command in ("deploy", "destroy", "studios"):
        code, _, err = terminal.run(command, "--stack", "other")
        assert (code, err) == (
            1,
            f"visualneurons {command}: There is a stack 'other' that is not of VisualNeurons. "
            "Choose another name with --stack.\n",
        )


def test_a_stack_that_is_being_changed_is_waited_for_and_one_of_no_use_is_refused(
    cloud: Cloud, terminal: Terminal
) -> None:
    tags = [{"Key": "visualneurons", "Value": "broken"}]
    cloud.client("cloudformation").create_stack(StackName="broken", TemplateBody=WAITING, Tags=tags)
    followed = asking(cloud, "DescribeStackEvents")

    def fail() -> None:
        followed()
        told = {"Status": "FAILURE", "UniqueId": "1", "Reason": "It was told to fail", "Data": ""}
        send("PUT", handle(cloud, "broken"), json.dumps(told).encode(), Content_Type="").close()

    with ThreadPoolExecutor(1) as thread:
        failed = thread.submit(fail)
        code, out, err = terminal.run("deploy", "--stack", "broken")
        failed.result()
    assert code == 1
    assert "The stack 'broken' is being changed already (CREATE_IN_PROGRESS); waiting for that to end." in out
    assert "Wait could not be made" in out
    assert err == (
        "visualneurons deploy: The stack 'broken' is of no use any more (ROLLBACK_COMPLETE). "
        "Remove what is left of it: visualneurons destroy --stack broken\n"
    )


def test_a_stack_that_could_not_go_back_is_refused(cloud: Cloud, terminal: Terminal) -> None:
    cloud.shim.answers["DescribeStacks"] = f"""
    <DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks>
    <member><StackName>{STACK}</StackName><StackId>1</StackId><CreationTime>2026-01-01T00:00:00Z</CreationTime>
    <StackStatus>UPDATE_ROLLBACK_FAILED</StackStatus>
    <Tags><member><Key>visualneurons</Key><Value>{STACK}</Value></member></Tags></member>
    </Stacks></DescribeStacksResult></DescribeStacksResponse>"""
    code, _, err = terminal.run("deploy")
    assert (code, err) == (
        1,
        "visualneurons deploy: The stack 'visualneurons' could not go back to what it was (UPDATE_ROLLBACK_FAILED). "
        "Mend what stopped it, then run: "
        "aws cloudformation continue-update-rollback --stack-name visualneurons\n",
    )


def test_what_is_lost_is_said_and_what_is_not_taken(cloud: Cloud) -> None:
    s3, said = cloud.client("s3"), list[str]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", cloud.url)
        s3.create_bucket(Bucket="templates")

        def propose(text: str) -> Proposal | None:
            s3.put_object(Bucket="templates", Key="it.yaml", Body=text.encode())
            return stack.propose(f"{cloud.url}/templates/it.yaml", {})

        stack = Stack(Account(boto3.Session("test", "test", region_name=REGION), ID, REGION), "kept")
        first = propose(KEPT.format("one") + OTHER_TABLE)
        assert first
        assert [str(each) for each in first.changes] == [
            "added    Gallery, S3::Bucket",
            "added    Table, DynamoDB::Table",
        ]
        stack.carry_out(first, said.append)
        second = propose(KEPT.format("other"))
        assert second
        assert [str(each) for each in second.changes] == [
            "changed  Gallery, S3::Bucket (BucketName, perhaps replaced) WHAT IS IN IT MAY BE LOST",
            "removed  Table, DynamoDB::Table WHAT IS IN IT IS LOST",
        ]
        stack.withdraw(second)
        assert propose(KEPT.format("one") + OTHER_TABLE) is None
        cloud.shim.answers["DescribeChangeSet"] = REPLACING
        third = propose(KEPT.format("third"))
        assert third
        assert str(third.changes[0]) == "replaced Gallery, S3::Bucket (BucketName) WHAT IS IN IT IS LOST"
        cloud.shim.answers["DescribeChangeSet"] = FAILING
        with pytest.raises(Trouble, match=r"^CloudFormation does not take the template: A bucket has that name\. Mend"):
            propose(KEPT.format("fourth"))


def test_a_region_without_the_edges_addresses_is_a_sentence(cloud: Cloud, terminal: Terminal) -> None:
    cloud.shim.answers["DescribeManagedPrefixLists"] = (
        '<DescribeManagedPrefixListsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
        "<requestId>1</requestId><prefixListSet/></DescribeManagedPrefixListsResponse>"
    )
    code, _, err = terminal.run("deploy")
    assert code == 1
    assert (
        "us-east-1 does not know the list com.amazonaws.global.cloudfront.origin-facing. Choose another region" in err
    )


def test_a_bucket_of_somebody_else_is_not_used(cloud: Cloud, terminal: Terminal) -> None:
    name = f"third-{ID}-{REGION}-artifacts"
    cloud.shim.refusals[f"HEAD /{name}"] = (403, "403", "Forbidden")
    code, _, err = terminal.run("deploy", "--stack", "third")
    assert code == 1
    assert f"The bucket {name} is somebody else's, or not for you. Choose another name for the stack" in err
    assert f"PUT /{name}" not in cloud.shim.asked


@pytest.mark.parametrize(
    ("operation", "refusal", "sentence"),
    [
        ("GetCallerIdentity", (403, "ExpiredToken", "expired"), "Your AWS credentials have expired. Sign in with"),
        (
            "GetCallerIdentity",
            (403, "InvalidClientTokenId", "invalid"),
            f"AWS does not know your credentials in {REGION} (InvalidClientTokenId). Sign in",
        ),
        (
            "DescribeVpcs",
            (403, "UnauthorizedOperation", "You are not authorized to perform: ec2:DescribeVpcs on it"),
            "You may not do ec2:DescribeVpcs in this account. Ask who runs the account to allow it.",
        ),
        (
            "CreateChangeSet",
            (403, "AccessDenied", "no"),
            "You may not do CreateChangeSet in this account. Ask who runs the account to allow it.",
        ),
        (
            "CreateChangeSet",
            (400, "ValidationError", "The tag is odd."),
            "AWS refuses CreateChangeSet: The tag is odd (ValidationError). Run it again",
        ),
    ],
)
def test_what_aws_refuses_is_a_sentence(
    operation: str, refusal: tuple[int, str, str], sentence: str, cloud: Cloud, terminal: Terminal
) -> None:
    cloud.shim.refusals[operation] = refusal
    code, _, err = terminal.run("deploy", "--yes", "--stack", "never")
    assert code == 1
    assert err.startswith(f"visualneurons deploy: {sentence}")
    assert err.count("\n") == 1


def test_without_credentials_it_says_how_to_sign_in(terminal: Terminal) -> None:
    for command in ("deploy", "destroy", "studios"):
        code, _, err = terminal.run(command, **NOBODY)
        assert code == 1
        assert err.startswith(f"visualneurons {command}: There are no AWS credentials on this machine. Sign in with")
    _, _, err = terminal.run("deploy", AWS_PROFILE="mine")
    assert "There are no AWS credentials: The config profile (mine) could not be found." in err


def test_without_credentials_a_dry_run_says_what_it_can(cloud: Cloud, terminal: Terminal) -> None:
    before = len(cloud.shim.asked)
    words = ("deploy", "--dry-run", "--daily-budget", "25")
    code, out, err = terminal.run(*words, **NOBODY, AWS_REGION=None)
    assert (code, err) == (0, "")
    assert "template " in out
    assert re.search(r"^  DailyBudget +25$", out, re.MULTILINE)
    assert re.search(r"^  Vpc +\(is found in the account\)$", out, re.MULTILINE)
    assert out.endswith("the network and the quotas were not looked at.\n")
    assert len(cloud.shim.asked) == before


@pytest.mark.parametrize(
    ("region", "sentence"),
    [
        ("", "No region is named. Name one, such as --region us-east-1"),
        ("eu-centrl-1", "There is no region 'eu-centrl-1'. Name one of these with --region: eu-central-1, "),
    ],
)
def test_a_wrong_region_is_a_sentence(region: str, sentence: str, terminal: Terminal) -> None:
    words = ["--region", region] if region else []
    code, _, err = terminal.run("deploy", *words, AWS_REGION=None)
    assert code == 1
    assert err.startswith(f"visualneurons deploy: {sentence}")


def test_no_network_is_a_sentence(terminal: Terminal) -> None:
    code, _, err = terminal.run("deploy", AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1")
    assert code == 1
    assert err.startswith(f"visualneurons deploy: AWS does not answer in {REGION}: Could not connect to the endpoint")


def test_without_gpus_it_says_what_to_ask_for(cloud: Cloud, terminal: Terminal) -> None:
    cloud.shim.quota = 0.0
    code, _, err = terminal.run("deploy", "--max-gpus", "2", "--stack", "new")
    assert code == 1
    assert err.startswith(
        f"visualneurons deploy: Your account may use 0 virtual CPUs of machines with GPUs in {REGION}"
    )
    assert "and the smallest of g6.xlarge, g5.xlarge, g4dn.xlarge has 4. Ask for 8 " in err
    assert "(Running On-Demand G and VT instances, L-DB2E81BA) at https://us-east-1.console.aws.amazon.com/" in err


@pytest.mark.usefixtures("first")
def test_with_too_few_gpus_it_says_so_and_goes_on(cloud: Cloud, terminal: Terminal) -> None:
    for cores in (4, 0):  # a page that is there can be changed even where no studio may run any more
        cloud.shim.quota = float(cores)
        code, out, _ = terminal.run("deploy", "--dry-run", "--max-gpus", "3")
        assert code == 0
        said = (
            f"may use {cores} virtual CPUs of machines with GPUs in {REGION}; 3 studios at once need 12. Ask for them"
        )
        assert said in out


def test_a_region_without_such_machines_is_a_sentence(cloud: Cloud, terminal: Terminal) -> None:
    cloud.shim.offered = {}
    code, _, err = terminal.run("deploy")
    assert code == 1
    assert f"{REGION} has no machines of g6.xlarge, g5.xlarge, g4dn.xlarge. Choose another with --region" in err


def test_a_network_that_will_not_do_is_a_sentence(cloud: Cloud, terminal: Terminal) -> None:
    _, _, err = terminal.run("deploy", "--vpc", "vpc-0123456789abcdef0")
    assert "There is no network vpc-0123456789abcdef0 in us-east-1. Make one with 'aws ec2 create-default-vpc'" in err
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone="us-east-1b")
    _, _, err = terminal.run("deploy", "--vpc", vpc)
    assert f"Machines in the network {vpc} get no public names. Switch enableDnsHostnames on in it" in err
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    _, _, err = terminal.run("deploy", "--vpc", vpc)
    assert f"The network {vpc} has no public subnet in us-east-1a, us-east-1b, us-east-1c. Give it one" in err


def test_images_are_made_where_machines_get_public_addresses(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    (table,) = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)

    def subnet(number: int, zone: str) -> str:
        made = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.1.{number}.0/24", AvailabilityZone=zone)
        return str(made["Subnet"]["SubnetId"])

    quiet, other = subnet(0, "us-east-1b"), subnet(1, "us-east-1a")
    account = Account(boto3.Session("test", "test", region_name=REGION), ID, REGION)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", cloud.url)
        with pytest.raises(Trouble) as refused:
            network.found(account, vpc, TYPES)
        assert str(refused.value) == (
            f"No public subnet of the network {vpc} gives each machine a public address. Switch that on in one: "
            f"aws ec2 modify-subnet-attribute --subnet-id {quiet} --map-public-ip-on-launch --region {REGION}"
        )
        ec2.modify_subnet_attribute(SubnetId=other, MapPublicIpOnLaunch={"Value": True})
        assert network.found(account, vpc, TYPES).subnets == (other, quiet), "though us-east-1b has more types"
        better = subnet(2, "us-east-1b")
        ec2.modify_subnet_attribute(SubnetId=better, MapPublicIpOnLaunch={"Value": True})
        assert network.found(account, vpc, TYPES).subnets == (better, other)


def test_without_boto3_it_says_what_to_install(cloud: Cloud) -> None:
    script = "import sys; sys.modules['boto3'] = None; from visualneurons import main; sys.exit(main(sys.argv[1:]))"
    for command in ("deploy", "destroy", "studios"):
        done = subprocess.run(
            [sys.executable, "-c", script, command], env=cloud.environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (
            1,
            f"visualneurons {command}: This needs boto3, which is not installed. "
            "Install what the cloud needs: pip install 'visualneurons[cloud]'.\n",
        )


def test_ctrl_c_before_anything_has_changed(cloud: Cloud) -> None:
    with holding(cloud, "DescribeVpcs") as asked, cloud.start("deploy", "--stack", "third") as process:
        asked()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.strip() == "visualneurons deploy: Interrupted. Nothing was changed."


def test_ctrl_c_while_the_stack_is_made(cloud: Cloud, terminal: Terminal) -> None:
    here = threading.get_ident()
    with holding(cloud, "ExecuteChangeSet") as asked, ThreadPoolExecutor(1) as thread:

        def press() -> None:
            asked()
            signal.pthread_kill(here, signal.SIGINT)

        pressed = thread.submit(press)
        code, _, err = terminal.run("deploy", "--stack", "fourth", "--yes")
        pressed.result()
    assert code == 130
    sentence = "Interrupted. CloudFormation goes on by itself; run it again to see how it ends."
    assert err.strip() == f"visualneurons deploy: {sentence}"
    until = time.monotonic() + 60
    while status(cloud, "fourth") == "REVIEW_IN_PROGRESS":  # what was held up goes on its way only now
        assert time.monotonic() < until, "CloudFormation does not go on"
        time.sleep(0.02)
    code, out, _ = terminal.run("deploy", "--stack", "fourth", "--yes")
    assert code == 0
    assert "VisualNeurons is at https://" in out


@contextmanager
def holding(cloud: Cloud, operation: str) -> Iterator[Callable[[], None]]:
    """Within the block `operation` gets no answer; what is given returns as soon as it is asked for."""
    cloud.shim.held[operation] = release = threading.Event()
    yield asking(cloud, operation)
    del cloud.shim.held[operation]
    release.set()


def asking(cloud: Cloud, operation: str) -> Callable[[], None]:
    """What returns as soon as `operation` is asked for once more than by now."""
    before = cloud.shim.asked.count(operation)

    def asked() -> None:
        until = time.monotonic() + 120
        while cloud.shim.asked.count(operation) == before:
            assert time.monotonic() < until, f"{operation} was not asked for"
            time.sleep(0.02)

    return asked


def status(cloud: Cloud, stack: str) -> str:
    """What a stack is at."""
    (found,) = cloud.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return str(found["StackStatus"])


def handle(cloud: Cloud, stack: str) -> str:
    """Where a stack that waits is told how to go on."""
    return cloud.url + urlsplit(resources(cloud, stack)["Handle"]).path
