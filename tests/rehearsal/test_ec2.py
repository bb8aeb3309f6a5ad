"""What stands before the emulator's EC2, asked by the launcher's own fleet."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from pathlib import Path
from typing import Any

import pytest

from lambda_launcher.ec2 import Ec2Fleet
from lambda_launcher.fleet import Refused
from lambda_launcher.settings import Settings
from rehearsal.cloud import Cloud
from rehearsal.ec2 import standing_before
from rehearsal.emulator import emulating
from rehearsal.errors import NoRehearsal
from rehearsal.processes import free_port
from tests.lambda_launcher.site import SETTINGS
from tests.loop import run

DATA = {"ImageId": "ami-12345678", "UserData": "IyEvYmluL3No"}


def test_without_the_emulator_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ministack", None)

    async def emulate() -> None:
        async with emulating(free_port(), {}, tmp_path):
            raise AssertionError("it runs")

    with pytest.raises(NoRehearsal, match="pip install"):
        run(emulate())


def settled(client: Any) -> Settings:
    """The settings of a launcher in a new cloud."""
    made = client.create_launch_template(LaunchTemplateName="studio", LaunchTemplateData=DATA)
    subnets = tuple(each["SubnetId"] for each in client.describe_subnets()["Subnets"])[:2]
    return dataclasses.replace(SETTINGS, launch_template=made["LaunchTemplate"]["LaunchTemplateId"], subnets=subnets)


@pytest.mark.slow
def test_a_machine_is_given_from_the_first_pool_and_once(tmp_path: Path) -> None:
    async def launch() -> None:
        port, ec2 = free_port(), free_port()
        cloud = Cloud(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{ec2}")
        async with standing_before(cloud.url, ec2) as capacity, emulating(port, cloud.environment, tmp_path):
            client = cloud.client("ec2")
            settings = await asyncio.to_thread(settled, client)
            fleet = Ec2Fleet(client, settings)
            capacity.run_out()
            with pytest.raises(Refused) as refused:
                await asyncio.to_thread(fleet.launch, "a-studio", settings.pools)
            assert refused.value.pools == settings.pools[:3]
            assert await asyncio.to_thread(fleet.instances) == []

            turned = settings.pools[::-1]
            given, none = await asyncio.to_thread(fleet.launch, "another", turned)
            first = (settings.types[0], settings.subnets[1])
            assert (given.studio, given.type, given.subnet) == ("another", *first), "by priority; each refuses once"
            assert none == []
            again, _ = await asyncio.to_thread(fleet.launch, "another", turned)
            assert again == given
            (listed,) = await asyncio.to_thread(fleet.instances)
            assert dataclasses.replace(listed, power="pending") == given
            await asyncio.to_thread(fleet.end, given.id)
            assert [each.power for each in await asyncio.to_thread(fleet.instances)] == ["terminated"]

    run(launch())
