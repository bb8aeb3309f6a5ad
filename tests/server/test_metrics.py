"""What a server says of itself: metrics, health, and its log."""

from __future__ import annotations

import asyncio
import json
import os
import urllib.error
from pathlib import Path
from typing import Any

import pytest

from tests.server.process import Server, get, held, refused, serving
from tests.server.viewer import in_loop, order, viewing

pytestmark = pytest.mark.slow

MOVED = [
    "visualneurons_steps_total",
    "visualneurons_step_seconds_count",
    'visualneurons_frames_encoded_total{format="jpeg"}',
    'visualneurons_frame_encode_seconds_count{format="jpeg"}',
    "visualneurons_frames_sent_total",
    "visualneurons_frame_send_seconds_count",
    "visualneurons_sent_bytes_total",
    "visualneurons_received_bytes_total",
    'visualneurons_paintings_total{state="accepted"}',
    'visualneurons_paintings_total{state="finished"}',
    'visualneurons_paintings_total{state="cancelled"}',
    'visualneurons_errors_total{code="painting_unknown"}',
    'visualneurons_errors_total{code="message_invalid"}',
]


@in_loop
async def test_what_happens_is_counted(studio: Server) -> None:
    before = studio.metrics()
    async with viewing(studio.socket) as viewer:
        painting, _ = await viewer.request(iterations=9000, size=64, format="jpeg")
        await viewer.until("end_iteration")
        waiting = studio.post(order(5, size=64))
        await viewer.socket.write_message("nonsense")
        await viewer.until("error")
        now = studio.metrics()
        assert now["visualneurons_queue"] == 1
        assert now["visualneurons_viewers"] == 1
        assert now["visualneurons_sockets"] == 1
        easels = {state: now[f'visualneurons_easels{{state="{state}"}}'] for state in ("loading", "free", "painting")}
        assert easels == {"loading": 0, "free": 0, "painting": 1}
        studio.delete(**waiting)
        await viewer.send("finish")
        await viewer.until("end")
    assert refused(get, studio.url + "paintings/none").code == "painting_unknown"
    await asyncio.to_thread(studio.wait, lambda: studio.metrics()["visualneurons_sockets"] == 0)
    after = studio.metrics()
    assert [name for name in MOVED if not after.get(name, 0) > before.get(name, 0)] == []
    assert after["visualneurons_queue"] == after["visualneurons_viewers"] == 0
    assert after['visualneurons_easels{state="free"}'] == 1
    assert after["visualneurons_steps_total"] == after["visualneurons_step_seconds_count"]
    shown = studio.json(f"paintings/{painting}")
    seconds = after["visualneurons_step_seconds_sum"] - before["visualneurons_step_seconds_sum"]
    assert seconds == pytest.approx(shown["elapsed"], rel=0.2)


def test_metrics_are_as_prometheus_reads_them(studio: Server) -> None:
    with get(studio.url + "metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        text = answer.read().decode()
    ours = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP visualneurons_")}
    assert {
        "visualneurons_easel_deaths_total",
        "visualneurons_easels",
        "visualneurons_errors_total",
        "visualneurons_frame_encode_seconds",
        "visualneurons_frame_send_seconds",
        "visualneurons_frames_encoded_total",
        "visualneurons_frames_sent_total",
        "visualneurons_paintings_total",
        "visualneurons_queue",
        "visualneurons_received_bytes_total",
        "visualneurons_sent_bytes_total",
        "visualneurons_sockets",
        "visualneurons_step_seconds",
        "visualneurons_steps_total",
        "visualneurons_viewers",
    } <= ours


def test_the_log_names_the_painting_it_speaks_of(studio: Server) -> None:
    kept, gone = studio.post(order(3, size=64)), studio.post(order(3, size=64))
    studio.delete(**gone)
    studio.wait(lambda: studio.state(kept["painting"]) == "finished")
    lines = studio.said().splitlines()
    for event, painting in [
        ("painting accepted", kept),
        ("painting finished", kept),
        ("painting accepted", gone),
        ("painting cancelled", gone),
    ]:
        assert any(f'event="{event}" painting={painting["painting"]}' in line for line in lines), event
    assert kept["key"] not in studio.said()


def damaged(folder: Path) -> str:
    """A file that is no weights."""
    path = folder / "weights.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(1000))
    return str(path)


def broken(server: Server) -> Any:
    """What it says when it is not well; None if it is."""
    try:
        get(server.url + "healthz").close()
    except urllib.error.HTTPError as error:
        with error:
            return json.load(error) if error.code == 503 else None
    return None


@pytest.mark.parametrize("damage", [False, True])
def test_a_studio_that_cannot_paint_says_so(tmp_path: Path, damage: bool) -> None:
    weights = damaged(tmp_path) if damage else str(tmp_path / "no-such.h5")
    options = "--engine", "vgg19", "--weights", weights
    with held() as easels, serving(*options, env=os.environ | easels.env) as server:
        with get(server.url + "healthz") as answer:
            assert answer.status == 200, "it may still come to be"
        easels.let()
        health = server.wait(lambda: broken(server))
        assert health["problem"]
        assert Path(weights).name in health["problem"]
        assert [each["state"] for each in health["easels"]] == ["broken"]
        assert server.metrics()['visualneurons_easels{state="broken"}'] == 1
        told = refused(server.post, order())
        assert (told.status, told.code) == (503, "studio_broken")
        assert told.envelope["data"]["message"].startswith("This studio cannot paint: ")

        @in_loop
        async def ask() -> None:
            async with viewing(server.socket) as viewer:
                state, loading = await viewer.hear()
                assert state == "model_loading"
                assert loading["problem"] == health["problem"]
                await viewer.send("request_image", order())
                assert (await viewer.until("error"))[1]["code"] == "studio_broken"

        ask()
        with get(server.url) as answer:
            assert answer.status == 200, "the page is there all the same"
