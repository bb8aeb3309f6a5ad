"""The socket: what may be asked of a painting, by whom, and what comes of it."""

from __future__ import annotations

import asyncio
import io
import json
import random
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from model.pictures import recipe_in
from tests.server.process import Server, get, serving
from tests.server.viewer import Viewer, base64_of, in_loop, order, picture, viewing

pytestmark = pytest.mark.slow

SMALL = {"size": 64, "format": "jpeg"}


@pytest.fixture(scope="module")
def studio() -> Iterator[Server]:
    """A server that can paint, and keeps all frames, however slow the disk is."""
    with serving(changed="import controller.keeper; controller.keeper.PILED_UP = 1000.0") as server:
        yield server.loaded()


def finished(studio: Server, painting: str) -> bytes:
    """The finished picture."""
    with get(f"{studio.url}paintings/{painting}/picture") as answer:
        return answer.read()


async def reach(viewer: Viewer, iteration: int) -> int:
    """Look on until this iteration is shown, or a later one."""
    while not viewer.frames or viewer.frames[-1].iteration < iteration:
        await viewer.until("end_iteration")
    return viewer.frames[-1].iteration


async def refusal(viewer: Viewer, action: str, data: Any = None) -> str:
    """The code of the refusal that is the answer to this."""
    await viewer.send(action, data)
    _, told = await viewer.until("error")
    assert told.keys() == {"code", "message", "hint"}
    assert told["message"].endswith(".")
    assert told["hint"].endswith(".")
    code: str = told["code"]
    return code


# ---------------------------------------------------------------- frames


@in_loop
async def test_who_asks_as_in_the_original_sees_every_iteration_and_then_the_end(studio: Server) -> None:
    async with viewing(studio.socket) as viewer:
        assert [(await viewer.hear())[0] for _ in range(2)] == ["model_loading", "model_loaded"]
        await viewer.request(iterations=12)
        await viewer.until("end")
        assert [frame.iteration for frame in viewer.frames] == list(range(12))
        began = [data["iteration"] for state, data in viewer.states if state == "start_iteration"]
        assert began == list(range(12))
        assert {frame.picture.format for frame in viewer.frames} == {"PNG"}
        assert await viewer.hear() == ("closed", 1000)


@pytest.mark.parametrize("frames", ["", "?frames=binary"])
@pytest.mark.parametrize("format", ["png", "jpeg", "webp"])
def test_frames_are_what_was_asked_for(studio: Server, format: str, frames: str) -> None:
    @in_loop
    async def look() -> None:
        async with viewing(studio.socket + frames) as viewer:
            painting, _ = await viewer.request(iterations=6, size=96, format=format)
            _, end = await viewer.until("end")
            assert end["painting"] == painting
            assert end["iterations"] == 6
            assert viewer.frames[-1].iteration == 5
            for frame in viewer.frames:
                facts = frame.facts
                assert frame.picture.format == format.upper()
                assert frame.picture.size == (facts["width"], facts["height"])
                assert facts["format"] == format
                assert facts["of"] == 6
                assert facts["losses"].keys() == {"total", "style", "content", "variation"}
                assert {"scale", "elapsed", "eta"} <= facts.keys()
            assert viewer.frames[-1].picture.size == (96, 64)

    look()


# ---------------------------------------------------------------- what is painted


@in_loop
async def test_artworks_of_the_collection_are_blended_by_name(studio: Server) -> None:
    names = [each["name"] for each in studio.json("artworks")["artworks"][:2]]
    async with viewing(studio.socket) as viewer:
        painting, _ = await viewer.request(iterations=4, style_image=None, artwork=names, blend=[3, 1], **SMALL)
        await viewer.until("end")
    recipe = studio.json(f"paintings/{painting}")["recipe"]
    assert [each["name"] for each in recipe["artworks"]] == names
    assert recipe["blend"] == [3, 1]
    assert recipe_in(finished(studio, painting))["blend"] == [3, 1]


@in_loop
async def test_a_blend_leans_towards_the_artwork_with_the_greater_share(studio: Server) -> None:
    red, blue = (base64_of(plain(colour)) for colour in [(200, 20, 20), (20, 20, 200)])
    redness = {}
    for blend in [(9, 1), (1, 9)]:
        async with viewing(studio.socket) as viewer:
            painting, _ = await viewer.request(
                iterations=20, style_image=None, style_images=[red, blue], blend=blend, **SMALL
            )
            await viewer.until("end")
        pixels = np.asarray(Image.open(io.BytesIO(finished(studio, painting))), float)
        redness[blend] = float((pixels[..., 0] - pixels[..., 2]).mean())
    assert redness[9, 1] > redness[1, 9] + 20


@in_loop
async def test_the_photos_colours_can_be_kept(studio: Server) -> None:
    grey, red = base64_of(plain((128, 128, 128))), base64_of(plain((220, 30, 30)))
    colour = {}
    for keep in (False, True):
        async with viewing(studio.socket) as viewer:
            painting, _ = await viewer.request(
                iterations=20,
                content_image=grey,
                style_image=red,
                keep_colors=keep,
                **SMALL,
            )
            await viewer.until("end")
        pixels = np.asarray(Image.open(io.BytesIO(finished(studio, painting))), float)
        colour[keep] = float(np.ptp(pixels, axis=-1).mean())
    assert colour[False] > 60
    assert colour[True] < 15


def plain(colour: tuple[int, int, int]) -> bytes:
    """A PNG of one colour, with some noise."""
    pixels = np.array(colour) + np.random.default_rng(0).integers(-15, 16, (64, 64, 1))
    file = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


# ---------------------------------------------------------------- what an owner may do


@in_loop
async def test_an_owner_steers_pauses_resumes_finishes_and_asks_for_more(studio: Server) -> None:
    async with viewing(studio.socket + "?frames=binary") as first:
        painting, key = await first.request(iterations=5000, **SMALL)
        seen = asyncio.create_task(first.until("end"))
        async with viewing(studio.socket + "?frames=binary") as owner:
            await owner.send("watch", {"painting": painting, "key": key, "format": "jpeg"})
            await reach(owner, 10)

            await owner.send("steer", {"style_weight": 3, "keep_colors": True})
            await owner.send("pause")
            _, paused = await owner.until("paused")
            described = studio.json(f"paintings/{painting}")
            assert described["settings"]["style_weight"] == 3
            assert described["settings"]["keep_colors"] is True
            assert described["state"] == "paused"
            assert await refusal(owner, "pause") == "move_illegal"
            await asyncio.to_thread(studio.rested)
            halted = studio.json(f"paintings/{painting}")["iteration"]
            await asyncio.sleep(0.3)
            assert studio.json(f"paintings/{painting}")["iteration"] == halted >= paused["iteration"]

            await owner.send("resume")
            reached = await reach(owner, halted + 5)
            assert await refusal(owner, "resume") == "move_illegal"

            await owner.send("finish")
            _, end = await owner.until("end")
            assert reached < end["iterations"] < 5000
            assert owner.frames[-1].iteration == end["iterations"] - 1
            for action in ("pause", "resume", "finish"):
                assert await refusal(owner, action) == "move_illegal"

            await owner.send("more", {"iterations": 7})
            _, again = await owner.until("end")
            assert again["iterations"] == end["iterations"] + 7
            assert owner.frames[-1].iteration == again["iterations"] - 1

        assert (await seen)[1] == end
    recipe = json.dumps(recipe_in(finished(studio, painting)))
    assert '"style_weight": 3' in recipe
    assert '"keep_colors": true' in recipe
    assert studio.json(f"paintings/{painting}")["progress"] == 100


@in_loop
async def test_rewinding_goes_back_and_on_with_the_settings_of_now(studio: Server) -> None:
    async with viewing(studio.socket + "?frames=binary") as owner:
        painting, _ = await owner.request(painting="rewound", iterations=1024, **SMALL)
        await reach(owner, 140)
        checkpoint = studio.log.with_name("gallery") / "paintings" / painting / "checkpoints" / "000127"
        await asyncio.to_thread(studio.wait, checkpoint.exists)
        await owner.send("pause")
        await owner.until("paused")
        await asyncio.to_thread(studio.rested)
        await owner.send("steer", {"style_weight": 2})
        await owner.send("rewind", {"iteration": 135})
        await owner.send("resume")
        shown = len(owner.frames)
        while len(owner.frames) < shown + 10:
            await owner.until("end_iteration")
        await owner.send("finish")
        _, end = await owner.until("end")
        assert owner.frames[-1].iteration == end["iterations"] - 1
    changes = recipe_in(finished(studio, painting))["changes"]
    assert isinstance(changes, list)
    *steered, finish = changes
    assert finish["settings"] == {"stop": True}
    # Each 128th of 1024 iterations can be gone back to.
    assert [(each["iteration"], each["settings"]) for each in steered] == [(128, {"style_weight": 2})]


@in_loop
async def test_a_finished_painting_is_rewound(studio: Server) -> None:
    async with viewing(studio.socket) as viewer:
        painting, key = await viewer.request(iterations=64, **SMALL)
        await viewer.until("end")
    async with viewing(studio.socket) as owner:
        await owner.send("watch", {"painting": painting, "key": key})
        await owner.until("end")
        before = studio.metrics()["visualneurons_steps_total"]
        await owner.send("rewind", {"iteration": 20})
        await owner.until("end")
        assert owner.frames[-1].iteration == 63
    assert 63 - 20 <= studio.metrics()["visualneurons_steps_total"] - before < 64


@in_loop
async def test_who_is_not_the_owner_only_looks_on(studio: Server) -> None:
    async with viewing(studio.socket) as owner, viewing(studio.socket) as guest:
        painting, _ = await owner.request(iterations=5000, **SMALL)
        wrong = {"painting": painting, "key": "not-the-key"}
        assert await refusal(guest, "watch", wrong) == "key_wrong"
        await guest.send("watch", {"painting": painting})
        await guest.until("end_iteration")
        for action, data in [
            ("steer", {"style_weight": 2}),
            ("pause", None),
            ("resume", None),
            ("finish", None),
            ("more", {"iterations": 1}),
            ("rewind", {"iteration": 0}),
        ]:
            assert await refusal(guest, action, data) == "key_wrong"
        await owner.send("finish")
        await guest.until("end")
        assert await guest.hear() == ("closed", 1000)


@in_loop
async def test_what_an_owner_may_not_do_is_refused_and_changes_nothing(studio: Server) -> None:
    async with viewing(studio.socket) as owner:
        painting, _ = await owner.request(iterations=9000, **SMALL)
        await owner.until("end_iteration")
        for action, data, code in [
            ("steer", {"style_weight": -1}, "setting_invalid"),
            ("steer", {"style_weight": "much"}, "setting_invalid"),
            ("steer", {"blend": [1, 2, 3]}, "recipe_invalid"),
            ("steer", {"size": 64}, "field_invalid"),
            ("steer", {"stop": True}, "field_invalid"),
            ("more", {"iterations": 0}, "setting_invalid"),
            ("more", {"iterations": 9000}, "iterations_many"),
            ("more", None, "setting_invalid"),
            ("rewind", {"iteration": 8999}, "move_illegal"),
            ("rewind", {"iteration": -1}, "field_invalid"),
            ("rewind", None, "field_invalid"),
            ("request_image", order(), "painting_busy"),
            ("watch", {"painting": painting}, "painting_busy"),
        ]:
            assert await refusal(owner, action, data) == code, (action, data)
        described = studio.json(f"paintings/{painting}")
        assert described["of"] == 9000
        assert described["settings"]["style_weight"] == 1
        await owner.send("finish")
        await owner.until("end")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("not JSON", "message_invalid"),
        ('{"action": "close", "data": NaN}', "message_invalid"),
        ("[]", "message_invalid"),
        ('{"action": 1}', "message_invalid"),
        ('{"action": "watch", "data": []}', "message_invalid"),
        ("[" * 50_000, "message_invalid"),
        (b'{"action": "close"}', "message_invalid"),
        ('{"action": "dance"}', "action_unknown"),
        ('{"action": "close", "data": {"now": true}}', "field_invalid"),
        ({"painting": "no-such-painting"}, "painting_unknown"),
        ({"painting": "no/painting"}, "painting_id_invalid"),
        ({}, "painting_id_invalid"),
        ({"painting": "a", "format": "bmp"}, "format_unknown"),
        ({"painting": "a", "from": -1}, "field_invalid"),
        ({"painting": "a", "key": "short"}, "field_invalid"),
        ('{"action": "pause"}', "move_illegal"),
        ('{"action": "more", "data": {"iterations": 5}}', "move_illegal"),
    ],
)
def test_a_message_that_cannot_be_followed_is_refused_by_code(
    studio: Server, message: str | bytes | dict[str, Any], code: str
) -> None:
    @in_loop
    async def send() -> None:
        async with viewing(studio.socket) as viewer:
            raw = json.dumps({"action": "watch", "data": message}) if isinstance(message, dict) else message
            await viewer.socket.write_message(raw, binary=isinstance(message, bytes))
            assert (await viewer.until("error"))[1]["code"] == code
            await viewer.send("close")
            assert await viewer.until("closed") == ("closed", 1000)

    send()


UNPAINTABLE: list[tuple[dict[str, Any], str]] = [
    ({"content_image": None}, "field_invalid"),
    ({"content_image": 3}, "field_invalid"),
    ({"content_image": "***"}, "field_invalid"),
    ({"content_image": ""}, "picture_empty"),
    ({"content_image": base64_of(b"a text")}, "picture_unreadable"),
    ({"content_image": base64_of(picture()[:2000])}, "picture_truncated"),
    ({"content_image": base64_of(b"<svg xmlns='http://www.w3.org/2000/svg'/>")}, "picture_vector"),
    ({"content_image": base64_of(picture(4, 4))}, "picture_too_small"),
    ({"style_image": None}, "artwork_missing"),
    ({"style_images": [base64_of(picture(16, 16))] * 8}, "artworks_many"),
    ({"style_images": "one"}, "field_invalid"),
    ({"artwork": "no_such_artwork"}, "artwork_unknown"),
    ({"artwork": [1]}, "field_invalid"),
    ({"blend": [1, 2]}, "recipe_invalid"),
    ({"iterations": 0}, "setting_invalid"),
    ({"iterations": "many"}, "setting_invalid"),
    ({"size": 1e9}, "setting_invalid"),
    ({"engine": "vgg19"}, "engine_unavailable"),
    ({"engine": "oil"}, "setting_invalid"),
    ({"format": "tiff"}, "format_unknown"),
    ({"painting": "x" * 65}, "painting_id_invalid"),
    ({"key": "with spaces in it"}, "field_invalid"),
    ({"frames": "all"}, "field_invalid"),
]


@in_loop
async def test_an_order_that_cannot_be_painted_is_refused_and_another_may_follow(studio: Server) -> None:
    async with viewing(studio.socket) as viewer:
        for fields, code in UNPAINTABLE:
            assert await refusal(viewer, "request_image", order(**{"iterations": 2, **fields})) == code, fields
        await viewer.request(iterations=1, **SMALL)
        await viewer.until("end")


# ---------------------------------------------------------------- watching


@in_loop
async def test_a_late_joiner_sees_what_was_kept_in_order_and_then_what_comes(studio: Server) -> None:
    kept = "paintings/late/frames/000083"
    async with viewing(studio.socket) as owner, viewing(studio.socket + "?frames=binary") as late:
        painting, _ = await owner.request(painting="late", iterations=400, **SMALL)
        await reach(owner, 150)
        await asyncio.to_thread(studio.wait, studio.log.with_name("gallery").joinpath(kept).exists)
        await late.send("watch", {"painting": painting, "from": 40, "format": "jpeg"})
        await late.until("end")
        shown = [frame.iteration for frame in late.frames]
        assert shown == sorted(set(shown))
        assert shown[-1] == 399
        # Of 400 iterations every fourth is kept; the last few may still have been on their way to the gallery.
        assert shown[:10] == list(range(43, 83, 4))
        assert len([each for each in shown if each > 200]) > 10, "it sees live frames, too"


@in_loop
async def test_a_finished_painting_can_be_watched(studio: Server) -> None:
    async with viewing(studio.socket) as owner:
        painting, key = await owner.request(iterations=30, **SMALL)
        _, end = await owner.until("end")
    async with viewing(studio.socket) as viewer:
        await viewer.send("watch", {"painting": painting})
        assert (await viewer.until("end"))[1] == end
        assert [frame.iteration for frame in viewer.frames] == [29], "the newest is enough"
        assert await viewer.hear() == ("closed", 1000)
    async with viewing(studio.socket + "?frames=binary") as viewer:
        await viewer.send("watch", {"painting": painting, "from": 0})
        assert (await viewer.until("end"))[1] == end
        assert [frame.iteration for frame in viewer.frames] == list(range(30)), "of so few all are kept"
    async with viewing(studio.socket) as viewer:
        await viewer.send("watch", {"painting": painting, "key": key})
        await viewer.until("end")
        with pytest.raises(asyncio.TimeoutError):
            await viewer.hear(0.5)
        await viewer.send("close")
        assert await viewer.until("closed") == ("closed", 1000)


@in_loop
async def test_closing_the_socket_does_not_end_the_painting(studio: Server) -> None:
    async with viewing(studio.socket) as viewer:
        painting, _ = await viewer.request(iterations=100, **SMALL)
        await viewer.until("end_iteration")
    await asyncio.to_thread(studio.wait, lambda: studio.state(painting) == "finished")


# ---------------------------------------------------------------- the same painting asked for again


def accepted(studio: Server) -> float:
    return studio.metrics().get('visualneurons_paintings_total{state="accepted"}', 0)


@in_loop
async def test_the_same_id_sent_twice_attaches_and_never_paints_twice(studio: Server) -> None:
    before = accepted(studio)
    mine = {"painting": "mine-and-only_mine", "iterations": 5000, **SMALL}
    async with viewing(studio.socket) as first, viewing(studio.socket) as second, viewing(studio.socket) as third:
        painting, key = await first.request(**mine)
        assert painting == mine["painting"]
        assert len(key) >= 16
        assert await second.request(**mine, seed=5) == (painting, None)
        assert await refusal(second, "pause") == "key_wrong"
        assert await third.request(**mine, key=key) == (painting, key)
        await third.send("finish")
        ends = [await viewer.until("end") for viewer in (first, second, third)]
        assert ends[0] == ends[1] == ends[2]
    async with viewing(studio.socket) as later:
        assert await later.request(**mine, key="some-other-key") == (painting, None)
        assert await later.until("end") == ends[0]
        assert await later.until("closed") == ("closed", 1000)
    assert accepted(studio) == before + 1


@in_loop
async def test_the_same_id_from_many_sockets_at_once_is_painted_once(studio: Server) -> None:
    before = accepted(studio)
    mine = {"painting": "at-once", "iterations": 20, **SMALL}
    viewers = [viewing(studio.socket) for _ in range(6)]
    opened = [await viewer.__aenter__() for viewer in viewers]
    answers = await asyncio.gather(*(viewer.request(**mine, seed=number) for number, viewer in enumerate(opened)))
    assert {painting for painting, _ in answers} == {"at-once"}
    assert len([key for _, key in answers if key]) == 1, "it has one owner"
    ends = await asyncio.gather(*(viewer.until("end") for viewer in opened))
    assert len({str(end) for end in ends}) == 1
    for viewer in viewers:
        await viewer.__aexit__(None, None, None)
    assert accepted(studio) == before + 1


@in_loop
async def test_a_key_of_ones_own_makes_every_socket_that_has_it_the_owner(studio: Server) -> None:
    mine = {"painting": "with-a-key", "key": "a-key-of-my-own", "iterations": 3000, **SMALL}
    async with viewing(studio.socket) as first, viewing(studio.socket) as second:
        answers = await asyncio.gather(first.request(**mine), second.request(**mine))
        assert answers == [("with-a-key", "a-key-of-my-own")] * 2
        await second.send("pause")
        await first.until("paused")
        await first.send("finish")
        await asyncio.gather(first.until("end"), second.until("end"))


def codes(viewer: Viewer) -> set[str]:
    """The codes of all errors that a viewer was told."""
    return {data["code"] for state, data in viewer.states if state == "error"}


@in_loop
async def test_two_owners_racing_do_no_harm(studio: Server) -> None:
    chance = random.Random(3)

    async def race(viewer: Viewer, until: float) -> None:
        while time.monotonic() < until:
            iteration = chance.randrange(1 + (viewer.frames[-1].iteration if viewer.frames else 0))
            action, data = chance.choice(
                [
                    ("steer", {"style_weight": chance.uniform(0.5, 3)}),
                    ("pause", None),
                    ("resume", None),
                    ("resume", None),
                    ("rewind", {"iteration": iteration}),
                    ("more", {"iterations": 1}),
                ]
            )
            await viewer.send(action, data)
            await asyncio.sleep(chance.uniform(0.05, 0.15))

    async with viewing(studio.socket) as first, viewing(studio.socket) as second:
        painting, key = await first.request(iterations=5000, **SMALL)
        await second.send("watch", {"painting": painting, "key": key})
        hearing = [asyncio.create_task(viewer.until("closed", seconds=10)) for viewer in (first, second)]
        until = time.monotonic() + 6
        await asyncio.gather(race(first, until), race(second, until))
        for viewer in (first, second):
            await viewer.send("watch", {"painting": painting})  # the answer comes when all before it is done
            while "painting_busy" not in codes(viewer):
                await asyncio.sleep(0.02)
        await first.send("resume")
        await asyncio.to_thread(studio.wait, lambda: studio.state(painting) in ("queued", "painting"))
        await asyncio.sleep(0.2)
        await first.send("finish")
        await asyncio.to_thread(studio.wait, lambda: studio.state(painting) == "finished")
        for task in hearing:
            task.cancel()
        await asyncio.gather(*hearing, return_exceptions=True)
        assert codes(first) | codes(second) <= {"move_illegal", "painting_busy"}
    described = studio.json(f"paintings/{painting}")
    assert described["iteration"] == described["of"] - 1
    with Image.open(io.BytesIO(finished(studio, painting))) as image:
        assert image.size == (64, 43)
    assert "level=error" not in studio.said()
    assert "traceback" not in studio.said()
