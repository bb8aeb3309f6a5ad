"""What the tests of the gallery share: galleries of both kinds, new for each test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import pytest

from gallery import Gallery, opened
from gallery.table import TABLE
from tests.gallery.descriptions import read_once
from tests.gallery.emulator import emulating

NUMBERS = itertools.count()


@pytest.fixture(scope="session", autouse=True)
def _descriptions() -> Iterator[None]:
    """Each test opens sessions of its own."""
    with read_once():
        yield


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """The address of an S3 and a DynamoDB."""
    with emulating() as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        patch.setenv("NO_PROXY", "*")
        yield address


@pytest.fixture(scope="session")
def s3(endpoint: str) -> Any:
    return boto3.client("s3", endpoint_url=endpoint)


@pytest.fixture(scope="session")
def dynamodb(endpoint: str) -> Any:
    return boto3.client("dynamodb", endpoint_url=endpoint)


@pytest.fixture
def bucket(s3: Any) -> str:
    """A new bucket."""
    name = f"paintings-{next(NUMBERS)}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return name


@pytest.fixture
def cloud(endpoint: str, dynamodb: Any, bucket: str) -> str:
    """The address of a new gallery in the cloud."""
    dynamodb.create_table(TableName=bucket, **TABLE)
    return f"s3://{bucket}/kept/here?table={bucket}&endpoint={quote(endpoint)}"


@pytest.fixture(params=["folder", "cloud"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new gallery, in turn of both kinds."""
    return str(tmp_path / "gallery") if request.param == "folder" else request.getfixturevalue("cloud")


@pytest.fixture
def gallery(address: str) -> Iterator[Gallery]:
    """A new gallery, in turn of both kinds."""
    gallery = opened(address)
    yield gallery
    gallery.close()
