"""A studio in an emulated cloud: the launcher and the reaper as they are deployed, and a machine that is a process."""

from __future__ import annotations

import functools
import hashlib
import hmac
import itertools
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import jwt
from tornado.httpclient import HTTPRequest

from gallery.table import TABLE as GALLERY
from lambda_launcher import roll
from lambda_launcher.ec2 import Ec2Fleet
from lambda_launcher.launcher import Answer, Launcher
from lambda_launcher.reaper import Reaper
from lambda_launcher.settings import Settings
from lambda_launcher.store import Draft, transact
from lambda_launcher.studio import Studio
from lambda_launcher.table import Table
from rehearsal.metadata import telling
from tests.lambda_launcher.conftest import TABLE
from tests.lambda_launcher.site import KEY, SETTINGS
from tests.server.process import Server, serving

HOST = "ec2-192-0-2-9.eu-central-1.compute.amazonaws.com"
REGION = "eu-central-1"
NAMES = itertools.count()
IDS = itertools.count(1)


def signature(host: str, key: str = KEY) -> str:
    """What the edge sends along."""
    return hmac.new(key.encode(), f"edge:{host}".encode(), hashlib.sha256).hexdigest()


def ticket(painting: str | None = None, host: str = HOST, life: float = 60, key: str = KEY) -> str:
    """A ticket as the launcher signs it."""
    claims = {"exp": time.time() + life, "jti": f"ticket-{next(IDS)}", "host": host, "painting": painting}
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, key, "HS256")


@dataclass
class Cloud:
    """A stack of its own in an emulated cloud."""

    endpoint: str
    settings: Settings
    table: Table
    fleet: Ec2Fleet
    launcher: Launcher
    reaper: Reaper
    s3: Any
    gallery: str  # its address

    @property
    def environment(self) -> dict[str, str]:
        """What leads a process to this cloud."""
        return {
            **os.environ,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "an-example",
            "AWS_SECRET_ACCESS_KEY": "an-example",
            "NO_PROXY": "*",
        }

    def kept(self, path: str) -> bytes:
        """What the site shows of the gallery at a path."""
        data: bytes = self.s3.get_object(Bucket=self.settings.stack, Key=path.removeprefix("/"))["Body"].read()
        return data

    def files(self) -> list[str]:
        """What lies in the gallery."""
        return [each["Key"] for each in self.s3.list_objects_v2(Bucket=self.settings.stack)["Contents"]]

    def launch(self, painting: str, owner: str = "") -> Answer:
        """What the launcher answers to a page."""
        return self.launcher.launch(painting, painting, "192.0.2.1", owner)

    def studio(self, id_: str) -> Studio:
        """A studio as the launcher sees it."""
        found = roll.get(Draft(self.table), id_)
        assert found
        return found

    def change(self, id_: str, **what: Any) -> None:
        """Change a studio's item as the launcher and the reaper do."""

        def decide(draft: Draft) -> None:
            found = roll.get(draft, id_)
            assert found
            roll.put(draft, replace(found, **what))

        transact(self.table, decide)


def known(endpoint: str) -> dict[str, Any]:
    """What a client has to know of the cloud at `endpoint`."""
    return {
        "endpoint_url": endpoint,
        "region_name": REGION,
        "aws_access_key_id": "an-example",
        "aws_secret_access_key": "an-example",
    }


@functools.cache
def image(endpoint: str) -> str:
    """An image that the cloud at `endpoint` has. It has hundreds, and takes a second to tell of them."""
    ec2 = boto3.client("ec2", **known(endpoint))
    found: str = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    return found


@contextmanager
def in_the_cloud(endpoint: str, **settings: Any) -> Iterator[Cloud]:
    """A new stack in the cloud at `endpoint`."""
    dynamodb, ec2, s3 = (boto3.client(service, **known(endpoint)) for service in ("dynamodb", "ec2", "s3"))
    name = f"studios-{next(NAMES)}"
    dynamodb.create_table(TableName=name, **TABLE)
    dynamodb.create_table(TableName=f"gallery-of-{name}", **GALLERY)
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    template = ec2.create_launch_template(
        LaunchTemplateName=name, LaunchTemplateData={"ImageId": image(endpoint), "InstanceType": "g5.xlarge"}
    )
    subnets = tuple(subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"])[:2]
    given = {"table": name, "stack": name, "subnets": subnets, **settings}
    made = replace(SETTINGS, launch_template=template["LaunchTemplate"]["LaunchTemplateId"], **given)
    table, fleet = Table(dynamodb, name), Ec2Fleet(ec2, made)
    yield Cloud(
        endpoint,
        made,
        table,
        fleet,
        Launcher(table, fleet, made, lambda: KEY, time.time),
        Reaper(table, fleet, made, time.time),
        s3,
        f"s3://{name}/gallery?table=gallery-of-{name}&endpoint={quote(endpoint)}",
    )


@dataclass
class Machine:
    """A machine whose server runs, and what its metadata service says."""

    server: Server
    cloud: Cloud
    id: str
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def item(self) -> Studio:
        """The studio on it, as the launcher sees it."""
        return self.cloud.studio(self.id)

    def wait_for(self, seconds: float = 60, **what: Any) -> Studio:
        """Wait until the table says this of it."""
        until = time.monotonic() + seconds
        while any(getattr(found := self.item, name) != value for name, value in what.items()):
            assert time.monotonic() < until, f"not {what}: {found}; the server said:\n{self.server.said()}"
            time.sleep(0.05)
        return found

    def ended(self, seconds: float = 60) -> str:
        """Wait until the server has ended as one that has left; why it has."""
        assert self.server.process.wait(seconds) == 0, self.server.said()
        (line,) = [line for line in self.server.said().splitlines() if 'event="the studio leaves"' in line]
        return line.partition("reason=")[2].strip('"')

    def socket(self, painting: str | None = None, **headers: str) -> HTTPRequest:
        """What opens a socket, as the edge sends it."""
        sent = {"X-Visualneurons-Edge": signature(HOST), **headers}
        return HTTPRequest(f"{self.server.socket}?ticket={ticket(painting)}", headers=sent)

    def headers(self) -> Mapping[str, str]:
        return {"X_Visualneurons_Edge": signature(HOST)}


@contextmanager
def machine(
    cloud: Cloud,
    id_: str,
    instance: str = "",
    gallery: Path | str | None = None,
    options: tuple[str, ...] = (),
    shorter: str = "",
    **more: str,
) -> Iterator[Machine]:
    """A machine that becomes the studio `id_`; `shorter` is Python that makes what has to be waited for shorter."""
    facts: dict[str, str] = {}
    with ExitStack() as stack:
        environment = {
            **cloud.environment,
            "STUDIO": id_,
            "INSTANCE": instance or cloud.studio(id_).instance,
            "TABLE": cloud.settings.table,
            "IDLE_STOP": str(cloud.settings.idle_stop),
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": stack.enter_context(telling(facts)),
            **more,
        }
        door = "--host", HOST, "--ticket-key", str(stack.enter_context(key_file()))
        server = stack.enter_context(serving(*door, *options, gallery=gallery, env=environment, changed=shorter))
        yield Machine(server, cloud, id_, facts)


@contextmanager
def key_file() -> Iterator[Path]:
    """A file with the key of tickets."""
    with tempfile.TemporaryDirectory(prefix="key-") as folder:
        path = Path(folder, "ticket-key")
        path.touch(mode=0o600)
        path.write_text(KEY)
        yield path
