"""Where the studios are to be: the network, its public subnets, the edge's addresses, and whether there may be GPUs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambda_launcher.deploy.account import Account
from lambda_launcher.deploy.trouble import Trouble, code_of
from lambda_launcher.fleet import QUOTA, QUOTA_NAME

EDGE = "com.amazonaws.global.cloudfront.origin-facing"


@dataclass(frozen=True)
class Network:
    """What the template is told of it."""

    vpc: str
    subnets: tuple[str, ...]
    edge: str

    @property
    def parameters(self) -> dict[str, str]:
        """Its part of the template's parameters."""
        return {"Vpc": self.vpc, "Subnets": ",".join(self.subnets), "EdgePrefixList": self.edge}


def found(account: Account, vpc: str, types: Sequence[str]) -> Network:
    """The network named by `vpc`, or the default one."""
    ec2 = account.client("ec2")
    name = _vpc(ec2, vpc, account.region)
    for attribute, field in (("enableDnsSupport", "EnableDnsSupport"), ("enableDnsHostnames", "EnableDnsHostnames")):
        if not ec2.describe_vpc_attribute(VpcId=name, Attribute=attribute)[field]["Value"]:
            hint = f"Switch {attribute} on in it, or name another network with --vpc."
            raise Trouble(f"Machines in the network {name} get no public names.", hint)
    return Network(name, _subnets(ec2, name, types, account.region), _edge(ec2, account.region))


def cores(account: Account, types: Sequence[str]) -> Mapping[str, int]:
    """How many virtual CPUs a machine of each type has."""
    described = account.client("ec2").describe_instance_types(InstanceTypes=list(types))["InstanceTypes"]
    return {each["InstanceType"]: each["VCpuInfo"]["DefaultVCpus"] for each in described}


def allowance(account: Account, types: Sequence[str], gpus: int, is_first: bool) -> str:
    """Say what to ask for where the account may run too few machines with GPUs; refuse to begin where it may run none.

    A stack that is there already can be brought up to date all the same.
    """
    needed = cores(account, types)
    least, whole = min(needed.values()), max(needed.values()) * gpus
    quota = _quota(account.client("service-quotas"))
    where = f"https://{account.region}.console.aws.amazon.com/servicequotas/home/services/ec2/quotas/{QUOTA}"
    says = f"Your account may use {quota:.0f} virtual CPUs of machines with GPUs in {account.region}"
    if quota < least and is_first:
        hint = f"Ask for {whole} ({QUOTA_NAME}, {QUOTA}) at {where}; that takes from an hour to some days."
        raise Trouble(f"{says}, and the smallest of {', '.join(types)} has {least}.", hint)
    if quota < whole:
        return f"{says}; {gpus} studios at once need {whole}. Ask for them ({QUOTA_NAME}) at {where}."
    return ""


def _quota(client: Any) -> float:
    which = {"ServiceCode": "ec2", "QuotaCode": QUOTA}
    try:
        found = client.get_service_quota(**which)
    except client.exceptions.NoSuchResourceException:  # none was ever asked for
        found = client.get_aws_default_service_quota(**which)
    return float(found["Quota"]["Value"])


def _vpc(ec2: Any, vpc: str, region: str) -> str:
    hint = "Make one with 'aws ec2 create-default-vpc', or name another with --vpc."
    try:
        asked = {"VpcIds": [vpc]} if vpc else {"Filters": [{"Name": "is-default", "Values": ["true"]}]}
        described = ec2.describe_vpcs(**asked)["Vpcs"]
    except ec2.exceptions.ClientError as error:
        if code_of(error) not in ("InvalidVpcID.NotFound", "InvalidVpcId.Malformed", "InvalidVpcID.Malformed"):
            raise
        described = []
    if not described:
        raise Trouble(f"There is no network {vpc or 'by default'} in {region}.", hint)
    return str(described[0]["VpcId"])


def _subnets(ec2: Any, vpc: str, types: Sequence[str], region: str) -> tuple[str, ...]:
    """One public subnet in each zone that has such machines; first where there are most types of them.

    In the first, images are made: Image Builder's machine has a public address only where every machine is given one.
    A studio asks for its own.
    """
    here = [{"Name": "vpc-id", "Values": [vpc]}]
    offered = ec2.get_paginator("describe_instance_type_offerings").paginate(
        LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": list(types)}]
    )
    zones: dict[str, set[str]] = {}
    for page in offered:
        for each in page["InstanceTypeOfferings"]:
            zones.setdefault(each["Location"], set()).add(each["InstanceType"])
    if not zones:
        raise Trouble(f"{region} has no machines of {', '.join(types)}.", "Choose another with --region or --types.")
    routes = [
        each
        for page in ec2.get_paginator("describe_route_tables").paginate(Filters=here)
        for each in page["RouteTables"]
    ]
    public = [
        each
        for page in ec2.get_paginator("describe_subnets").paginate(Filters=here)
        for each in page["Subnets"]
        if each["AvailabilityZone"] in zones and _is_public(each["SubnetId"], routes)
    ]
    if not public:
        hint = "Give it one with a route to an internet gateway, or name another network with --vpc."
        raise Trouble(f"The network {vpc} has no public subnet in {', '.join(sorted(zones))}.", hint)

    def rank(subnet: Any) -> tuple[Any, ...]:
        zone = subnet["AvailabilityZone"]
        return not subnet["MapPublicIpOnLaunch"], -len(zones[zone]), zone, subnet["SubnetId"]

    best: dict[str, Any] = {}
    for each in sorted(public, key=rank):
        best.setdefault(each["AvailabilityZone"], each)
    first = next(iter(best.values()))
    if not first["MapPublicIpOnLaunch"]:
        switch = f"--subnet-id {first['SubnetId']} --map-public-ip-on-launch --region {region}"
        hint = f"Switch that on in one: aws ec2 modify-subnet-attribute {switch}"
        raise Trouble(f"No public subnet of the network {vpc} gives each machine a public address.", hint)
    return tuple(each["SubnetId"] for each in best.values())


def _is_public(subnet: str, tables: Sequence[Any]) -> bool:
    """Whether what a subnet sends out goes straight to the internet."""
    own = [each for each in tables if any(link.get("SubnetId") == subnet for link in each["Associations"])]
    main = [each for each in tables if any(link.get("Main") for link in each["Associations"])]
    return any(
        route.get("DestinationCidrBlock") == "0.0.0.0/0" and route.get("GatewayId", "").startswith("igw-")
        for each in own or main
        for route in each["Routes"]
    )


def _edge(ec2: Any, region: str) -> str:
    lists = ec2.describe_managed_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [EDGE]}])["PrefixLists"]
    if not lists:
        raise Trouble(f"{region} does not know the list {EDGE}.", "Choose another region with --region.")
    return str(lists[0]["PrefixListId"])
