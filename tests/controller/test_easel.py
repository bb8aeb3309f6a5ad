"""An easel in its process: what it says, when it says it, and that it goes on as if it had never stopped."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from controller import messages, timeline
from controller.frame import KEPT, Cut, parted
from controller.messages import (
    Alter,
    Checkpointed,
    Framed,
    Iterated,
    Kept,
    Loaded,
    Loading,
    Look,
    PutAside,
    Saved,
    Want,
)
from controller.scribe import CHECKPOINT_STEPS
from model import pictures
from model.checkpoint import Checkpoint
from model.recipe import Recipe
from tests.controller.easel import RECIPE, Talk, talking

ROOT = Path(__file__).resolve().parents[2]
JPEG, BINARY, PNG = Cut("jpeg"), Cut("jpeg", text=False), Cut("png")
LONG = replace(RECIPE, size=32, iterations=100)
NOBODY = Look(frozenset(), frozenset())

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def loaded() -> Iterator[Talk]:
    """An easel that has said that it can paint."""
    with talking() as talk:
        phases = []
        while isinstance(said := talk.next(), Loading):
            phases.append(said.phase)
        assert phases == ["starting", "loading", "compiling"]
        assert isinstance(said, Loaded)
        assert (said.engine, said.reason, said.smallest > 0) == ("patches", "It was asked for.", True)
        assert [pace.pixels for pace in said.seen] == sorted(pace.pixels for pace in said.seen)
        yield talk


@pytest.fixture
def easel(loaded: Talk) -> Talk:
    """The easel, at nothing, with nobody looking on."""
    loaded.send(NOBODY)
    return loaded


@pytest.fixture(scope="module")
def undisturbed(loaded: Talk) -> messages.Rested:
    """The painting as it becomes when nothing happens."""
    loaded.send(NOBODY)
    return loaded.paint()[0]


def of(kind: type[Any], said: list[Any]) -> list[Any]:
    return [message for message in said if isinstance(message, kind)]


def iterations(said: list[Any]) -> list[int]:
    return [message.facts["iteration"] for message in of(Iterated, said)]


def picture(rested: messages.Rested) -> bytes:
    assert rested.picture
    return rested.picture


def test_it_tells_each_iteration_and_leaves_a_picture(easel: Talk) -> None:
    rested, said = easel.paint()
    assert iterations(said) == list(range(60))
    assert {message.turn for message in said} == {rested.turn}
    facts = [message.facts for message in of(Iterated, said)]
    assert all(json.loads(json.dumps(each, allow_nan=False)) == each for each in facts)
    assert {each["of"] for each in facts} == {60}
    progress = [each["progress"] for each in facts]
    assert progress == sorted(progress)
    assert (progress[-1], facts[-1]["eta"]) == (100.0, 0.0)
    assert (rested.iteration, rested.refusal) == (59, None)
    assert pictures.read(picture(rested)).shape == (48, 64, 3)
    recipe = Recipe.from_dict(pictures.recipe_in(picture(rested)))
    assert (recipe.total, recipe.engine) == (60, "patches")
    assert Checkpoint.from_bytes(rested.checkpoint or b"").iteration == 59
    assert rested.seen


def test_what_is_kept_of_it_are_frames_of_the_timeline(easel: Talk) -> None:
    rested, said = easel.paint(replace(RECIPE, size=32, iterations=120))
    saved = of(Saved, said)
    assert [message.iteration for message in saved] == [each for each in range(120) if timeline.kept(each, 120, 100)]
    for message in [*saved, rested]:
        facts, image = parted(message.message if isinstance(message, Saved) else message.frame)
        assert facts["iteration"] == message.iteration
        assert facts["format"] == KEPT.format
        assert pictures.read(image).shape == (facts["height"], facts["width"], 3)


def test_without_viewers_no_frame_is_made(easel: Talk) -> None:
    _, said = easel.paint()
    assert of(Framed, said) == []


def test_frames_are_made_when_they_are_wanted_and_once_for_each_cut(easel: Talk) -> None:
    easel.send(Look(frozenset({JPEG, BINARY}), frozenset()))
    easel.begin(replace(LONG, iterations=400))
    for cut in (JPEG, BINARY):
        easel.send(Want(cut, 1))
    easel.until(Framed, lambda frame: frame.iteration > 1)
    easel.until(Framed, lambda frame: frame.iteration > 1)
    for cut in (JPEG, BINARY):
        easel.send(Want(cut, 300))
    rested, said = easel.rested()
    for cut in (JPEG, BINARY):
        frames = [message.iteration for message in of(Framed, said) if message.cut == cut]
        assert len(frames) == 2, "one that was wanted, and the last"
        assert frames[0] > 300
        assert frames[1] == 399
    last = {message.cut: message.message for message in of(Framed, said) if message.iteration == 399}
    assert base64.b64decode(json.loads(last[JPEG])["data"]["image"]) == parted(last[BINARY])[1]
    assert rested.picture


def test_what_nobody_looks_at_any_more_is_not_made(easel: Talk) -> None:
    easel.send(Look(frozenset({JPEG}), frozenset()))
    easel.begin(LONG)
    easel.send(Want(JPEG, 50))
    easel.send(NOBODY)
    _, said = easel.rested()
    assert of(Framed, said) == []


def test_who_wants_every_frame_gets_each_in_order(easel: Talk) -> None:
    easel.send(Look(frozenset({PNG}), frozenset({PNG})))
    _, said = easel.paint()
    assert [message.iteration for message in of(Framed, said)] == list(range(60))
    for message in of(Framed, said):
        assert message.cut == PNG
        assert message.message.startswith(b'{"state":"end_iteration"')


def test_what_is_wanted_of_the_next_painting_is_not_made_of_the_last(easel: Talk) -> None:
    easel.send(Look(frozenset({JPEG}), frozenset()))
    easel.paint()
    easel.send(Want(JPEG, 5))
    time.sleep(0.2)
    turn = easel.begin()
    _, said = easel.rested()
    assert [message.turn for message in of(Framed, said)] == [turn] * 2
    assert of(Framed, said)[0].iteration > 5


def test_checkpoints_come_often_enough_and_no_faster_than_they_are_kept(easel: Talk) -> None:
    turn = easel.begin(replace(LONG, size=96))
    at: list[int] = []
    kept, gaps = time.time(), [0]  # when the last one was kept, and how many iterations after that the next ones came
    while not isinstance(said := easel.next(), messages.Rested):
        if isinstance(said, Iterated):
            gaps[-1] += said.facts["at"] > kept
        elif isinstance(said, Checkpointed):
            assert Checkpoint.from_bytes(said.data).iteration == said.iteration
            at.append(said.iteration)
            easel.send(Kept(turn))
            kept = time.time()
            gaps.append(0)
    assert at == sorted(set(at))
    assert len(at) > 3
    assert max(gaps) <= 2 * CHECKPOINT_STEPS

    turn = easel.begin(LONG)
    first, _ = easel.until(Checkpointed)
    easel.send(Kept(turn - 1))
    _, said = easel.rested()
    (last,) = of(Checkpointed, said)  # the first is not kept yet: the newest to go back to waits until the end
    total = LONG.iterations
    assert last.iteration == max(at for at in range(total - 1) if timeline.kept(at, total, timeline.CHECKPOINTS))
    assert (first.turn, last.turn) == (turn, turn)
    assert said.index(last) > said.index(
        next(each for each in of(Iterated, said) if each.facts["iteration"] == total - 1)
    )


def test_a_checkpoint_to_go_back_to_waits_until_the_one_before_is_kept(easel: Talk) -> None:
    turn = easel.begin(recipe := replace(LONG, size=64, iterations=256))
    first, _ = easel.until(Checkpointed)
    easel.at(first.iteration + 16)
    easel.send(Kept(turn))
    second, _ = easel.until(Checkpointed)
    assert timeline.kept(second.iteration, 256, timeline.CHECKPOINTS)
    rested, _ = easel.rested()
    assert picture(easel.paint(recipe, checkpoint=second.data)[0]) == picture(rested)


def put_aside(easel: Talk, at: int) -> messages.Rested:
    """A painting that is put aside after this iteration; being small, it may be finished before that is heard."""
    for _ in range(20):
        turn = easel.begin()
        easel.at(at)
        easel.send(PutAside(turn, keep=True))
        aside, _ = easel.rested()
        if aside.picture is None:
            return aside
    raise AssertionError("it is never put aside")


@pytest.mark.parametrize("at", [0, 5, 30])
def test_put_aside_and_gone_on_with_it_becomes_the_same_picture(
    easel: Talk, undisturbed: messages.Rested, at: int
) -> None:
    aside = put_aside(easel, at)
    assert aside.frame
    assert aside.iteration >= at
    rested, said = easel.paint(checkpoint=aside.checkpoint)
    assert iterations(said) == list(range(aside.iteration + 1, 60))
    assert picture(rested) == picture(undisturbed), "bit for bit"


def test_from_a_checkpoint_on_its_way_it_becomes_the_same_picture(easel: Talk, undisturbed: messages.Rested) -> None:
    easel.begin()
    checkpointed, _ = easel.until(Checkpointed)
    easel.rested()
    assert picture(easel.paint(checkpoint=checkpointed.data)[0]) == picture(undisturbed)


def test_put_aside_without_a_checkpoint_leaves_nothing(easel: Talk) -> None:
    turn = easel.begin(replace(LONG, iterations=1000))
    easel.at(3)
    easel.send(PutAside(turn, keep=False))
    rested, _ = easel.rested()
    assert (rested.checkpoint, rested.picture, rested.frame) == (None, None, None)
    assert 3 <= rested.iteration < 999
    # Only what was being made when the order came may still arrive, and is known by its turn.
    _, said = easel.paint()
    for late in said:
        assert late.turn != turn or isinstance(late, Checkpointed | Saved), late


def test_what_is_painted_already_is_shown_without_painting(easel: Talk, undisturbed: messages.Rested) -> None:
    rested, said = easel.paint(checkpoint=undisturbed.checkpoint)
    assert iterations(said) == []
    assert rested.iteration == 59
    assert pictures.read(picture(rested)).tobytes() == pictures.read(picture(undisturbed)).tobytes()
    assert parted(rested.frame or b"")[0]["losses"] == {}


def test_changes_take_effect_and_are_written_down(easel: Talk) -> None:
    turn = easel.begin(LONG)
    easel.send(Alter(turn, {"style_weight": 2.0}))
    easel.send(Alter(turn, {"keep_colors": True}))
    rested, _ = easel.rested()
    recipe = Recipe.from_dict(pictures.recipe_in(picture(rested)))
    assert recipe.at(99).style_weight == 2
    assert recipe.at(99).keep_colors
    assert 1 <= min(change.iteration for change in recipe.changes) < 99


def test_settings_that_were_changed_while_it_waited_are_in_force_from_where_it_goes_on(easel: Talk) -> None:
    aside = put_aside(easel, 3)
    rested, said = easel.paint(checkpoint=aside.checkpoint, of=65, style_weight=3.0)
    recipe = Recipe.from_dict(pictures.recipe_in(picture(rested)))
    assert [recipe.at(number).style_weight for number in (aside.iteration, aside.iteration + 1)] == [1, 3]
    assert iterations(said)[-1] == 64


def test_more_is_painted_and_finish_ends_it(easel: Talk) -> None:
    turn = easel.begin()
    easel.send(Alter(turn, {"more": 3}))
    easel.send(Alter(turn, {"more": 2}))
    rested, said = easel.rested()
    assert rested.iteration == 64
    assert iterations(said) == list(range(65))

    turn = easel.begin(replace(LONG, iterations=1000))
    easel.at(2)
    easel.send(Alter(turn, {"stop": True}))
    rested, _ = easel.rested()
    assert 2 <= rested.iteration < 999
    assert pictures.read(picture(rested)).shape == (24, 32, 3)


def test_more_and_finish_in_one_breath_finish(easel: Talk) -> None:
    turn = easel.begin(LONG)
    for changes in ({"more": 5}, {"style_weight": 2.0}, {"stop": True}):
        easel.send(Alter(turn, changes))
    rested, _ = easel.rested()
    assert rested.refusal is None
    assert rested.iteration < 99
    assert rested.picture


def test_what_is_meant_for_another_turn_is_not_heard(easel: Talk) -> None:
    turn = easel.begin()
    for stale in (PutAside(turn - 1, keep=False), Alter(turn - 1, {"stop": True}), Alter(turn - 1, {"more": 9})):
        easel.send(stale)
    assert easel.rested()[0].iteration == 59


@pytest.mark.parametrize(
    ("recipe", "checkpoint", "code"),
    [
        (Recipe(engine="vgg19", size=64), None, "engine_other"),
        (replace(RECIPE, blend=(1, 2)), None, "recipe_invalid"),
        (RECIPE, b"no checkpoint", "checkpoint_unreadable"),
    ],
)
def test_what_cannot_be_painted_is_refused_and_the_easel_goes_on(
    easel: Talk, undisturbed: messages.Rested, recipe: Recipe, checkpoint: bytes | None, code: str
) -> None:
    refused, said = easel.paint(recipe, checkpoint)
    assert refused.refusal
    assert refused.refusal[0] == code
    assert all(refused.refusal)
    assert (said, refused.picture, refused.checkpoint) == ([], None, None)
    assert picture(easel.paint()[0]) == picture(undisturbed)


# ---------------------------------------------------------------- its life


def test_one_that_is_killed_says_of_what_it_died() -> None:
    with talking() as talk:
        talk.until(Loading)
        assert talk.process.pid
        os.kill(talk.process.pid, signal.SIGKILL)
        assert talk.ended() == "The easel was ended by SIGKILL."
    with talking() as talk:
        talk.process.kill("The easel hung.")
        assert talk.ended() == "The easel hung."


def test_one_that_cannot_load_says_why_and_ends(tmp_path: Path) -> None:
    with talking("vgg19", str(tmp_path / "nowhere.h5")) as talk:
        said, _ = talk.until(messages.Unloadable)
        assert "nowhere.h5" in said.message
        assert said.hint
        assert talk.ended() == "The easel ended with exit code 0."


def heard(owner: subprocess.Popen[str], kind: str) -> int:
    """Wait until an easel has said something of this kind; its process."""
    assert owner.stdout
    for line in owner.stdout:
        said, pid = line.split()
        if said == kind:
            return int(pid)
    raise AssertionError("its owner has ended")


def test_it_hears_no_signal_meant_for_the_studio_and_ends_with_it() -> None:
    command = [sys.executable, "-m", "tests.controller.owner"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        pid = heard(owner, "Loading")
        for kind in ("Loaded", "Iterated", "Rested"):
            os.kill(pid, signal.SIGINT)
            os.kill(pid, signal.SIGTERM)
            assert heard(owner, kind) == pid
        owner.kill()
        began = time.monotonic()
        owner.stdout.read()  # the end comes when nobody is left who could write
        assert time.monotonic() - began < 10
