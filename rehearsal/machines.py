"""The machines: for each instance that EC2 lists as ours there is one, which is on while EC2 says that it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from lambda_launcher.ec2 import OURS, STUDIO
from rehearsal.cloud import Cloud
from rehearsal.machine import Image, Machine
from rehearsal.stack import NAME

EVERY = 0.5  # seconds between two looks at what EC2 lists


class Machines:
    """All machines, by their instances."""

    def __init__(self, cloud: Cloud, image: Image, boot_seconds: float, folder: Path) -> None:
        self.boot_seconds = boot_seconds
        self._image, self._folder = image, folder
        self._client = cloud.client("ec2")
        self._machines: dict[str, Machine] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[Machine]:
        """Those that are on."""
        return iter([each for each in self._machines.values() if each.is_on])

    def of(self, studio: str) -> Machine | None:
        """The machine of a studio, if it is on."""
        return next((each for each in self if each.studio == studio), None)

    def address(self, host: str) -> tuple[str, int] | None:
        """Where the machine of this name listens, if it is on."""
        return next((("127.0.0.1", each.port) for each in self if each.host == host), None)

    async def mind(self) -> None:
        """Follow what EC2 says, for ever."""
        while True:
            listed = await asyncio.to_thread(self._listed)
            for instance, facts in listed.items():
                self._follow(instance, facts)
            for instance in self._machines.keys() - listed.keys():
                self._follow(instance, None)
            for machine in self:
                machine.check()
            await asyncio.sleep(EVERY)

    async def close(self) -> None:
        """Pull all plugs."""
        await asyncio.gather(*(each.power_off(0) for each in self), *self._ending)

    def _listed(self) -> dict[str, Any]:
        ours = [{"Name": f"tag:{OURS}", "Values": [NAME]}]
        pages = self._client.get_paginator("describe_instances").paginate(Filters=ours)
        return {
            each["InstanceId"]: each
            for page in pages
            for reservation in page["Reservations"]
            for each in reservation["Instances"]
        }

    def _follow(self, instance: str, facts: Any) -> None:
        runs = facts is not None and facts["State"]["Name"] in ("pending", "running")
        machine = self._machines.get(instance)
        if machine is None and runs:
            machine = self._machines[instance] = self._made(instance, facts)
        if machine is None or not machine.can_be_switched or machine.is_on == runs:
            return
        if runs:
            machine.power_on(self.boot_seconds)
        else:
            task = asyncio.create_task(machine.power_off())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    def _made(self, instance: str, facts: Any) -> Machine:
        tags = {tag["Key"]: tag["Value"] for tag in facts["Tags"]}
        folder = self._folder / instance
        folder.mkdir(parents=True)
        return Machine(instance, tags[STUDIO], facts["PublicDnsName"], self._image, folder, self._terminated)

    async def _terminated(self, instance: str) -> None:
        """A machine that powers itself off is terminated: so says the launch template."""
        try:
            await asyncio.to_thread(self._client.terminate_instances, InstanceIds=[instance])
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidInstanceID.NotFound":  # which has been gone for a minute
                raise
