"""The emulated cloud is the only one that a rehearsal can reach."""

from __future__ import annotations

import os
from pathlib import Path

import boto3
import pytest

from rehearsal.cloud import REGION, Cloud

CLOUD = Cloud("http://127.0.0.1:9001", "http://127.0.0.1:9002")


@pytest.fixture(autouse=True)
def _an_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with an account of its own, and a proxy."""
    (tmp_path / "config").write_text("[profile own]\nregion = eu-west-1\nendpoint_url = http://own.example\n")
    (tmp_path / "credentials").write_text("[own]\naws_access_key_id = own\naws_secret_access_key = own\n")
    own = {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_PROFILE": "own",
        "AWS_SESSION_TOKEN": "own",
        "AWS_ENDPOINT_URL_S3": "http://own.example",
        "HTTP_PROXY": "http://own.example",
    }
    for name, value in own.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(("service", "url"), [("s3", CLOUD.url), ("dynamodb", CLOUD.url), ("ec2", CLOUD.ec2)])
def test_a_client_of_ours_knows_no_other(service: str, url: str) -> None:
    client = CLOUD.client(service)
    assert client.meta.endpoint_url == url
    assert client.meta.region_name == REGION
    credentials = client._get_credentials()
    assert (credentials.access_key, credentials.token) == ("rehearsal", None)
    assert client.meta.config.proxies == {}


def test_a_process_is_told_of_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    told = CLOUD.environment
    assert "own" not in {value for name, value in told.items() if name.startswith("AWS_")}
    for name in os.environ:
        monkeypatch.delenv(name)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    session = boto3.Session(region_name=REGION)
    assert session.get_credentials().get_frozen_credentials()[:3] == ("rehearsal", "rehearsal", None)
    assert session.client("s3").meta.endpoint_url == CLOUD.url
    assert session.client("ec2").meta.endpoint_url == CLOUD.ec2
