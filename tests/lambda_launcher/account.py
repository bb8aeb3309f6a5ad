"""An account in an emulated cloud, over real sockets: MiniStack as a process, and before it a small shim."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from rehearsal.processes import free_port
from tests.lambda_launcher.shim import ID, REGION, Shim, standing_before

__all__ = ["ID", "REGION", "Cloud", "Shim", "account"]

ROOT = Path(__file__).resolve().parent.parent.parent
LEASH = ROOT / "rehearsal" / "leash.py"


@dataclass
class Cloud:
    """The account's cloud."""

    url: str
    shim: Shim
    clients: dict[str, Any] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to find it, and no real one."""
        ours = {name: value for name, value in os.environ.items() if not name.upper().startswith("AWS_")}
        return {
            **ours,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "*",
        }

    def client(self, service: str) -> Any:
        """A client of one of its services."""
        if service not in self.clients:
            keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
            self.clients[service] = boto3.client(service, REGION, endpoint_url=self.url, **keys)
        return self.clients[service]

    @contextmanager
    def start(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Run a command as a process of its own, which ends with the block."""
        with subprocess.Popen(
            [sys.executable, "-m", "visualneurons", *words],
            env=self.environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def run(self, *words: str, says: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command as a process of its own, with `says` on its standard input, to its end."""
        with self.start(*words) as process:
            out, err = process.communicate(says, timeout=240)
        return subprocess.CompletedProcess(words, process.returncode, out, err)


@contextmanager
def account(folder: Path) -> Iterator[Cloud]:
    """A new account; `folder` is for what the emulator writes."""
    port = free_port()
    with _emulator(port, folder), standing_before(port) as (url, shim):
        cloud = Cloud(url, shim)
        _furnish(cloud.client("ec2"))
        yield cloud


def _furnish(ec2: Any) -> None:
    """Make the default network as it is in AWS."""
    (vpc,) = (each["VpcId"] for each in ec2.describe_vpcs()["Vpcs"])
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    (table,) = ec2.describe_route_tables()["RouteTables"]
    ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)


@contextmanager
def _emulator(port: int, folder: Path) -> Iterator[None]:
    own = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ID,
        "TMPDIR": str(folder),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": f"unix://{folder / 'no-docker'}",
        "LAMBDA_EXECUTOR": "local",
    }
    log = folder / "emulator.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-I", LEASH, sys.executable, "-m", "ministack"],
            env=os.environ | own,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    assert process.stdin
    try:
        until = time.monotonic() + 60
        while not _answers(f"http://127.0.0.1:{port}/_ministack/health"):
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < until, log.read_text(encoding="utf-8")
            time.sleep(0.1)
        yield
    finally:
        process.stdin.close()  # which the leash takes for our end
        process.wait(10)


def _answers(url: str) -> bool:
    with contextlib.suppress(OSError):
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=2).close()
        return True
    return False
