"""The template: that CloudFormation would take it, is within AWS's limits, and says what the code says."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cfnlint.api import ManualArgs, lint
from tornado.testing import AsyncHTTPTestCase
from tornado.web import Application

from gallery.table import TABLE
from lambda_launcher.settings import Settings
from lambda_launcher.template import ROOT, rendered
from server.headers import SafeHandler
from tests.lambda_launcher.stack import GIVEN, REGION, STACK, Stack

OWN = {"Domain": "paint.example.com", "Certificate": "arn:aws:acm:us-east-1:111122223333:certificate/0-1", "Zone": "Z1"}
REGIONS = ["us-east-1", "eu-central-1"]


@pytest.fixture(scope="module")
def stack() -> Stack:
    return Stack()


@pytest.fixture(scope="module", params=[{}, {**OWN, "Email": "me@example.com"}], ids=["bare", "whole"])
def either(request: pytest.FixtureRequest) -> Stack:
    return Stack(**request.param)


@pytest.mark.slow
def test_cfn_lint_finds_nothing() -> None:
    found = lint(rendered(), config=ManualArgs(regions=REGIONS, include_checks=["I"], ignore_checks=["I3042"]))
    assert [f"{each.rule.id} line {each.linenumber}: {each.message}" for each in found] == []


def test_what_it_includes_is_put_in(stack: Stack) -> None:
    resources = stack.template["Resources"]
    assert "!Include" not in rendered()
    route = resources["Route"]["Properties"]["FunctionCode"]["Fn::Sub"]
    assert route == (ROOT / "lambda_launcher" / "edge" / "route.js").read_text(encoding="utf-8")


def test_it_uses_no_aliases_which_cloudformation_does_not_know() -> None:
    text = (ROOT / "lambda_launcher" / "template.yaml").read_text(encoding="utf-8")
    assert not re.findall(r"[:\-\[,] [&*][A-Za-z]\w*", text)


def test_it_is_within_the_limits_of_aws(either: Stack) -> None:
    assert len(rendered().encode()) <= 2**20
    assert len(either.template["Resources"]) <= 500
    assert len(either.template["Parameters"]) <= 200
    assert len(either.properties("Route")["FunctionCode"].encode()) + 64 <= 10 * 1024
    user_data = either.properties("StudioTemplate")["LaunchTemplateData"]["UserData"]
    assert len(user_data.encode()) <= 16 * 1024
    for role in either.of_type("AWS::IAM::Role"):
        policies = [each["PolicyDocument"] for each in either.properties(role)["Policies"]]
        assert sum(len(re.sub(r"\s", "", json.dumps(each))) for each in policies) <= 10240, role
    for component in either.of_type("AWS::ImageBuilder::Component"):
        assert len(either.properties(component)["Data"]) <= 16000, component
    headers = either.properties("ApiRequests")["OriginRequestPolicyConfig"]["HeadersConfig"]["Headers"]
    assert len(headers) <= 10
    for bucket_policy in either.of_type("AWS::S3::BucketPolicy"):
        assert len(json.dumps(either.properties(bucket_policy)["PolicyDocument"])) <= 20 * 1024


def test_the_edge_says_of_safety_what_the_studio_says(stack: Stack) -> None:
    said = {}

    class Asking(AsyncHTTPTestCase):
        def get_app(self) -> Application:
            return Application([("/", SafeHandler)])

        def runTest(self) -> None:  # noqa: N802
            said.update(self.fetch("/").headers)

    outcome = Asking().run()
    assert outcome
    assert outcome.wasSuccessful()
    config = stack.properties("SafeHeaders")["ResponseHeadersPolicyConfig"]
    security = config["SecurityHeadersConfig"]
    edge = {
        "Content-Security-Policy": security["ContentSecurityPolicy"]["ContentSecurityPolicy"],
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
        "X-Content-Type-Options": "nosniff" if security["ContentTypeOptions"] else "",
        **{each["Header"]: each["Value"] for each in config["CustomHeadersConfig"]["Items"]},
    }
    assert edge == {name: said[name] for name in said if name in edge or name.endswith("-Policy")}
    assert {each["Header"] for each in config["RemoveHeadersConfig"]["Items"]} == {"Server"}
    assert "Server" not in said
    assert all(each["Override"] for each in [*security.values(), *config["CustomHeadersConfig"]["Items"]])


def test_each_path_goes_where_the_design_says(either: Stack) -> None:
    config = either.properties("Distribution")["DistributionConfig"]
    assert config["DefaultCacheBehavior"]["TargetOriginId"] == "site"
    ways = {each["PathPattern"]: each for each in config["CacheBehaviors"]}
    assert {path: way["TargetOriginId"] for path, way in ways.items()} == {
        "/api/*": "launcher",
        "/gallery/*": "gallery",
        "/ws/*": "studio",
    }
    with_function = {path for path, way in ways.items() if "FunctionAssociations" in way}
    assert with_function == {"/api/*", "/ws/*"}
    for way in [config["DefaultCacheBehavior"], *ways.values()]:
        assert way["ViewerProtocolPolicy"] in {"redirect-to-https", "https-only"}
    origins = {each["Id"]: each for each in config["Origins"]}
    for kept in ("site", "gallery"):
        assert origins[kept]["OriginAccessControlId"] == "SiteAccess"
    assert origins["launcher"]["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    assert origins["studio"]["CustomOriginConfig"]["HTTPPort"] == 8000
    assert origins["studio"]["DomainName"].endswith(".invalid"), "without the function it leads nowhere"


def test_no_error_is_kept_at_the_edge(either: Stack) -> None:
    config = either.properties("Distribution")["DistributionConfig"]
    kept = {each["ErrorCode"]: each["ErrorCachingMinTTL"] for each in config["CustomErrorResponses"]}
    assert kept == dict.fromkeys([400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504], 0), "all that can be named"
    assert all(each.keys() == {"ErrorCode", "ErrorCachingMinTTL"} for each in config["CustomErrorResponses"])


def test_a_stack_may_have_the_same_name_in_two_regions() -> None:
    here, there = Stack(Email="me@example.com"), Stack(Email="me@example.com")
    here.pseudo |= {"AWS::StackName": "a" * 24, "AWS::Region": "ap-southeast-1"}
    there.pseudo |= {"AWS::StackName": "a" * 24, "AWS::Region": "ap-southeast-2"}
    for resource in ("SiteAccess", "SafeHeaders", "ApiCaching", "ApiRequests", "Route", "Budget"):
        (one,), (other,) = (_names(stack.properties(resource)) for stack in (here, there))
        assert one != other, resource
        assert re.fullmatch(r"[a-z0-9-]{1,64}", one), resource


def _names(made: Any) -> list[str]:
    """The name that a resource is given, wherever in its properties that stands."""
    inner = [made, *(each for each in made.values() if isinstance(each, dict))]
    return [each[key] for each in inner for key in ("Name", "BudgetName") if key in each]


def test_a_domain_is_used_where_there_is_one() -> None:
    assert "Aliases" not in Stack().properties("Distribution")["DistributionConfig"]
    own = Stack(**OWN)
    config = own.properties("Distribution")["DistributionConfig"]
    assert config["Aliases"] == ["paint.example.com"]
    assert config["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert 'DOMAIN = "paint.example.com"' in own.properties("Route")["FunctionCode"]
    assert "\nEDGE=paint.example.com\n" in own.properties("StudioTemplate")["LaunchTemplateData"]["UserData"]
    assert own.holds("HasZone")


def test_buckets_are_private_encrypted_and_by_tls_only(stack: Stack) -> None:
    buckets = stack.of_type("AWS::S3::Bucket")
    assert sorted(buckets) == ["Gallery", "Site"]
    for bucket in buckets:
        made = stack.properties(bucket)
        assert set(made["PublicAccessBlockConfiguration"].values()) == {True}
        assert made["BucketEncryption"]
        policy = stack.properties(f"{bucket}Policy")["PolicyDocument"]["Statement"]
        (denied,) = (each for each in policy if each["Effect"] == "Deny")
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert denied["Resource"] == [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
        (allowed,) = (each for each in policy if each["Effect"] == "Allow")
        assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
        assert allowed["Condition"]["StringEquals"]["aws:SourceArn"].endswith(":distribution/Distribution")


def test_the_gallerys_table_is_the_one_that_the_gallery_is_written_for(stack: Stack) -> None:
    made = stack.properties("GalleryTable")
    del made["Tags"]
    assert made == TABLE


def test_the_studios_table_has_one_key_and_forgets(stack: Stack) -> None:
    made = stack.properties("Studios")
    assert made["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert made["AttributeDefinitions"] == [{"AttributeName": "pk", "AttributeType": "S"}]
    assert made["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert made["BillingMode"] == "PAY_PER_REQUEST"


@pytest.mark.parametrize("function", ["Launcher", "Reaper"])
def test_the_lambdas_are_set_as_they_read_it(stack: Stack, function: str) -> None:
    made = stack.properties(function)
    settings = Settings.from_environment(made["Environment"]["Variables"])
    settings.check()
    assert settings.types == ("g6.xlarge", "g5.xlarge", "g4dn.xlarge")
    assert settings.subnets == tuple(GIVEN["Subnets"].split(","))
    assert settings.stack == STACK
    assert settings.deadline == 3600
    assert made["Architectures"] == ["arm64"]
    log = stack.template["Resources"][function]["DependsOn"]
    assert stack.properties(log)["LogGroupName"] == f"/aws/lambda/{made['FunctionName']}"


def test_the_reaper_runs_every_minute_and_is_done_before_the_next(stack: Stack) -> None:
    rule = stack.properties("EveryMinute")
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert [each["Arn"] for each in rule["Targets"]] == ["Reaper.Arn"]
    assert stack.properties("Reaper")["Timeout"] < 60
    assert stack.properties("ScheduleMayCall")["SourceArn"] == "EveryMinute.Arn"
    once = stack.properties("ReaperOnce")
    assert (once["FunctionName"], once["Qualifier"], once["MaximumRetryAttempts"]) == ("Reaper", "$LATEST", 0)


def test_a_studio_ends_when_it_is_powered_off_and_is_told_as_little_as_can_be(stack: Stack) -> None:
    data = stack.properties("StudioTemplate")["LaunchTemplateData"]
    assert data["InstanceInitiatedShutdownBehavior"] == "terminate"
    assert data["MetadataOptions"] == {
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 1,
        "InstanceMetadataTags": "enabled",
    }
    (disk,) = data["BlockDeviceMappings"]
    assert disk["Ebs"]["Encrypted"] is True
    assert disk["Ebs"]["VolumeType"] == "gp3"
    assert disk["Ebs"]["VolumeInitializationRate"] == 100, "the least that EBS promises, and so the cheapest"
    assert "ImageId" not in data, "it is made before there is an image"
    assert "KeyName" not in data
    longest = stack.template["Parameters"]["Deadline"]["MaxValue"]
    assert f"-le {longest} ]" in (ROOT / "ami" / "deadline.sh").read_text(encoding="utf-8")
    for tagged in data["TagSpecifications"]:
        assert {"Key": "visualneurons", "Value": STACK} in tagged["Tags"]


def test_a_studio_is_entered_by_the_edge_alone(stack: Stack) -> None:
    (entrance,) = stack.properties("StudioDoor")["SecurityGroupIngress"]
    del entrance["Description"]
    assert entrance == {
        "IpProtocol": "tcp",
        "FromPort": 8000,
        "ToPort": 8000,
        "SourcePrefixListId": GIVEN["EdgePrefixList"],
    }
    assert [each["FromPort"] for each in stack.properties("StudioDoor")["SecurityGroupEgress"]] == [443]
    assert "SecurityGroupIngress" not in stack.properties("ImageWorkshopDoor")


def test_the_rule_of_the_original_is_one_setting() -> None:
    stack = Stack(IdleStop="0")
    for name in ("Launcher", "Reaper"):
        told = stack.properties(name)["Environment"]["Variables"]
        assert (str(told["DEADLINE"]), told["IDLE_STOP"]) == ("420", "0")
    script = stack.properties("StudioTemplate")["LaunchTemplateData"]["UserData"]
    assert "\nDEADLINE=420\nIDLE_STOP=0\n" in script


def test_the_user_data_says_what_a_studio_needs(either: Stack, tmp_path: Path) -> None:
    script = either.properties("StudioTemplate")["LaunchTemplateData"]["UserData"]
    assert "${" not in script
    for _ in range(2):
        environment = os.environ | {"VISUALNEURONS_ROOT": str(tmp_path)}
        subprocess.run(["sh", "-c", script], env=environment, check=True, timeout=60)
    (written,) = (tmp_path / "etc" / "visualneurons").iterdir()
    told = dict(line.split("=", 1) for line in written.read_text(encoding="utf-8").splitlines())
    assert told["STACK"] == STACK
    assert told["AWS_DEFAULT_REGION"] == REGION
    assert (told["DEADLINE"], told["IDLE_STOP"]) == ("3600", "180")
    assert (told["GALLERY_DAYS"], told["GALLERY_GIGABYTES"]) == ("30", "1000")
    assert told["TABLE"] == "Studios"
    assert told["TICKET_KEY"].startswith("arn:aws:secretsmanager:")
    assert told["EDGE"] == (either.parameters["Domain"] or "Distribution.DomainName")
    place = urlsplit(told["GALLERY"])
    assert (place.scheme, place.netloc, place.path) == ("s3", "Gallery", "/gallery")
    assert parse_qs(place.query) == {"table": ["GalleryTable"]}


def test_everything_that_can_be_tagged_is_ours_by_its_tag(stack: Stack) -> None:
    untagged = []
    for name, each in stack.template["Resources"].items():
        tags: Any = stack.value(each.get("Properties", {}).get("Tags"))
        taken = tags if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags or []}
        if taken.get("visualneurons") != STACK:
            untagged.append(each["Type"])
            assert tags is None, name
    assert set(untagged) <= {
        "AWS::ApiGatewayV2::Integration",
        "AWS::ApiGatewayV2::Route",
        "AWS::Budgets::Budget",
        "AWS::CloudFront::CachePolicy",
        "AWS::CloudFront::Function",
        "AWS::CloudFront::OriginAccessControl",
        "AWS::CloudFront::OriginRequestPolicy",
        "AWS::CloudFront::ResponseHeadersPolicy",
        "AWS::CloudWatch::Alarm",
        "AWS::EC2::LaunchTemplate",
        "AWS::Events::Rule",
        "AWS::IAM::InstanceProfile",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",
        "AWS::Logs::MetricFilter",
        "AWS::Route53::RecordSetGroup",
        "AWS::S3::BucketPolicy",
    }


def test_nothing_is_left_when_the_stack_is_gone(stack: Stack) -> None:
    for name, each in stack.template["Resources"].items():
        assert each.get("DeletionPolicy", "Delete") == "Delete", name


def test_the_image_is_made_from_what_the_folder_holds(stack: Stack) -> None:
    install = stack.properties("InstallComponent")["Data"]
    assert install == (ROOT / "ami" / "image_builder" / "install.yaml").read_text(encoding="utf-8")
    recipe = stack.properties("ImageRecipe")
    assert [each["ComponentArn"] for each in recipe["Components"]] == ["InstallComponent", "SmokeComponent"]
    assert recipe["Components"][0]["Parameters"] == [{"Name": "Source", "Value": ["s3://artifacts-of-paint/image/1/*"]}]
    base = recipe["ParentImage"].removeprefix("ssm:/aws/service/deeplearning/ami/x86_64/base-")
    assert base.startswith("oss-nvidia-driver-gpu-ubuntu-")
    (distributed,) = stack.properties("ImageDistribution")["Distributions"]
    assert distributed["SsmParameterConfigurations"][0]["ParameterName"] == f"/imagebuilder/{STACK}/image"
    disk = stack.properties("StudioTemplate")["LaunchTemplateData"]["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"]
    assert disk >= recipe["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"]


def test_an_alarm_counts_what_the_launcher_says_in_its_log(stack: Stack) -> None:
    alarm = stack.properties("LauncherFails")
    patterns = []
    for name in stack.of_type("AWS::Logs::MetricFilter"):
        made = stack.properties(name)
        assert made["LogGroupName"] == "LauncherLog"
        (counted,) = made["MetricTransformations"]
        assert (counted["MetricNamespace"], counted["MetricName"]) == (alarm["Namespace"], alarm["MetricName"])
        assert counted["MetricValue"] == "1"
        patterns.append(made["FilterPattern"])
    # test_handlers.py has the launcher write such lines. The others are Lambda's own.
    assert patterns == ['{ $.level = "ERROR" }', '?"Task timed out" ?"Runtime exited" ?"[ERROR]"']
    assert (alarm["Statistic"], alarm["Period"], alarm["Threshold"]) == ("Sum", 300, 3)


def test_a_person_is_told_when_the_reaper_fails_or_sleeps() -> None:
    quiet, told = Stack(), Stack(Email="me@example.com")
    for alarm in ("ReaperFails", "ReaperSleeps", "LauncherFails"):
        assert "AlarmActions" not in quiet.properties(alarm)
        assert told.properties(alarm)["AlarmActions"] == ["Alarms"]
    assert told.properties("ReaperSleeps")["TreatMissingData"] == "breaching"
    budget = told.properties("Budget")["Budget"]
    assert (budget["TimeUnit"], budget["BudgetLimit"]) == ("DAILY", {"Amount": "10", "Unit": "USD"})
