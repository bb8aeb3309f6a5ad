"""Clients written for the original app, which know nothing beyond it, work unchanged."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests import loop
from tests.server.process import ROOT, Server, serving
from tests.server.viewer import base64_of, in_loop, picture

STATES = {"model_loading", "model_loaded", "start_iteration", "end_iteration", "end"}
NEWER = {"painting", "queued"}
"""What the server says beyond the original to whoever asks for a painting; an original client takes no notice."""

Transcript = list[tuple[str, Any]]


@pytest.fixture(scope="module")
def studio() -> Iterator[Server]:
    """A server that has just started: the first client waits for the model."""
    with serving() as server:
        yield server


class OriginalClient:
    """Waits for the model, sends two pictures and a number, and counts iterations until the end."""

    def __init__(self, socket: WebSocketClientConnection, pause: float = 0) -> None:
        self.socket = socket
        self.pause = pause  # after each message: a slow reader
        self.transcript: Transcript = []

    async def hear(self) -> str | None:
        """The next state, or None at the end."""
        message = await asyncio.wait_for(self.socket.read_message(), 120)
        if message is None:
            return None
        assert isinstance(message, str), "all messages are texts"
        told = json.loads(message)
        assert list(told) == ["state", "data"]
        self.transcript.append((told["state"], told["data"]))
        await asyncio.sleep(self.pause)
        state: str = told["state"]
        return state

    async def until(self, state: str | None) -> None:
        while (heard := await self.hear()) != state:
            assert heard is not None, f"closed before {state}: {self.transcript[-3:]}"

    async def send(self, action: str, data: Any = None) -> None:
        await self.socket.write_message(json.dumps({"action": action, "data": data}))


@asynccontextmanager
async def connected(url: str, pause: float = 0) -> AsyncIterator[OriginalClient]:
    socket = await websocket_connect(url, max_message_size=64 << 20)
    try:
        yield OriginalClient(socket, pause)
    finally:
        socket.close()


async def painted(url: str, pause: float = 0, prefix: str = "", **data: Any) -> Transcript:
    """What an original client hears from beginning to end."""
    async with connected(url, pause) as client:
        await client.until("model_loaded")
        await client.send("request_image", pictures(prefix) | data)
        await client.until(None)
        assert client.socket.close_code == 1000
        return client.transcript


def pictures(prefix: str = "") -> dict[str, str]:
    """A photo and an artwork, as the original takes them."""
    return {
        "content_image": prefix + base64_of(picture()),
        "style_image": prefix + base64_of(picture(64, 64, 1)),
    }


def check(transcript: Transcript, iterations: int) -> None:
    """Hold a whole transcript to the original protocol."""
    states = [state for state, _ in transcript]
    loaded = states.index("model_loaded")
    assert loaded > 0
    assert set(states[:loaded]) == {"model_loading"}
    assert set(states) - STATES <= NEWER
    heard = [(state, data) for state, data in transcript[loaded + 1 :] if state in STATES]
    counted = [(state, data["iteration"]) for state, data in heard[:-1]]
    assert counted == [(s, number) for number in range(iterations) for s in ("start_iteration", "end_iteration")]
    assert heard[-1][0] == "end"

    images = [opened(data["image"]) for state, data in heard if state == "end_iteration"]
    sizes = [max(image.size) for image in images]
    assert sizes == sorted(sizes), "from coarse to fine"
    assert images[-1].size == (512, 341), "the last one in full size"


def opened(text: str) -> Image.Image:
    """The picture in an `image`, which has to be a whole PNG in plain base64."""
    image = Image.open(io.BytesIO(base64.b64decode(text, validate=True)))
    assert image.format == "PNG"
    assert image.mode == "RGB"
    image.load()
    return image


@pytest.mark.slow
@pytest.mark.parametrize("iterations", [1, 2, 12])
def test_a_client_of_the_original_hears_exactly_what_it_expects(studio: Server, iterations: int) -> None:
    check(loop.run(painted(studio.socket, iterations=iterations)), iterations)


@pytest.mark.slow
@in_loop
async def test_there_are_ten_iterations_if_nothing_is_said_of_it(studio: Server) -> None:
    check(await painted(studio.socket), 10)


@pytest.mark.slow
@in_loop
async def test_pictures_may_come_as_data_urls(studio: Server) -> None:
    check(await painted(studio.socket, prefix="data:image/png;base64,", iterations=8), 8)


@pytest.mark.slow
@in_loop
async def test_a_slow_reader_gets_every_iteration(studio: Server) -> None:
    check(await painted(studio.socket, pause=0.1, iterations=20), 20)


@pytest.mark.slow
@in_loop
async def test_whoever_closes_in_the_middle_is_let_go_and_the_painting_goes_on(studio: Server) -> None:
    async with connected(studio.socket) as client:
        await client.until("model_loaded")
        await client.send("request_image", {**pictures(), "iterations": 200})
        for _ in range(3):
            await client.until("end_iteration")
        await client.send("close")
        await client.until(None)
        assert client.socket.close_code == 1000
    told = dict(client.transcript)
    assert "end" not in told
    id = told["painting"]["painting"]

    def finished() -> Any:
        facts = studio.json(f"paintings/{id}")
        return facts if facts["state"] == "finished" else None

    facts = await asyncio.to_thread(studio.wait, finished)
    assert (facts["iteration"], facts["of"], facts["progress"]) == (199, 200, 100)


@contextmanager
def made_to_run(folder: Path) -> Iterator[str]:
    """Run ``make run``, with its environment in `folder` as if it had been installed; yields the socket's address.

    The environment is the Python that runs the tests: to install another one takes minutes and a network. So that
    nothing is fetched otherwise, VGG19's weights are looked for where they are not.
    """
    (folder / "venv" / "bin").mkdir(parents=True)
    python = folder / "venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    for name in ("made", "installed-to-run"):
        (folder / "venv" / name).touch()
    nowhere = {"VISUALNEURONS_WEIGHTS_URL": "http://127.0.0.1:9/vgg19.h5", "KERAS_HOME": str(folder)}
    environment = {**os.environ, **nowhere, "HOME": str(folder)}
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            ["make", "run", "PORT=0", f"VENV={folder / 'venv'}"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        try:
            assert process.stdout
            said = ""
            while not (found := re.search(r"VisualNeurons is at http://(\S+)", said)):
                line = process.stdout.readline()
                assert line, f"make said {said!r} and {(folder / 'log').read_text()!r}, but no address"
                said += line
            yield f"ws://{found[1]}styletransfer"
        finally:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.slow
def test_make_run_speaks_it(tmp_path: Path) -> None:
    with made_to_run(tmp_path) as url:
        check(loop.run(painted(url)), 10)
    assert list((tmp_path / ".visualneurons" / "gallery").iterdir()), "paintings are kept in the person's own folder"
