"""What the tests of the launcher share: its settings, and an emulated DynamoDB, EC2 and Secrets Manager."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest

from lambda_launcher.deploy.packed import Packed, packed
from lambda_launcher.settings import Settings
from tests.gallery.descriptions import read_once
from tests.gallery.emulator import emulating
from tests.lambda_launcher.site import KEY, SETTINGS

NUMBERS = itertools.count()
TABLE: dict[str, Any] = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}


@pytest.fixture(scope="session", autouse=True)
def _descriptions() -> Iterator[None]:
    """Each command opens a session of its own."""
    with read_once():
        yield


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """The address of the emulated services."""
    with emulating() as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        patch.setenv("AWS_ENDPOINT_URL", address)
        patch.setenv("NO_PROXY", "*")
        yield address


@pytest.fixture(scope="session")
def dynamodb(endpoint: str) -> Any:
    return boto3.client("dynamodb", endpoint_url=endpoint)


@pytest.fixture(scope="session")
def ec2(endpoint: str) -> Any:
    return boto3.client("ec2", endpoint_url=endpoint)


@pytest.fixture(scope="session")
def launch_template(ec2: Any) -> str:
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    data = {"ImageId": image, "InstanceType": "g5.xlarge"}
    made = ec2.create_launch_template(LaunchTemplateName="studio", LaunchTemplateData=data)
    template: str = made["LaunchTemplate"]["LaunchTemplateId"]
    return template


@pytest.fixture(scope="session")
def subnets(ec2: Any) -> tuple[str, ...]:
    return tuple(subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"])[:2]


@pytest.fixture(scope="session")
def ticket_key(endpoint: str) -> str:
    """The name of the secret."""
    client = boto3.client("secretsmanager", endpoint_url=endpoint)
    arn: str = client.create_secret(Name="tickets", SecretString=KEY)["ARN"]
    return arn


@pytest.fixture
def cloud(dynamodb: Any, launch_template: str, subnets: tuple[str, ...], ticket_key: str) -> Settings:
    """The settings of a new stack in the emulated cloud."""
    name = f"stack-{next(NUMBERS)}"
    dynamodb.create_table(TableName=name, **TABLE)
    return replace(
        SETTINGS, table=name, stack=name, launch_template=launch_template, subnets=subnets, ticket_key=ticket_key
    )


@pytest.fixture(scope="session")
def ready() -> Packed:
    """What is deployed, packed once for all tests."""
    return packed(30)
