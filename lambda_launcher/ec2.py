"""The fleet in EC2: machines made from our launch template, and known by our tags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambda_launcher.fleet import Instance, Pool, Refused, Unclear
from lambda_launcher.settings import Settings

OURS, STUDIO = "visualneurons", "studio"
"""The tags: the stack's name, and the studio's id."""

_NONE_THERE = {
    "InsufficientInstanceCapacity",
    "InsufficientHostCapacity",
    "InsufficientFreeAddressesInSubnet",
    "InsufficientCapacity",
    "MaxSpotInstanceCountExceeded",
    "Unsupported",
    "VcpuLimitExceeded",
}
_DONE_ALREADY = {"InvalidInstanceID.NotFound", "IncorrectInstanceState", "IncorrectState"}


class Ec2Fleet:
    """Machines in EC2."""

    def __init__(self, client: Any, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def launch(self, studio: str, pools: Sequence[Pool]) -> tuple[Instance, Sequence[Pool]]:
        types = self._settings.types
        overrides = [
            {"InstanceType": kind, "SubnetId": subnet, "Priority": float(types.index(kind))} for kind, subnet in pools
        ]
        template = {"LaunchTemplateId": self._settings.launch_template, "Version": "$Default"}
        tags = [{"Key": OURS, "Value": self._settings.stack}, {"Key": STUDIO, "Value": studio}]
        with _telling(pools):
            answer = self._client.create_fleet(
                Type="instant",
                ClientToken=studio,  # a request that is sent again starts nothing again
                LaunchTemplateConfigs=[{"LaunchTemplateSpecification": template, "Overrides": overrides}],
                OnDemandOptions={"AllocationStrategy": "prioritized"},
                TargetCapacitySpecification={"TotalTargetCapacity": 1, "DefaultTargetCapacityType": "on-demand"},
                TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
            )
        errors = answer.get("Errors", [])
        refused = [_pool(error["LaunchTemplateAndOverrides"]["Overrides"]) for error in errors]
        for given in answer.get("Instances", []):
            kind, subnet = _pool(given["LaunchTemplateAndOverrides"]["Overrides"])
            return Instance(given["InstanceIds"][0], studio, kind, subnet, "pending"), refused
        codes = {error["ErrorCode"] for error in errors}
        raise Refused(", ".join(sorted(codes)) or "no reason given", pools if codes <= _NONE_THERE else ())

    def start(self, instance: str, pool: Pool) -> None:
        with _telling([pool]):
            self._client.start_instances(InstanceIds=[instance])

    def stop(self, instance: str) -> None:
        with _let_be():
            self._client.stop_instances(InstanceIds=[instance])

    def end(self, instance: str) -> None:
        with _let_be():
            self._client.terminate_instances(InstanceIds=[instance])

    def instances(self) -> Sequence[Instance]:
        ours = [{"Name": f"tag:{OURS}", "Values": [self._settings.stack]}]
        pages = self._client.get_paginator("describe_instances").paginate(Filters=ours)
        return [
            _instance(each)
            for page in pages
            for reservation in page["Reservations"]
            for each in reservation["Instances"]
        ]


def _pool(overrides: dict[str, Any]) -> Pool:
    return overrides["InstanceType"], overrides["SubnetId"]


def _instance(described: dict[str, Any]) -> Instance:
    tags = {tag["Key"]: tag["Value"] for tag in described.get("Tags", [])}
    return Instance(
        id=described["InstanceId"],
        studio=tags.get(STUDIO, ""),
        type=described["InstanceType"],
        subnet=described.get("SubnetId", ""),  # what has ended has none
        power=described["State"]["Name"],
    )


@contextmanager
def _telling(pools: Sequence[Pool]) -> Iterator[None]:
    """Tell what was refused from what is unclear."""
    try:
        yield
    except ClientError as error:
        code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        if code in _NONE_THERE:  # which EC2 answers with a status of 500
            raise Refused(code, pools) from error
        if status >= 500 or code == "IdempotentParameterMismatch":
            raise Unclear(code) from error
        raise Refused(code) from error
    except BotoCoreError as error:
        raise Unclear(str(error)) from error


@contextmanager
def _let_be() -> Iterator[None]:
    """Pass over what need not be done, or cannot be yet: the reaper asks again until it is."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in _DONE_ALREADY:
            raise
