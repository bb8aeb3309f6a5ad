"""Processes that end with us, however we end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_LEASH = Path(__file__).with_name("leash.py")
_GIVEN = Path("/proc/sys/net/ipv4/ip_local_port_range")
"""The ports that the system gives to whoever asks for any."""
_LEAST = 20_000  # below it are ports that programs are known by, and such as browsers do not go to
_TRIES = 20


class Leashed:
    """A running process, with all that it starts."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self.log = log

    @classmethod
    async def start(cls, command: Sequence[str | Path], environment: Mapping[str, str], log: Path) -> Leashed:
        """Start `command`; what it says is added to `log`."""
        with log.open("ab") as out:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                _LEASH,
                *command,
                env=environment,
                cwd=log.parent,
                stdin=asyncio.subprocess.PIPE,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        return cls(process, log)

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    async def ended(self) -> int:
        """Its exit code, once it has ended."""
        return await self._process.wait()

    async def stop(self, patience: float) -> None:
        """Ask it to end, and kill it and all that it has started if it has not after `patience` seconds."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.ended(), patience)
        await self.kill()

    async def kill(self) -> None:
        """Kill it and all that it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self.ended()


def free_port(wanted: int = 0) -> int:
    """A port of 127.0.0.1 that nobody listens on: the one that is wanted, if any is, or an OSError.

    If none is wanted, it is one that the system gives to nobody else before it is used.
    """
    if not wanted:
        for number in _not_given():
            with contextlib.suppress(OSError):
                return free_port(number)
    with socket.create_server(("127.0.0.1", wanted)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _not_given() -> list[int]:
    """Some ports that the system gives to nobody, if there are any."""
    try:
        first = int(_GIVEN.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        first = 2**15  # or higher, on other systems
    ports = range(_LEAST, first)
    return random.SystemRandom().sample(ports, min(_TRIES, len(ports)))
