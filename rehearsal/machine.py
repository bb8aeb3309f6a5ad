"""One machine: a local process in place of an EC2 instance.

It is started as the instance would be: the user data of the real launch template is run by a shell, and then the same
script starts the studio that systemd starts there. What systemd does when the studio ends is done here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from lambda_launcher.template import ROOT
from rehearsal.cloud import Cloud
from rehearsal.metadata import telling
from rehearsal.processes import Leashed, free_port

logger = logging.getLogger(__name__)

AGAIN, BURST = 2.0, 8  # as in ami/units/visualneurons.service: RestartSec, StartLimitBurst
PATIENCE = 60.0  # TimeoutStopSec
NOTICE = 120.0
"""Seconds before a spot instance is taken away at which it is told so."""

_NOWHERE = "http://127.0.0.1:9/no-weights"


@dataclass(frozen=True)
class Image:
    """What all machines are started from."""

    cloud: Cloud
    user_data: str
    engine: str  # patches, or auto: VGG19 where its weights are or can be had
    claim: float | None = None  # see `Plan`


class Machine:
    """One machine, from power on to power off, which may come again."""

    def __init__(
        self, instance: str, studio: str, host: str, image: Image, folder: Path, off: Callable[[str], Awaitable[None]]
    ) -> None:
        """`off` is told the instance when the machine powers itself off, or is taken away."""
        self.instance, self.studio, self.host = instance, studio, host
        self.port = free_port()
        self._image, self._folder, self._off = image, folder, off
        self._facts = {"instance-id": instance, "public-hostname": host, "tags/instance/studio": studio}
        self._is_lost = False
        self._power: asyncio.Task[None] | None = None
        self._process: Leashed | None = None

    @property
    def is_on(self) -> bool:
        """Whether it has power."""
        return self._power is not None

    @property
    def can_be_switched(self) -> bool:
        """Whether it can be powered on or off: not while it is being shut down, and never once it is lost."""
        return not self._is_lost and (self.is_on or self._process is None)

    def power_on(self, boot_seconds: float) -> None:
        """Boot."""
        self._power = asyncio.create_task(self._run(boot_seconds), name=f"machine {self.instance}")

    async def power_off(self, patience: float = PATIENCE) -> None:
        """Shut down: the studio is asked to end, and is killed if it has not after `patience` seconds."""
        running, self._power = self._power, None
        if self._process:
            await (self._process.stop(patience) if patience else self._process.kill())
            self._process = None
        if running:
            running.cancel()
            await asyncio.wait([running])

    def check(self) -> None:
        """Raise what has gone wrong in it, other than to its studio."""
        if self._power and self._power.done():
            self._power.result()

    async def crash(self) -> None:
        """End at once and for good, as if the plug was pulled."""
        self._is_lost = True
        await self.power_off(0)
        await self._off(self.instance)

    async def notice(self) -> None:
        """Tell the machine that it will be taken away, as EC2 does of a spot instance; then take it away."""
        moment = datetime.now(timezone.utc) + timedelta(seconds=NOTICE)
        said = {"action": "terminate", "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}
        self._facts["spot/instance-action"] = json.dumps(said)
        await asyncio.sleep(NOTICE)
        await self._off(self.instance)

    async def _run(self, boot_seconds: float) -> None:
        """Live as a machine that has this one job."""
        await asyncio.sleep(boot_seconds)
        with telling(self._facts) as metadata:
            environment = await self._told(metadata)
            for _ in range(BURST):
                self._process = await Leashed.start(
                    [sys.executable, ROOT / "ami" / "start_studio.py"], environment, self._folder / "log"
                )
                code = await self._process.ended()
                if code == 0 or not self.is_on:
                    break
                logger.warning("the studio %s ended with %d", self.studio, code)
                await asyncio.sleep(AGAIN)
        if self.is_on:
            await self._off(self.instance)

    async def _told(self, metadata: str) -> dict[str, str]:
        """The environment of the studio; the first boot runs the user data."""
        folder, outside = self._folder, self._image.cloud.environment
        file = folder / "etc" / "visualneurons" / "environment"
        if not file.exists():
            shell = await asyncio.create_subprocess_exec(
                "sh", "-c", self._image.user_data, env={**outside, "VISUALNEURONS_ROOT": str(folder)}
            )
            if code := await shell.wait():
                raise RuntimeError(f"The user data ended with {code}.")
        runtime = folder / "run"
        runtime.mkdir(mode=0o700, exist_ok=True)
        told = dict(line.split("=", 1) for line in file.read_text(encoding="utf-8").splitlines())
        here = {
            "ADDRESS": "127.0.0.1",
            "PORT": str(self.port),
            "RUNTIME_DIRECTORY": str(runtime),
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata,
        }
        if self._image.claim:
            here["GALLERY"] = f"{told['GALLERY']}&life={self._image.claim}"
        if self._image.engine == "patches":  # a machine without weights, and without a way to fetch any
            here |= {"VISUALNEURONS_WEIGHTS_URL": _NOWHERE, "KERAS_HOME": str(folder / "keras")}
        return {**outside, **told, **here}
