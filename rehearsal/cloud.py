"""How the emulated cloud is reached: the one region of the one account that there is in it."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

ACCOUNT, REGION = "000000000000", "us-east-1"
_KEYS = {"AWS_ACCESS_KEY_ID": "rehearsal", "AWS_SECRET_ACCESS_KEY": "rehearsal"}
_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


@dataclass(frozen=True)
class Cloud:
    """The addresses of the emulated services: of EC2, and of all others."""

    url: str
    ec2: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a process that reaches this cloud, and no real one: ours, without what names another."""
        ours = {name: value for name, value in os.environ.items() if not name.upper().startswith("AWS_")}
        ends = {"AWS_ENDPOINT_URL": self.url, "AWS_ENDPOINT_URL_EC2": self.ec2}
        return {**ours, **ends, **_FILES, **_KEYS, "NO_PROXY": "*", "no_proxy": "*"}

    def client(self, service: str, config: Config | None = None) -> Any:
        """A client of one of its services."""
        direct = Config(proxies={}, connect_timeout=3, read_timeout=30)
        url = self.ec2 if service == "ec2" else self.url
        return self._session.client(service, endpoint_url=url, config=config.merge(direct) if config else direct)

    @functools.cached_property
    def _session(self) -> Any:
        """A session in which neither the user's files nor the environment have a say."""
        nowhere = {"config_file": os.devnull, "credentials_file": os.devnull, "profile": None}
        core = botocore.session.Session({name: (None, None, value, None) for name, value in nowhere.items()})
        return boto3.Session(
            aws_access_key_id=_KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=_KEYS["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
            botocore_session=core,
        )
