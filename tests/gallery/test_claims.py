"""Studios that share a gallery: each painting is one studio's at a time, and one that is late can do no harm."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest

import gallery.cloud
from gallery import Gallery, Taken, opened
from tests.gallery.test_cloud import objects
from tests.gallery.test_gallery import at_once

LIFE = 90.0
FILES = {"photo": b"a photo", "checkpoints/000003": b"a checkpoint"}


class Studio(Protocol):
    """Opens one gallery in the cloud, for the studio of this name."""

    def __call__(self, name: str, life: float = LIFE) -> Gallery: ...


@pytest.fixture
def studio(cloud: str) -> Iterator[Studio]:
    """One gallery in the cloud."""
    galleries = []

    def open_for(name: str, life: float = LIFE) -> Gallery:
        galleries.append(opened(f"{cloud}&life={life}", name))
        return galleries[-1]

    yield open_for
    for each in galleries:
        each.close()


@pytest.fixture
def one(studio: Studio) -> Gallery:
    """The first studio's, which has added the painting p."""
    first = studio("one")
    assert first.add("p", {"done": False, "state": "painting"}, FILES)
    return first


@pytest.fixture
def brief(studio: Studio) -> Gallery:
    """The same, but for the claim, which runs out soon."""
    first = studio("one", 0.2)
    assert first.add("p", {"done": False, "state": "painting"}, FILES)
    return first


@pytest.fixture
def two(studio: Studio) -> Gallery:
    """Another studio's."""
    return studio("two")


def held(gallery: Gallery, painting: str = "p") -> float:
    """For how long another studio has a painting."""
    return float((gallery.facts(painting) or {}).get("held", 0.0))


def run_out(gallery: Gallery, painting: str = "p") -> None:
    """Wait until another studio's claim counts no more."""
    while seconds := held(gallery, painting):
        time.sleep(seconds)


def everything(gallery: Gallery, painting: str = "p") -> Any:
    """All that is kept of a painting."""
    facts = {name: value for name, value in (gallery.facts(painting) or {}).items() if name != "held"}
    return facts, {name: gallery.read(painting, name) for name in gallery.names(painting)}, gallery.size()


LATE: dict[str, Callable[[Gallery], Any]] = {
    "note": lambda gallery: gallery.note("p", {"state": "finished", "done": True}),
    "frame": lambda gallery: gallery.write("p", "frames/000004", b"late"),
    "checkpoint": lambda gallery: gallery.write("p", "checkpoints/000003", b"late"),
    "picture": lambda gallery: gallery.write("p", "picture", b"late"),
    "erase": lambda gallery: gallery.erase("p", ["checkpoints/000003"]),
}
late = pytest.mark.parametrize("change", LATE.values(), ids=LATE)


# ---------------------------------------------------------------- in both kinds


def test_what_a_studio_has_it_may_take_renew_change_and_let_go(gallery: Gallery) -> None:
    assert gallery.add("p", {"done": False}, FILES)
    assert gallery.claim("p") == gallery.facts("p")
    assert gallery.renew() == []
    gallery.note("p", {"state": "paused"})
    gallery.release("p")
    gallery.release("p")
    assert gallery.renew() == []
    assert (gallery.claim("p") or {})["state"] == "paused"
    gallery.write("p", "picture", b"painted")
    gallery.note("p", {"done": True})
    gallery.release("p")
    gallery.write("p", "timelapse-mp4", b"a film")
    assert gallery.delete("p")
    assert gallery.claim("p") is None
    gallery.release("p")
    assert gallery.renew() == []


def test_a_studio_that_is_opened_again_has_its_own(address: str) -> None:
    gallery = opened(address, "one")
    gallery.add("p", {"done": False}, FILES)
    if gallery.life is None:
        gallery.close()  # the lock is gone with the program that held it
    again = opened(address, "one")
    assert "held" not in (again.claim("p") or {"held": 1})
    again.note("p", {"state": "painting"})
    assert again.renew() == []
    again.close()
    gallery.close()


# ---------------------------------------------------------------- taking


def test_what_one_studio_has_no_other_can_take_or_change(one: Gallery, two: Gallery) -> None:
    before = everything(one)
    assert 0 < (two.claim("p") or {})["held"] <= LIFE
    assert [(id, "held" in facts) for id, facts in two.unfinished()] == [("p", True)]
    for change in (*LATE.values(), lambda gallery: gallery.delete("p")):
        with pytest.raises(Taken, match=r"The painting p is another studio's\."):
            change(two)
    assert everything(one) == everything(two) == before
    assert held(one) == 0
    one.note("p", {"state": "paused"})


def test_what_is_let_go_is_the_next_ones_at_once(one: Gallery, two: Gallery) -> None:
    one.note("p", {"iteration": 7})
    one.release("p")
    assert held(two) == 0
    assert (two.claim("p") or {})["iteration"] == 7
    assert held(one) > 0
    two.write("p", "checkpoints/000009", b"further")


def test_closing_lets_all_go(one: Gallery, two: Gallery) -> None:
    one.add("q", {"done": False}, {})
    one.close()
    assert "held" not in (two.claim("p") or {"held": 1})
    assert "held" not in (two.claim("q") or {"held": 1})


def test_a_claim_runs_out_unless_it_is_renewed(one: Gallery, two: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    for _ in range(4):
        assert one.renew() == []
        now += 0.9 * LIFE
        assert "held" in (two.claim("p") or {})
    now += 0.09 * LIFE
    assert "held" in (two.claim("p") or {})
    now += 0.02 * LIFE
    assert "held" not in (two.claim("p") or {"held": 1})
    assert one.renew() == ["p"]
    assert one.renew() == []


def test_one_that_ran_out_is_still_its_studios_until_another_takes_it(brief: Gallery, two: Gallery) -> None:
    run_out(two)
    brief.write("p", "frames/000004", b"a frame")
    brief.life = LIFE
    assert brief.renew() == []
    assert held(two) > 0


def test_of_many_who_want_one_at_once_one_gets_it(one: Gallery, studio: Studio) -> None:
    one.release("p")
    others = [studio(f"studio{number}") for number in range(6)]
    claims = at_once([lambda each=each: each.claim("p") for each in others])
    (winner,) = [each for each, facts in zip(others, claims, strict=True) if "held" not in facts]
    winner.note("p", {"winner": True})
    for each in others:
        if each is not winner:
            with pytest.raises(Taken):
                each.note("p", {"winner": False})


def test_of_two_who_add_one_at_once_the_winner_has_it(studio: Studio) -> None:
    pair = [studio("one"), studio("two")]
    added = at_once([lambda each=each: each.add("p", {"done": False}, FILES) for each in pair])
    winner, loser = (pair[added.index(value)] for value in (True, False))
    assert held(winner) == 0
    assert held(loser) > 0


def test_what_is_added_done_is_nobodys(one: Gallery, two: Gallery) -> None:
    one.add("done", {"done": True}, {"picture": b"x"})
    assert held(two, "done") == 0
    two.write("done", "timelapse-mp4", b"a film")
    assert two.delete("done")


@pytest.mark.parametrize("skew", [-LIFE / 3, LIFE / 3])
def test_a_clock_that_is_a_third_of_a_life_off_takes_nothing_that_is_renewed(
    one: Gallery, two: Gallery, monkeypatch: pytest.MonkeyPatch, skew: float
) -> None:
    assert one.renew() == []
    renewed = time.time()
    for since in (0.0, LIFE / 3):  # the longest between two renewals
        monkeypatch.setattr(time, "time", lambda since=since: renewed + since + skew)
        assert 0 < held(two) <= LIFE * 4 / 3 + 1
        assert "held" in (two.claim("p") or {})


# ---------------------------------------------------------------- being late


@late
def test_what_a_studio_does_after_another_took_over_changes_nothing(
    brief: Gallery, two: Gallery, s3: Any, bucket: str, change: Callable[[Gallery], Any]
) -> None:
    run_out(two)
    two.claim("p")
    two.write("p", "checkpoints/000003", b"anew")
    before, whole = everything(two), objects(s3, bucket)
    with pytest.raises(Taken):
        change(brief)
    assert everything(two) == before
    assert objects(s3, bucket) == whole


@late
def test_nor_after_the_other_has_let_go_of_it_again(
    brief: Gallery, two: Gallery, change: Callable[[Gallery], Any]
) -> None:
    run_out(two)
    two.claim("p")
    two.note("p", {"state": "paused"})
    two.release("p")
    before = everything(two)
    with pytest.raises(Taken):
        change(brief)
    assert everything(two) == before


@pytest.mark.parametrize("name", ["picture", "checkpoints/000003"])
def test_a_file_that_arrives_late_is_not_seen(
    brief: Gallery, two: Gallery, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The upload is on its way while another studio takes over, writes the same file and has done."""
    on_its_way, arrives = threading.Event(), threading.Event()
    client: Any = brief._s3  # type: ignore[attr-defined]
    upload = client.put_object

    def slowly(**asked: Any) -> Any:
        on_its_way.set()
        assert arrives.wait(30)
        return upload(**asked)

    def write() -> None:
        with pytest.raises(Taken):
            brief.write("p", name, b"late")

    monkeypatch.setattr(client, "put_object", slowly)
    late = threading.Thread(target=write)
    late.start()
    assert on_its_way.wait(30)
    run_out(two)
    two.claim("p")
    two.write("p", name, b"in time")
    two.note("p", {"done": True})
    two.release("p")
    whole = set(objects(s3, bucket))
    arrives.set()
    late.join()
    assert two.read("p", name) == b"in time"
    assert set(objects(s3, bucket)) == whole


def test_what_was_begun_under_a_former_claim_is_late_under_the_next(
    brief: Gallery, two: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that still writes for the claim that was lost, when the studio has it back."""
    items = brief._items  # type: ignore[attr-defined]
    read = items.get

    def meanwhile(painting: str) -> Any:
        monkeypatch.undo()
        run_out(two)
        two.claim("p")
        two.release("p")
        brief.release("p")
        assert "held" not in (brief.claim("p") or {"held": 1})
        return read(painting)

    monkeypatch.setattr(items, "get", meanwhile)
    with pytest.raises(Taken):
        brief.note("p", {"state": "late"})
    brief.note("p", {"state": "in time"})


@pytest.mark.parametrize("write", ["add", "replace"])
def test_a_claim_that_is_just_being_made_is_not_taken_for_lost(
    one: Gallery, two: Gallery, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    """While a painting is added or taken, another thread renews all that there is."""
    one.release("p")
    items = two._items  # type: ignore[attr-defined]
    through = getattr(items, write)

    def meanwhile(*stored: Any) -> Any:
        monkeypatch.undo()
        assert two.renew() == []
        return through(*stored)

    monkeypatch.setattr(items, write, meanwhile)
    painting = {"add": "q", "replace": "p"}[write]
    if write == "add":
        assert two.add(painting, {"done": False}, FILES)
    assert "held" not in (two.claim(painting) or {"held": 1})
    assert two.renew() == []
    two.note(painting, {"state": "painting"})
    assert held(one, painting)


# ---------------------------------------------------------------- sweeping


def test_sweeping_spares_what_another_studio_has(one: Gallery, studio: Studio, two: Gallery) -> None:
    brief = studio("three", 0.2)
    brief.add("q", {"done": False}, {})
    two.add("done", {"done": True}, {"picture": b"x"})
    run_out(two, "q")
    assert two.sweep(0, 0, ()) == ["done", "q"]
    assert one.facts("p") is not None
    assert two.size() == sum(map(len, FILES.values()))
    assert brief.renew() == ["q"]
    with pytest.raises(gallery.Gone):
        brief.note("q", {})


def test_of_many_who_sweep_at_once_none_deletes_more_than_is_too_much(studio: Studio) -> None:
    galleries = [studio(f"studio{number}") for number in range(4)]
    for number in range(8):
        galleries[0].add(f"p{number}", {"done": True}, {"picture": b"x" * 10})
    swept = at_once([lambda each=each: each.sweep(3600, 40, ()) for each in galleries])
    assert sorted(name for each in swept for name in each) == ["p0", "p1", "p2", "p3"]
    assert galleries[0].size() == 40


def test_all_of_the_gallery_is_looked_through_only_now_and_then(
    one: Gallery, two: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    for each in (one, two):
        client: Any = each._dynamodb  # type: ignore[attr-defined]
        client.meta.events.register("before-call.dynamodb.Scan", lambda **_: looks.append("scan"))
    for each in (one, two, one):
        assert each.sweep(3600, 1000, ()) == []
    assert len(looks) == 1
    one.add("done", {"done": True}, {"picture": b"x" * 1000})
    assert two.sweep(3600, 1000, ()) == ["done"], "there was too much"
    assert len(looks) == 2
    monkeypatch.setattr(gallery.cloud, "LOOKS", 1_000_000_000)
    assert two.sweep(3600, 1000, ()) == []
    assert len(looks) == 3


def test_the_key_of_a_file_is_where_it_is(one: Gallery, s3: Any, bucket: str) -> None:
    assert one.key("p", "picture") is None
    one.write("p", "picture", b"painted")
    key = one.key("p", "picture")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"painted"
    assert key
    assert key.startswith(f"kept/here/{bucket}/p/")
