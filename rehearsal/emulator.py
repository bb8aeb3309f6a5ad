"""MiniStack, the emulator, as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tornado.httpclient import AsyncHTTPClient

from rehearsal.cloud import REGION
from rehearsal.errors import NoRehearsal
from rehearsal.processes import Leashed

PATIENCE = 60.0  # seconds


@asynccontextmanager
async def emulating(port: int, environment: Mapping[str, str], folder: Path) -> AsyncIterator[None]:
    """Run it on a port of 127.0.0.1; `environment` is what its Lambdas find, too."""
    if importlib.util.find_spec("ministack") is None:
        raise NoRehearsal(
            "The rehearsal needs MiniStack, which emulates the cloud and is not installed. "
            "Install it: pip install 'visualneurons[rehearse]'."
        )
    temporary = folder / "tmp"
    temporary.mkdir()
    own = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "TMPDIR": str(temporary),
        # What it would do beyond answering requests: listen on other ports, and look for containers to tidy away.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": f"unix://{temporary / 'no-docker'}",
        "LAMBDA_EXECUTOR": "local",
    }
    process = await Leashed.start([sys.executable, "-m", "ministack"], {**environment, **own}, folder / "emulator.log")
    try:
        await _answers(f"http://127.0.0.1:{port}/_ministack/health", process)
        yield
    finally:
        await process.stop(5)


async def _answers(url: str, process: Leashed) -> None:
    """Wait until it does."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while asyncio.get_running_loop().time() < deadline:
        with contextlib.suppress(OSError):
            await AsyncHTTPClient().fetch(url)
            return
        if not process.runs:
            break
        await asyncio.sleep(0.1)
    last = process.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    raise NoRehearsal(
        f"The emulator does not start: {last[0] if last else 'it says nothing'}. Look whether memory is short."
    )
