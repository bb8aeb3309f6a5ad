"""Whose cloud it is: the account and the region that the credentials on this machine lead to."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from lambda_launcher.deploy.trouble import SIGN_IN, Trouble, telling


@dataclass(frozen=True)
class Account:
    """An account in a region."""

    session: Any
    id: str
    region: str
    _clients: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def client(self, service: str) -> Any:
        """A client of a service; each is made once, since that takes a while."""
        if service not in self._clients:
            self._clients[service] = _client(self.session, service, self.region)
        return self._clients[service]


def session(region: str) -> Any:
    """The session of boto3, in `region` or else in the one that is set on this machine."""
    try:
        import boto3
        from botocore.exceptions import ProfileNotFound
    except ModuleNotFoundError as error:
        hint = "Install what the cloud needs: pip install 'visualneurons[cloud]'."
        raise Trouble(f"This needs {error.name}, which is not installed.", hint) from error
    try:
        opened = boto3.Session(region_name=region or os.environ.get("AWS_REGION"))  # which boto3 does not read
    except ProfileNotFound as error:
        raise Trouble(f"There are no AWS credentials: {error}.", SIGN_IN) from error
    return opened


def connected(opened: Any) -> Account:
    """The account that a session leads to."""
    region = opened.region_name
    if not region:
        raise Trouble("No region is named.", "Name one, such as --region us-east-1, or set AWS_REGION.")
    known = opened.get_available_regions("ec2")
    if region not in known:
        near = [each for each in known if each.partition("-")[0] == region.partition("-")[0]] or known
        raise Trouble(f"There is no region '{region}'.", f"Name one of these with --region: {', '.join(near)}.")
    with telling(region):
        if opened.get_credentials() is None:
            raise Trouble("There are no AWS credentials on this machine.", SIGN_IN)
        return Account(opened, _client(opened, "sts", region).get_caller_identity()["Account"], region)


def _client(opened: Any, service: str, region: str) -> Any:
    from botocore.config import Config

    config = Config(region_name=region, retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=10)
    return opened.client(service, config=config)
