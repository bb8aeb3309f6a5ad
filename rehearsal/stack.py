"""The stack: the real template, deployed to the emulated cloud."""

from __future__ import annotations

import base64
import json
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lambda_launcher.bundle import bundle
from lambda_launcher.deploy.account import Account
from lambda_launcher.deploy.artifacts import Artifacts
from lambda_launcher.deploy.network import EDGE, Network
from lambda_launcher.deploy.site import pages, upload
from lambda_launcher.deploy.stack import Stack as Formation
from lambda_launcher.template import rendered
from rehearsal.cloud import ACCOUNT, REGION, Cloud
from rehearsal.errors import NoRehearsal

NAME = "rehearsal"
TEMPLATE, ZIP = "template.yaml", "launcher.zip"

NOT_EMULATED = (
    "ImagePipeline",
    "ImageRecipe",
    "InstallComponent",
    "SmokeComponent",
    "ImageWorkshop",
    "ImageDistribution",
)
"""What of the template the emulator lacks: EC2 Image Builder. Of its machine images it only knows the names, anyway."""
UNBOUNDED = ("Deadline", "IdleStop")
"""Parameters whose least value does not count: nobody wants to watch for an hour how a studio ends."""
OTHERWISE = {"ExcludePunctuation: true": f"ExcludeCharacters: {json.dumps(string.punctuation)}"}
"""What the emulator knows by another name alone."""


@dataclass(frozen=True)
class Stack:
    """What was deployed."""

    user_data: str  # that the launch template gives each machine
    table: str
    site: str
    gallery: str
    api: str  # the address of the HTTP API
    domain: str  # that CloudFront has given
    key: str  # that signs tickets
    reaper: str  # the Lambda's name


def emulated(template: str) -> str:
    """The template without what the emulator lacks, in words that it knows."""
    lines: list[str] = []
    leaving_out, entry = False, ""
    for line in template.splitlines():
        if found := re.match(r"  (\w+):", line):
            entry = found[1]
            leaving_out = entry in NOT_EMULATED
        elif re.match(r"\S", line):
            leaving_out = False
        if not leaving_out and not (entry in UNBOUNDED and line.startswith("    MinValue:")):
            lines.append(line)
    text = "\n".join([*lines, ""])
    for known, other in OTHERWISE.items():
        text = text.replace(known, other)
    return text


def deploy(cloud: Cloud, folder: Path, parameters: Mapping[str, str]) -> Stack:
    """Deploy it as ``visualneurons deploy`` does, with these parameters where they are not as the template has them."""
    account = Account(cloud, ACCOUNT, REGION)
    artifacts = Artifacts(account, NAME)
    artifacts.make()
    artifacts.put(TEMPLATE, emulated(rendered()).encode())
    artifacts.put(ZIP, bundle(folder / ZIP, local=True).read_bytes())
    stack = Formation(account, NAME)
    installed = {"Artifacts": artifacts.name, "LauncherZip": ZIP, "ImageFiles": "none", "ImageVersion": "1.0.0"}
    proposal = stack.propose(f"{cloud.url}/{artifacts.name}/{TEMPLATE}", {**_network(cloud), **installed, **parameters})
    if proposal is None:
        raise NoRehearsal("The emulator has a stack already. Rehearse with an emulator that nobody else uses.")
    stack.carry_out(proposal, lambda said: None)
    listed = cloud.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=NAME)
    made = {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for page in listed
        for each in page["StackResourceSummaries"]
    }
    upload(cloud.client("s3"), made["Site"], pages(int(stack.parameters()["GalleryDays"])))
    secret = cloud.client("secretsmanager").get_secret_value(SecretId=made["TicketKey"])["SecretString"]
    distribution = cloud.client("cloudfront").get_distribution(Id=made["Distribution"])["Distribution"]
    return Stack(
        user_data=_user_data(cloud, made["StudioTemplate"]),
        table=made["Studios"],
        site=made["Site"],
        gallery=made["Gallery"],
        api=f"{cloud.url}/_aws/execute-api/{made['Api']}/$default",
        domain=distribution["DomainName"],
        key=secret,
        reaper=made["Reaper"],
    )


def _network(cloud: Cloud) -> dict[str, str]:
    """The network that every account has, and the edge's addresses."""
    ec2 = cloud.client("ec2")
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]
    (edge,) = ec2.describe_managed_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [EDGE]}])["PrefixLists"]
    return Network(vpc["VpcId"], tuple(each["SubnetId"] for each in subnets), edge["PrefixListId"]).parameters


def _user_data(cloud: Cloud, template: str) -> str:
    described = cloud.client("ec2").describe_launch_template_versions(LaunchTemplateId=template, Versions=["$Latest"])
    data = described["LaunchTemplateVersions"][0]["LaunchTemplateData"]["UserData"]
    return base64.b64decode(data).decode()
