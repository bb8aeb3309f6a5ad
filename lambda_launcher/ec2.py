"""The fleet in EC2: machines made from our launch template, and known by our tags."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambda_launcher.fleet import (
    QUOTA,
    QUOTA_NAME,
    Instance,
    NoImage,
    OverQuota,
    Pool,
    Refused,
    Throttled,
    Unclear,
)
from lambda_launcher.settings import Settings

OURS, STUDIO = "visualneurons", "studio"
"""The tags: the stack's name, and the studio's id."""

_NONE_THERE = {
    "InsufficientInstanceCapacity",
    "InsufficientHostCapacity",
    "InsufficientFreeAddressesInSubnet",
    "InsufficientCapacity",
    "Unsupported",
}
_OF_ONE_POOL = {*_NONE_THERE, "InvalidFleetConfiguration"}  # in a zone that does not offer the type
_UNTRIED = "UnfulfillableCapacity"  # of all pools of a fleet but the first three that it has tried, whatever they have
_OVER_QUOTA = "VcpuLimitExceeded"
_DONE_ALREADY = {"InvalidInstanceID.NotFound", "IncorrectInstanceState", "IncorrectState"}


class Ec2Fleet:
    """Machines in EC2."""

    def __init__(self, client: Any, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def launch(self, studio: str, pools: Sequence[Pool]) -> tuple[Instance, Sequence[Pool]]:
        settings = self._settings
        # Not in the launch template: EC2 makes none that names an image which has not been baked yet.
        image = f"resolve:ssm:/imagebuilder/{settings.stack}/image"
        overrides = [
            {
                "ImageId": image,
                "InstanceType": kind,
                "SubnetId": subnet,
                "Priority": float(settings.types.index(kind)),
            }
            for kind, subnet in pools
        ]
        template = {"LaunchTemplateId": settings.launch_template, "Version": settings.launch_template_version}
        tags = [{"Key": OURS, "Value": settings.stack}, {"Key": STUDIO, "Value": studio}]
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
        # What an error lacks must not make a machine be forgotten that runs.
        refused = [
            pool for error in errors if error.get("ErrorCode") in _OF_ONE_POOL and (pool := _pool(error)) in pools
        ]
        for given in answer.get("Instances", []):
            kind, subnet = _pool(given)
            return Instance(given["InstanceIds"][0], studio, kind, subnet, "pending"), refused
        codes = {error.get("ErrorCode", "no code given") for error in errors}
        raise _refusal(codes, pools if codes == {_UNTRIED} else refused)

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


def _pool(one: dict[str, Any]) -> Pool:
    """Where a machine was given or refused, as far as it is said."""
    overrides = one.get("LaunchTemplateAndOverrides", {}).get("Overrides", {})
    return overrides.get("InstanceType", ""), overrides.get("SubnetId", "")


def _refusal(codes: Collection[str], pools: Sequence[Pool]) -> Refused:
    """What it means that nothing was started for these reasons, `pools` having refused."""
    reason = ", ".join(sorted(codes)) or "no reason given"
    if any(map(_is_throttling, codes)):
        return Throttled(reason, pools)
    if _OVER_QUOTA in codes:
        return OverQuota(f"{reason}: the account's quota {QUOTA_NAME} ({QUOTA}) is used up", pools)
    return Refused(reason, pools)


def _is_throttling(code: str) -> bool:
    return code == "RequestLimitExceeded" or code.startswith("Throttling")


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
        refused = pools if code in {*_NONE_THERE, _UNTRIED} else ()
        # That there is none is told with a status of 500, and throttling with 503: yet nothing was begun.
        if (status >= 500 and not refused and not _is_throttling(code)) or code == "IdempotentParameterMismatch":
            raise Unclear(code) from error
        # There is no such parameter: Image Builder makes it with the first image.
        if code == "SsmInvalidParameter" and "aliases are invalid" in error.response["Error"].get("Message", ""):
            raise NoImage(code) from error
        raise _refusal({code}, refused) from error
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
