"""The whole of it, from the emulators to the address of the page."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from lambda_launcher.table import Table
from rehearsal.cloud import REGION, Cloud
from rehearsal.ec2 import Capacity, standing_before
from rehearsal.edge import Edge
from rehearsal.emulator import emulating
from rehearsal.errors import NoRehearsal
from rehearsal.faults import strike
from rehearsal.machine import Image
from rehearsal.machines import Machines
from rehearsal.plan import Plan
from rehearsal.processes import free_port
from rehearsal.stack import Stack, deploy
from rehearsal.view import View, Watch


class Rehearsal:
    """A rehearsal that is under way."""

    def __init__(self, cloud: Cloud, stack: Stack, capacity: Capacity, machines: Machines, edge: Edge) -> None:
        self.cloud, self.stack = cloud, stack
        self.capacity, self.machines, self.edge = capacity, machines, edge
        self.url = ""
        self._watch = Watch(Table(cloud.client("dynamodb"), stack.table))
        self._tasks: list[asyncio.Task[None]] = []

    async def look(self) -> View:
        """What there is now; raises what has gone wrong in what runs meanwhile."""
        for task in self._tasks:
            if task.done():
                task.result()
        return await asyncio.to_thread(self._watch.look)

    async def start(self, faults: Sequence[str]) -> None:
        """Let visitors come."""
        self.url = await self.edge.start() + "/"
        self.run(self.machines.mind())
        for fault in faults:
            self.strike(fault)

    def strike(self, fault: str) -> None:
        """Let something go wrong, as soon as it matters."""
        self.run(strike(self, fault))

    def run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Do something meanwhile."""
        self._tasks.append(asyncio.create_task(coroutine))

    async def stop(self) -> None:
        """Let nobody come any more, and end all that runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.machines.close()
        await self.edge.stop()


@asynccontextmanager
async def rehearsing(plan: Plan, tell: Callable[[str], None]) -> AsyncIterator[Rehearsal]:
    """Rehearse until the block is left; `tell` hears how far the preparations are."""
    try:
        page = free_port(plan.port)
    except OSError as error:
        problem = f"The page cannot be at 127.0.0.1, port {plan.port}: {os.strerror(error.errno or 0)}."
        raise NoRehearsal(f"{problem} Choose another with --port.") from error
    async with AsyncExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="rehearsal-")))
        port, ec2 = free_port(), free_port()
        cloud = Cloud(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{ec2}")
        capacity = await ending.enter_async_context(standing_before(cloud.url, ec2))
        tell("starting the emulated cloud")
        await ending.enter_async_context(emulating(port, cloud.environment, folder))
        tell("deploying the stack to it")
        stack = await asyncio.to_thread(deploy, cloud, folder, plan.parameters)
        image = Image(cloud, stack.user_data, plan.engine, plan.claim)
        machines = Machines(cloud, image, plan.boot_seconds, folder / "machines")
        edge = Edge(
            port=page,
            site=stack.site,
            gallery=stack.gallery,
            s3=cloud.client("s3"),
            api=stack.api,
            key=stack.key,
            region=REGION,
            name=stack.domain,
            lookup=machines.address,
        )
        rehearsal = Rehearsal(cloud, stack, capacity, machines, edge)
        try:
            await rehearsal.start(plan.faults)
            yield rehearsal
        finally:
            await rehearsal.stop()
