"""One contract for the store of the deployed launcher and for the one that the schedules are played with."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from benchmarks.cloud import EmulatedStore
from lambda_launcher.errors import Refusal
from lambda_launcher.settings import Settings
from lambda_launcher.store import Change, Draft, Store, transact
from lambda_launcher.table import Table

ITEM = {"text": "x", "empty": "", "whole": 7, "moment": 1_800_000_000.123456, "list": ["a", "b"], "map": {"p-1": 2.5}}


@pytest.fixture(params=["emulated", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Store:
    """A new store, in turn of both kinds."""
    if request.param == "emulated":
        return EmulatedStore()
    cloud: Settings = request.getfixturevalue("cloud")
    return Table(request.getfixturevalue("dynamodb"), cloud.table)


def test_what_is_not_there_is_not_read(store: Store) -> None:
    assert store.read(["a", "b"]) == {}


def test_an_item_is_read_as_it_was_written(store: Store) -> None:
    assert store.write([Change("a", ITEM, 0)])
    assert store.read(["a", "b", "a"]) == {"a": {**ITEM, "version": 1}}


def test_what_was_read_is_ones_own(store: Store) -> None:
    store.write([Change("a", ITEM, 0)])
    store.read(["a"])["a"]["list"].append("c")
    assert store.read(["a"])["a"]["list"] == ["a", "b"]


def test_an_item_that_is_there_is_not_made_again(store: Store) -> None:
    assert store.write([Change("a", {"n": 1}, 0)])
    assert not store.write([Change("a", {"n": 2}, 0)])
    assert store.read(["a"])["a"] == {"n": 1, "version": 1}


def test_an_item_is_replaced_whole_by_who_knows_its_version(store: Store) -> None:
    store.write([Change("a", {"n": 1, "old": 1}, 0)])
    assert store.write([Change("a", {"n": 2, "version": 1}, 1)])
    assert not store.write([Change("a", {"n": 3}, 1)])
    assert store.read(["a"])["a"] == {"n": 2, "version": 2}


def test_of_several_changes_none_is_made_if_one_cannot_be(store: Store) -> None:
    store.write([Change("a", {"n": 1}, 0), Change("b", {"n": 1}, 0)])
    assert not store.write([Change("a", {"n": 2}, 1), Change("b", {"n": 2}, 7), Change("c", {"n": 2}, 0)])
    assert store.read(["a", "b", "c"]) == {"a": {"n": 1, "version": 1}, "b": {"n": 1, "version": 1}}


def test_an_item_that_is_gone_has_no_version(store: Store) -> None:
    assert not store.write([Change("a", {"n": 1}, 3)])
    assert store.read(["a"]) == {}


def test_more_items_than_one_request_may_ask_for(store: Store) -> None:
    for number in range(0, 120, 40):
        assert store.write([Change(f"i{each}", {"n": each}, 0) for each in range(number, number + 40)])
    found = store.read([f"i{number}" for number in range(130)])
    assert {name: item["n"] for name, item in found.items()} == {f"i{number}": number for number in range(120)}


def test_a_decision_is_made_anew_where_others_were_faster(store: Store) -> None:
    seen = []

    def decide(draft: Draft) -> int:
        count: int = draft.get("a").get("n", 0)
        seen.append(count)
        if len(seen) == 1:
            store.write([Change("a", {"n": 10}, 0)])
        draft.put("a", {**draft.get("a"), "n": count + 1})
        return count

    assert transact(store, decide) == 10
    assert seen == [0, 10]
    assert store.read(["a"])["a"] == {"n": 11, "version": 2}


def test_who_is_always_too_late_is_told_so(store: Store) -> None:
    def decide(draft: Draft) -> None:
        item = draft.get("a")
        store.write([Change("a", {"n": item.get("version", 0)}, item.get("version", 0))])
        draft.put("a", {"n": -1})

    with pytest.raises(Refusal) as refusal:
        transact(store, decide)
    assert (refusal.value.code, refusal.value.status, refusal.value.retry_after) == ("launcher_busy", 503, 1)


def test_a_decision_that_changes_nothing_writes_nothing(store: Store) -> None:
    store.write([Change("a", {"n": 1}, 0)])
    transact(store, lambda draft: draft.put("a", draft.get("a")))
    assert store.read(["a"])["a"]["version"] == 1


def test_many_who_count_at_once_lose_no_count(dynamodb: Any, cloud: Settings) -> None:
    def count(_: int) -> None:
        def decide(draft: Draft) -> None:
            item = draft.get("counter")
            draft.put("counter", {**item, "n": item.get("n", 0) + 1})

        transact(Table(dynamodb, cloud.table), decide)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(12)))
    assert Table(dynamodb, cloud.table).read(["counter"])["counter"]["n"] == 12


def test_a_table_that_is_not_there_is_no_lost_race(dynamodb: Any) -> None:
    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException):
        Table(dynamodb, "no-such-table").write([Change("a", {}, 0)])
