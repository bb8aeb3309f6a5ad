"""What every gallery does, in a folder and in the cloud."""

from __future__ import annotations

import itertools
import json
import math
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gallery import Gallery, Gone, opened

FILES = {"photo": b"a photo", "artwork0": b"\x00\xff" * 50, "checkpoints/000000": b""}
SIZE = 107
NOT_IDS = ["", ".", "..", "a/b", "../a", "a\\b", "a\n", "a\x00", "C:", "*", "é", "a" * 65]
NOT_NAMES = [
    "",
    "/",
    "/etc/passwd",
    "..",
    "../x",
    "a/../../x",
    "a//b",
    "a/",
    "a/.",
    "facts.json",
    "a\\b",
    "a\x00",
    "a\n",
]


def at_once(tasks: list[Callable[[], Any]]) -> list[Any]:
    """What the tasks return, all started at the same moment."""
    start = threading.Barrier(len(tasks))

    def started(task: Callable[[], Any]) -> Any:
        start.wait()
        return task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(started, tasks))


def ids(found: list[tuple[str, Any]]) -> list[str]:
    return [painting for painting, _ in found]


class TestAdd:
    def test_keeps_files_and_facts(self, gallery: Gallery) -> None:
        before = time.time()
        assert gallery.add("p", {"recipe": {"seed": 1, "blend": [0.5]}, "key": "ß"}, FILES)
        assert {name: gallery.read("p", name) for name in gallery.names("p")} == FILES
        facts = gallery.facts("p") or {}
        assert before - 0.01 <= facts.pop("created") == facts.pop("touched") <= time.time()
        assert facts == {"recipe": {"seed": 1, "blend": [0.5]}, "key": "ß"}

    def test_a_painting_may_have_no_files_and_no_facts(self, gallery: Gallery) -> None:
        assert gallery.add("p", {}, {})
        assert gallery.facts("p") is not None
        assert gallery.names("p") == []
        assert gallery.size() == 0

    def test_a_second_of_the_same_id_changes_nothing(self, gallery: Gallery) -> None:
        gallery.add("p", {"who": 1}, FILES)
        kept = gallery.facts("p")
        assert not gallery.add("p", {"who": 2}, {"photo": b"another", "more": b"x"})
        assert gallery.facts("p") == kept
        assert {name: gallery.read("p", name) for name in gallery.names("p")} == FILES
        assert gallery.size() == SIZE

    def test_ids_that_differ_by_capitals_are_two(self, gallery: Gallery) -> None:
        assert gallery.add("Ab", {}, {"photo": b"1"})
        assert gallery.add("aB", {}, {"photo": b"2"})
        assert (gallery.read("Ab", "photo"), gallery.read("aB", "photo"), gallery.read("ab", "photo")) == (
            b"1",
            b"2",
            None,
        )

    def test_of_many_at_once_one_wins_with_its_files(self, gallery: Gallery) -> None:
        def adding(number: int) -> Callable[[], bool]:
            files = {"photo": b"%d" % number * 10, f"only{number}": b"x"}
            return lambda: gallery.add("p", {"who": number}, files)

        added = at_once([adding(number) for number in range(8)])
        assert sorted(added) == [False] * 7 + [True]
        winner = added.index(True)
        assert (gallery.facts("p") or {})["who"] == winner
        assert gallery.read("p", "photo") == b"%d" % winner * 10
        assert gallery.names("p") == [f"only{winner}", "photo"]
        assert gallery.size() == 11

    def test_the_facts_created_and_touched_are_the_gallerys_own(self, gallery: Gallery) -> None:
        gallery.add("p", {"created": 1, "touched": 2}, {})
        gallery.note("p", {"created": 1, "touched": 2})
        facts = gallery.facts("p") or {}
        assert min(facts["created"], facts["touched"]) > 1e9


class TestNote:
    def test_adds_changes_and_forgets_facts(self, gallery: Gallery) -> None:
        gallery.add("p", {"state": "queued", "reason": "none", "left": None}, FILES)
        created = gallery.facts("p") or {}
        gallery.note("p", {"state": "painting", "reason": None, "losses": [1.5, None, 1e-300], "big": 2**53})
        facts = gallery.facts("p") or {}
        assert facts["created"] == created["created"]
        assert facts["touched"] > created["touched"]
        assert {name: facts[name] for name in facts.keys() - {"created", "touched"}} == {
            "state": "painting",
            "losses": [1.5, None, 1e-300],
            "big": 2**53,
        }

    def test_a_loss_that_is_no_number_can_be_noted(self, gallery: Gallery) -> None:
        gallery.add("p", {"loss": math.nan, "done": True}, {})
        gallery.note("p", {"state": "painting"})
        facts = gallery.facts("p") or {}
        assert facts["state"] == "painting"
        assert math.isnan(facts["loss"])
        assert gallery.sweep(0, 0, ()) == ["p"]

    def test_facts_that_are_told_are_a_copy(self, gallery: Gallery) -> None:
        gallery.add("p", {"recipe": {"seed": 1}}, {})
        (gallery.facts("p") or {})["recipe"]["seed"] = 2
        assert (gallery.facts("p") or {})["recipe"] == {"seed": 1}

    def test_none_noted_at_once_is_lost(self, gallery: Gallery) -> None:
        gallery.add("p", {}, {})
        at_once([lambda name=f"n{number}": gallery.note("p", {name: 1}) for number in range(6)])
        assert {f"n{number}" for number in range(6)} <= (gallery.facts("p") or {}).keys()

    def test_of_what_is_not_there_is_gone(self, gallery: Gallery) -> None:
        with pytest.raises(Gone, match=r"no painting p in the gallery\."):
            gallery.note("p", {"state": "painting"})
        assert gallery.facts("p") is None


class TestFiles:
    def test_a_file_is_replaced(self, gallery: Gallery) -> None:
        gallery.add("p", {}, FILES)
        gallery.write("p", "photo", b"longer than it was")
        gallery.write("p", "frames/000001", b"12345")
        assert gallery.read("p", "photo") == b"longer than it was"
        assert gallery.read("p", "frames/000001") == b"12345"
        assert gallery.names("p") == ["artwork0", "checkpoints/000000", "frames/000001", "photo"]
        assert gallery.size() == 100 + 18 + 5

    def test_a_reader_sees_the_old_or_the_new(self, gallery: Gallery) -> None:
        versions = [bytes([number]) * 200_000 for number in range(12)]
        gallery.add("p", {}, {"picture": versions[0]})
        seen: list[bytes | None] = []
        is_over = threading.Event()

        def reading() -> None:
            while not is_over.is_set():
                seen.append(gallery.read("p", "picture"))

        def writing() -> None:
            try:
                for number in range(10_000):
                    gallery.write("p", "picture", versions[number % 12])
                    if number >= 12 and len(seen) > 4:
                        break
            finally:
                is_over.set()

        at_once([reading, reading, writing])
        assert len(seen) > 4
        assert set(seen) <= set(versions)

    def test_the_size_is_right_after_many_writes_at_once(self, gallery: Gallery) -> None:
        for number in range(4):
            gallery.add(f"p{number}", {}, FILES)

        def working(number: int) -> None:
            for step in range(5):
                gallery.write(f"p{number}", "picture", b"x" * (step * 7 + number))
                gallery.write(f"p{number}", f"frames/{step}", b"x" * 11)
            gallery.erase(f"p{number}", ["frames/0", "frames/1"])

        at_once([lambda number=number: working(number) for number in range(4)])
        assert gallery.size() == sum(SIZE + 28 + number + 33 for number in range(4))

    def test_what_is_not_there_is_none(self, gallery: Gallery) -> None:
        gallery.add("p", {}, FILES)
        assert gallery.read("p", "picture") is None
        assert gallery.read("p", "checkpoints") is None
        assert gallery.read("p", "photo/x") is None
        assert gallery.read("q", "photo") is None
        assert gallery.names("q") == []

    def test_a_file_of_what_is_not_there_is_gone(self, gallery: Gallery) -> None:
        with pytest.raises(Gone):
            gallery.write("p", "frames/000001", b"12345")
        assert gallery.read("p", "frames/000001") is None
        assert gallery.size() == 0
        assert gallery.add("p", {}, FILES)
        assert gallery.names("p") == sorted(FILES)

    def test_erasing_passes_over_what_is_not_there(self, gallery: Gallery) -> None:
        gallery.add("p", {}, FILES)
        gallery.erase("p", ["photo", "picture", "frames/000001", "photo"])
        gallery.erase("q", ["photo"])
        assert gallery.names("p") == ["artwork0", "checkpoints/000000"]
        assert gallery.read("p", "photo") is None
        assert gallery.size() == 100
        gallery.write("p", "photo", b"again")
        assert gallery.read("p", "photo") == b"again"


class TestDelete:
    def test_nothing_is_left(self, gallery: Gallery) -> None:
        gallery.add("p", {"done": False}, FILES)
        gallery.add("q", {}, FILES)
        assert gallery.delete("p")
        assert not gallery.delete("p")
        assert gallery.facts("p") is None
        assert gallery.names("p") == []
        assert gallery.read("p", "photo") is None
        assert ids(gallery.unfinished()) == ["q"]
        assert gallery.size() == SIZE

    def test_the_id_can_be_used_again(self, gallery: Gallery) -> None:
        gallery.add("p", {"who": 1}, FILES)
        gallery.delete("p")
        assert gallery.add("p", {"done": True}, {"photo": b"new"})
        assert gallery.names("p") == ["photo"]
        assert "who" not in (gallery.facts("p") or {})

    def test_of_many_at_once_one_deletes(self, gallery: Gallery) -> None:
        gallery.add("p", {}, FILES)
        assert sorted(at_once([lambda: gallery.delete("p")] * 4)) == [False, False, False, True]
        assert gallery.size() == 0


class TestUnfinished:
    def test_is_told_in_the_order_of_adding(self, gallery: Gallery) -> None:
        names = ["c", "a", "B", "d", "0"]
        for name in names:
            gallery.add(name, {"done": False, "name": name}, {})
        gallery.note("c", {"state": "painting"})
        gallery.note("d", {"done": True})
        found = gallery.unfinished()
        assert ids(found) == ["c", "a", "B", "0"]
        assert all(facts == gallery.facts(name) and facts["name"] == name for name, facts in found)

    def test_one_that_goes_on_is_unfinished_again(self, gallery: Gallery) -> None:
        gallery.add("p", {"done": True}, {})
        gallery.add("q", {}, {})
        assert ids(gallery.unfinished()) == ["q"]
        gallery.note("p", {"done": False})
        assert ids(gallery.unfinished()) == ["p", "q"]


class TestSweep:
    @pytest.fixture
    def hung(self, gallery: Gallery) -> Gallery:
        """Six paintings of 10 bytes, the even ones not done, touched in the order of their numbers."""
        for number in range(6):
            gallery.add(f"p{number}", {"done": number % 2 == 1}, {"photo": b"x" * 10})
        return gallery

    @pytest.fixture
    def later(self, hung: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
        """A quarter of an hour after they were hung."""
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + 900)

    @pytest.mark.parametrize(
        ("most", "spare", "swept"),
        [
            (60, "", []),
            (59, "", ["p1"]),
            (30, "", ["p1", "p3", "p5"]),
            (29, "", ["p1", "p3", "p5", "p0"]),
            (40, "p1", ["p3", "p5"]),
            (0, "p1 p2", ["p3", "p5", "p0", "p4"]),
        ],
    )
    def test_by_size(self, hung: Gallery, most: int, spare: str, swept: list[str]) -> None:
        assert hung.sweep(3600, most, spare.split()) == swept
        assert hung.size() == 60 - 10 * len(swept)
        assert [f"p{number}" for number in range(6) if hung.facts(f"p{number}") is None] == sorted(swept)

    def test_by_age_whatever_the_size(self, hung: Gallery, later: None) -> None:
        hung.write("p1", "picture", b"")
        hung.note("p2", {"state": "painting"})
        assert hung.sweep(500, 1000, {"p3"}) == ["p5", "p0", "p4"]
        assert hung.size() == 30
        assert ids(hung.unfinished()) == ["p2"]

    def test_first_by_age_and_then_by_size(self, hung: Gallery, later: None) -> None:
        hung.note("p0", {})
        hung.note("p3", {})
        assert hung.sweep(500, 10, ()) == ["p1", "p5", "p2", "p4", "p3"]

    def test_an_empty_gallery_stays_empty(self, gallery: Gallery) -> None:
        assert gallery.sweep(0, 0, ()) == []
        assert gallery.size() == 0


class TestNames:
    def test_what_is_no_id_is_refused(self, gallery: Gallery) -> None:
        calls: list[Callable[[str], Any]] = [
            lambda painting: gallery.add(painting, {}, FILES),
            gallery.facts,
            lambda painting: gallery.note(painting, {}),
            lambda painting: gallery.write(painting, "photo", b""),
            lambda painting: gallery.read(painting, "photo"),
            gallery.names,
            lambda painting: gallery.erase(painting, ["photo"]),
            gallery.delete,
        ]
        for painting, call in itertools.product(NOT_IDS, calls):
            with pytest.raises(ValueError, match=re.escape(f"{painting!r} is not a painting's id")):
                call(painting)

    def test_what_is_no_name_is_refused(self, gallery: Gallery) -> None:
        gallery.add("p", {}, FILES)
        calls: list[Callable[[str], Any]] = [
            lambda name: gallery.add("q", {}, {"photo": b"x", name: b"x"}),
            lambda name: gallery.write("p", name, b""),
            lambda name: gallery.read("p", name),
            lambda name: gallery.erase("p", ["photo", name]),
        ]
        for name, call in itertools.product(NOT_NAMES, calls):
            with pytest.raises(ValueError, match=re.escape(f"{name!r} is not a file's name")):
                call(name)
        assert gallery.facts("q") is None
        assert gallery.names("p") == sorted(FILES)


def test_everything_is_there_when_it_is_opened_again(address: str) -> None:
    gallery = opened(address)
    for name in ("b", "a", "c"):
        gallery.add(name, {"done": name == "c"}, FILES)
    gallery.write("a", "frames/000001", b"frame")
    gallery.note("a", {"state": "paused"})
    gallery.delete("c")
    told = json.dumps([gallery.unfinished(), gallery.size()])
    gallery.close()
    gallery.close()

    again = opened(address)
    assert json.dumps([again.unfinished(), again.size()]) == told
    assert again.read("a", "frames/000001") == b"frame"
    again.add("0", {}, {})
    assert ids(again.unfinished()) == ["b", "a", "0"]
    again.close()
