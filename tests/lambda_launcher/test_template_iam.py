"""What the template's roles may do and what not, asked of the very policies in it.

A launch is one request about many things: EC2 allows it only if each of them is allowed, with the facts that are known
of it. Which those are is written down below, from EC2's documentation; AWS itself is not asked here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest

from lambda_launcher.template import ROOT
from tests.lambda_launcher.iam import Facts, allows, listed
from tests.lambda_launcher.stack import ACCOUNT, REGION, STACK, Stack

PLACE = f"{REGION}:{ACCOUNT}"
TEMPLATE = f"arn:aws:ec2:{PLACE}:launch-template/StudioTemplate"
OTHER_TEMPLATE = f"arn:aws:ec2:{PLACE}:launch-template/lt-0evil"
INSTANCE = f"arn:aws:ec2:{PLACE}:instance/i-0abc"
STUDIOS = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Studios"
PAINTINGS = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/GalleryTable"
KEY = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:TicketKey-AbCdEf"
OURS = {"aws:ResourceTag/visualneurons": STACK}
STRANGERS: list[Facts] = [{}, {"aws:ResourceTag/visualneurons": "another"}, {"aws:ResourceTag/Name": STACK}]


@pytest.fixture(scope="module")
def stack() -> Stack:
    return Stack()


def policies(stack: Stack, role: str) -> list[dict[str, Any]]:
    return [each["PolicyDocument"] for each in stack.properties(role)["Policies"]]


@pytest.fixture(scope="module")
def launcher(stack: Stack) -> list[dict[str, Any]]:
    return policies(stack, "LauncherRole")


@pytest.fixture(scope="module")
def reaper(stack: Stack) -> list[dict[str, Any]]:
    return policies(stack, "ReaperRole")


@pytest.fixture(scope="module")
def studio(stack: Stack) -> list[dict[str, Any]]:
    return policies(stack, "StudioRole")


def launch(**changes: str | None) -> dict[str, dict[str, str]]:
    """What RunInstances is about, each with its facts: as the launcher asks for it, but for `changes`.

    A change that is None leaves the fact, or the thing, out.
    """
    said: dict[str, str | None] = {
        "template": TEMPLATE,
        "type": "g6.xlarge",
        "tokens": "required",
        "tag": STACK,
        "subnet": "subnet-0bbb",
        "group": "StudioDoor.GroupId",
        "encrypted": "true",
        "image": STACK,
        "place": PLACE,
        **changes,
    }
    place = said["place"]
    region = str(place).partition(":")[0]
    common = {"ec2:LaunchTemplate": said["template"]}
    tagged = {"aws:RequestTag/visualneurons": said["tag"]}
    things: dict[str, dict[str, str | None]] = {
        f"arn:aws:ec2:{region}::image/ami-0123456789abcdef0": {
            **common,
            "aws:ResourceTag/visualneurons": said["image"],
        },
        f"arn:aws:ec2:{place}:instance/*": {
            **common,
            **tagged,
            "ec2:InstanceType": said["type"],
            "ec2:MetadataHttpTokens": said["tokens"],
        },
        f"arn:aws:ec2:{place}:network-interface/*": {**common, **tagged},
        f"arn:aws:ec2:{place}:security-group/{said['group']}": common,
        f"arn:aws:ec2:{place}:subnet/{said['subnet']}": common,
        f"arn:aws:ec2:{place}:volume/*": {**common, **tagged, "ec2:Encrypted": said["encrypted"]},
    }
    if said["template"]:
        things[said["template"]] = common
    if key := said.get("key"):
        things[f"arn:aws:ec2:{place}:key-pair/{key}"] = common
    return {
        thing: {name: value for name, value in facts.items() if value is not None} for thing, facts in things.items()
    }


def may_launch(role: list[dict[str, Any]], **changes: str | None) -> bool:
    return all(allows(role, "ec2:RunInstances", thing, facts) for thing, facts in launch(**changes).items())


@pytest.mark.parametrize("kind", ["g6.xlarge", "g5.xlarge", "g4dn.xlarge"])
@pytest.mark.parametrize("subnet", ["subnet-0aaa", "subnet-0bbb"])
def test_the_launcher_may_launch_studios(launcher: list[dict[str, Any]], kind: str, subnet: str) -> None:
    assert may_launch(launcher, type=kind, subnet=subnet)


@pytest.mark.parametrize(
    "changes",
    [
        {"template": None},
        {"template": OTHER_TEMPLATE},
        {"type": "p5.48xlarge"},
        {"type": "g6.2xlarge"},
        {"type": None},
        {"tokens": "optional"},
        {"tokens": None},
        {"tag": None},
        {"tag": "another"},
        {"subnet": "subnet-0evil"},
        {"group": "sg-0open"},
        {"encrypted": "false"},
        {"image": None},
        {"image": "another"},
        {"key": "my-key"},
        {"place": f"us-west-2:{ACCOUNT}"},
        {"place": f"{REGION}:999999999999"},
    ],
    ids=str,
)
def test_the_launcher_may_launch_nothing_else(launcher: list[dict[str, Any]], changes: dict[str, str | None]) -> None:
    assert not may_launch(launcher, **changes)


def fleet(**changes: str | None) -> dict[str, dict[str, str]]:
    """What CreateFleet is about. Its documentation promises of the machine only the tags; more may be known of it."""
    return {f"arn:aws:ec2:{PLACE}:fleet/*": {}, **launch(**changes)}


def may_ask(role: list[dict[str, Any]], **changes: str | None) -> bool:
    return all(allows(role, "ec2:CreateFleet", thing, facts) for thing, facts in fleet(**changes).items())


def test_the_launcher_may_ask_for_a_fleet_of_studios_whatever_aws_knows_of_it_by_then(
    launcher: list[dict[str, Any]],
) -> None:
    assert may_ask(launcher)
    assert may_ask(launcher, type=None, tokens=None, encrypted=None)


@pytest.mark.parametrize(
    "changes",
    [
        {"template": OTHER_TEMPLATE},
        {"type": "p5.48xlarge"},
        {"tokens": "optional"},
        {"tag": "another"},
        {"subnet": "subnet-0evil"},
        {"group": "sg-0open"},
        {"key": "my-key"},
    ],
    ids=str,
)
def test_the_launcher_may_ask_for_no_other_fleet(launcher: list[dict[str, Any]], changes: dict[str, str]) -> None:
    assert not may_ask(launcher, **changes)


def test_tags_are_given_at_launch_and_never_later(launcher: list[dict[str, Any]]) -> None:
    tag = {"aws:RequestTag/visualneurons": STACK}
    for thing in ("instance", "volume", "network-interface"):
        arn = f"arn:aws:ec2:{PLACE}:{thing}/x-0"
        assert allows(launcher, "ec2:CreateTags", arn, {**tag, "ec2:CreateAction": "RunInstances"})
        assert not allows(launcher, "ec2:CreateTags", arn, tag), "what is not ours would become ours"
        assert not allows(launcher, "ec2:CreateTags", arn, {"ec2:CreateAction": "RunInstances"})
        assert not allows(launcher, "ec2:DeleteTags", arn, tag)


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("LauncherRole", {"StartInstances", "TerminateInstances"}),
        ("ReaperRole", {"StopInstances", "TerminateInstances"}),
        ("StudioRole", set()),
        ("ImageWorkshopRole", set()),
    ],
)
def test_machines_are_started_stopped_and_ended_only_if_they_are_ours(stack: Stack, role: str, may: set[str]) -> None:
    every = {"StartInstances", "StopInstances", "TerminateInstances", "RebootInstances", "ModifyInstanceAttribute"}
    asked = policies(stack, role)
    assert {each for each in every if allows(asked, f"ec2:{each}", INSTANCE, OURS)} == may
    for strange in STRANGERS:
        assert not [each for each in every if allows(asked, f"ec2:{each}", INSTANCE, strange)]


@pytest.mark.parametrize("role", ["ReaperRole", "StudioRole", "ImageWorkshopRole"])
def test_only_the_launcher_launches(stack: Stack, role: str) -> None:
    asked = policies(stack, role)
    for action in ("ec2:RunInstances", "ec2:CreateFleet", "iam:PassRole"):
        assert not [thing for thing, facts in fleet().items() if allows(asked, action, thing, facts)]


def test_the_studios_role_is_given_to_ec2_alone(launcher: list[dict[str, Any]]) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/StudioRole"
    to_ec2 = {"iam:PassedToService": "ec2.amazonaws.com"}
    assert allows(launcher, "iam:PassRole", role, to_ec2)
    assert not allows(launcher, "iam:PassRole", role, {"iam:PassedToService": "lambda.amazonaws.com"})
    assert not allows(launcher, "iam:PassRole", role)
    assert not allows(launcher, "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/Admin", to_ec2)


def test_the_key_of_tickets_is_read_by_who_signs_and_who_checks(stack: Stack) -> None:
    readers = [
        role
        for role in stack.of_type("AWS::IAM::Role")
        if allows(policies(stack, role), "secretsmanager:GetSecretValue", KEY)
    ]
    assert readers == ["LauncherRole", "StudioRole"]
    for role in stack.of_type("AWS::IAM::Role"):
        other = KEY.replace("TicketKey", "Another")
        assert not allows(policies(stack, role), "secretsmanager:GetSecretValue", other)
        assert not allows(policies(stack, role), "secretsmanager:PutSecretValue", KEY)


def test_a_studio_writes_of_itself_and_not_of_money(studio: list[dict[str, Any]]) -> None:
    for action in ("dynamodb:GetItem", "dynamodb:UpdateItem"):
        assert allows(studio, action, STUDIOS, {"dynamodb:LeadingKeys": ["studio#abc"]})
        for key in ("ledger#2026-11-21", "key#abc", "studios", "pool#g6.xlarge#subnet-0aaa", "boots#g6.xlarge"):
            assert not allows(studio, action, STUDIOS, {"dynamodb:LeadingKeys": [key]})
            assert not allows(studio, action, STUDIOS, {"dynamodb:LeadingKeys": ["studio#abc", key]})
        assert not allows(studio, action, STUDIOS)
    for action in ("dynamodb:Scan", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:DeleteTable"):
        assert not allows(studio, action, STUDIOS, {"dynamodb:LeadingKeys": ["studio#abc"]})


# What the gallery asks of boto3, and what IAM calls it.
GALLERY_CALLS = {
    "_dynamodb.get_item": {"dynamodb:GetItem"},
    "_dynamodb.transact_write_items": {
        "dynamodb:DeleteItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
    },
    "_dynamodb.update_item": {"dynamodb:UpdateItem"},
    "_s3.delete_objects": {"s3:DeleteObject"},
    "_s3.get_object": {"s3:GetObject"},
    "_s3.head_bucket": {"s3:ListBucket"},
    "_s3.put_object": {"s3:PutObject"},
    "query": {"dynamodb:Query"},
    "scan": {"dynamodb:Scan"},
    "list_objects_v2": {"s3:ListBucket"},
}


def test_a_studio_may_do_with_the_gallery_what_the_gallery_does(studio: list[dict[str, Any]]) -> None:
    modules = [ROOT / "gallery" / f"{name}.py" for name in ("cloud", "items", "objects")]
    source = "".join(module.read_text(encoding="utf-8") for module in modules)
    calls = set(re.findall(r"self\.(_(?:s3|dynamodb)\.(?!close|get_paginator)\w+)\(", source))
    calls |= set(re.findall(r'"(query|scan|list_objects_v2)"', source))
    assert calls == GALLERY_CALLS.keys()
    places = {"dynamodb": PAINTINGS, "s3": "arn:aws:s3:::Gallery/gallery/abc/0/picture"}
    for action in set().union(*GALLERY_CALLS.values()):
        place = "arn:aws:s3:::Gallery" if action == "s3:ListBucket" else places[action.partition(":")[0]]
        assert allows(studio, action, place), action
        elsewhere = place.replace("Gallery", "Another")
        assert not allows(studio, action, elsewhere), action
    assert allows(studio, "dynamodb:Query", f"{PAINTINGS}/index/unfinished")
    assert not allows(studio, "s3:PutObject", "arn:aws:s3:::Gallery/index.html")
    assert not allows(studio, "s3:PutObject", "arn:aws:s3:::Site/index.html")
    assert not allows(studio, "s3:DeleteBucket", "arn:aws:s3:::Gallery")


# What the Lambdas' code asks of boto3, by module and function, and what IAM calls it.
LAMBDA_CALLS = {
    "ec2.launch": {"ec2:CreateFleet"},
    "ec2.start": {"ec2:StartInstances"},
    "ec2.stop": {"ec2:StopInstances"},
    "ec2.end": {"ec2:TerminateInstances"},
    "ec2.instances": {"ec2:DescribeInstances"},
    "handlers._ticket_key": {"secretsmanager:GetSecretValue"},
    "paintings.find": {"dynamodb:GetItem"},
    "paintings._deleted": {"dynamodb:DeleteItem", "dynamodb:UpdateItem"},
    "paintings._delete_files": {"s3:DeleteObject"},
    "table.read": {"dynamodb:BatchGetItem"},
    "table.write": {"dynamodb:PutItem"},  # it puts, and nothing else
}
LOGGING = {"logs:CreateLogStream", "logs:PutLogEvents"}
FOR_A_LAUNCH = {
    "ec2:CreateTags",
    "ec2:RunInstances",
    "iam:PassRole",
    "ssm:GetParameters",  # EC2 finds the image for whoever launches
}


def granted(role: list[dict[str, Any]]) -> set[str]:
    """All that a role may do, wherever."""
    return {action for policy in role for each in policy["Statement"] for action in listed(each["Action"])}


def asking() -> Iterator[tuple[str, str]]:
    """The functions of the Lambdas' code that ask AWS for something, each with its source."""
    for path in sorted((ROOT / "lambda_launcher").glob("*.py")):
        source = path.read_text(encoding="utf-8")
        for each in ast.walk(ast.parse(source)):
            if isinstance(each, ast.FunctionDef):
                text = ast.get_source_segment(source, each) or ""
                if re.search(r'_client(\("\w+"\))?\.\w+\(', text):
                    yield f"{path.stem}.{each.name}", text


def test_every_call_of_the_lambdas_is_known() -> None:
    assert {name for name, _ in asking()} == LAMBDA_CALLS.keys()
    for name, text in asking():
        called = re.findall(r'_client(?:\("\w+"\))?\.(?!get_paginator)(\w+)\(', text)
        called += re.findall(r'get_paginator\("(\w+)"\)', text)
        (operation,) = called
        if operation == "transact_write_items":
            parts = set(re.findall(r'\{"(Put|Delete|Update|ConditionCheck)":', text))
            assert {f"dynamodb:{part}Item" for part in parts} == LAMBDA_CALLS[name]
        else:
            action = operation.replace("delete_objects", "delete_object").title().replace("_", "")
            assert {each.partition(":")[2] for each in LAMBDA_CALLS[name]} == {action}


def asks(module: str) -> set[str]:
    """What a module asks of the fleet."""
    source = (ROOT / "lambda_launcher" / f"{module}.py").read_text(encoding="utf-8")
    return {f"ec2.{call}" for call in re.findall(r"_fleet\.(\w+)\(", source)}


def test_each_of_the_lambdas_may_do_what_its_code_does(
    launcher: list[dict[str, Any]], reaper: list[dict[str, Any]]
) -> None:
    beside_the_fleet = {name for name in LAMBDA_CALLS if not name.startswith("ec2.")}
    launchers = asks("launcher") | beside_the_fleet
    reapers = asks("reaper") | {"table.read", "table.write"}
    assert launchers | reapers == LAMBDA_CALLS.keys()
    for role, calls, more in ((launcher, launchers, FOR_A_LAUNCH | LOGGING), (reaper, reapers, LOGGING)):
        assert granted(role) == set().union(*(LAMBDA_CALLS[each] for each in calls)) | more
    for role in (launcher, reaper):
        assert allows(role, "dynamodb:PutItem", STUDIOS)
        assert not allows(role, "dynamodb:PutItem", PAINTINGS)
        assert not allows(role, "dynamodb:DeleteTable", STUDIOS)
    picture = "arn:aws:s3:::Gallery/gallery/GalleryTable/abc/0/picture"
    for action, thing in (
        ("dynamodb:GetItem", PAINTINGS),
        ("dynamodb:DeleteItem", PAINTINGS),
        ("dynamodb:UpdateItem", PAINTINGS),
        ("s3:DeleteObject", picture),
    ):
        assert allows(launcher, action, thing)
        assert not allows(reaper, action, thing)
        assert not allows(launcher, action, thing.replace("GalleryTable", "Studios").replace("Gallery/", "Site/"))
    assert not allows(launcher, "s3:GetObject", picture)
    assert allows(launcher, "ssm:GetParameters", f"arn:aws:ssm:{PLACE}:parameter/imagebuilder/{STACK}/image")
    assert not allows(launcher, "ssm:GetParameters", f"arn:aws:ssm:{PLACE}:parameter/imagebuilder/another/image")


def test_no_role_may_do_all_of_anything(stack: Stack) -> None:
    for role in stack.of_type("AWS::IAM::Role"):
        for policy in policies(stack, role):
            for statement in policy["Statement"]:
                assert statement["Effect"] == "Allow"
                actions = listed(statement["Action"])
                assert not [action for action in actions if "*" in action], role
                if "*" in listed(statement["Resource"]):
                    assert actions == ["ec2:DescribeInstances"], role


def test_each_role_is_taken_by_its_service_alone(stack: Stack) -> None:
    takers = {}
    for role in stack.of_type("AWS::IAM::Role"):
        (statement,) = stack.properties(role)["AssumeRolePolicyDocument"]["Statement"]
        takers[role] = statement["Principal"]
    assert takers == {
        "LauncherRole": {"Service": "lambda.amazonaws.com"},
        "ReaperRole": {"Service": "lambda.amazonaws.com"},
        "StudioRole": {"Service": "ec2.amazonaws.com"},
        "ImageWorkshopRole": {"Service": "ec2.amazonaws.com"},
    }


@pytest.mark.parametrize(
    ("action", "resource", "facts", "allowed"),
    [
        ("s3:GetObject", "arn:aws:s3:::b/a", {"k": "v"}, True),
        ("S3:getobject", "arn:aws:s3:::b/a", {"K": "v"}, True),
        ("s3:GetObject", "arn:aws:s3:::b/a", {"k": "w"}, False),
        ("s3:GetObject", "arn:aws:s3:::b/a", {}, False),
        ("s3:GetObject", "arn:aws:s3:::c/a", {"k": "v"}, False),
        ("s3:PutObject", "arn:aws:s3:::b/a", {"k": "v"}, False),
        ("s3:GetObject", "arn:aws:s3:::b/secret", {"k": "v"}, False),
    ],
)
def test_the_evaluator_goes_by_iams_rules(action: str, resource: str, facts: Facts, allowed: bool) -> None:
    allow = {
        "Effect": "Allow",
        "Action": ["s3:Get*"],
        "Resource": "arn:aws:s3:::b/*",
        "Condition": {"StringEquals": {"k": ["v", "u"]}},
    }
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": "*/secret"}
    assert allows([{"Statement": [allow, deny]}], action, resource, facts) is allowed
