"""Paintings in a real gallery's table and bucket, as the launcher finds and forgets them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest

import gallery
from controller.painting import Painting, locked
from gallery import Gallery
from gallery.table import TABLE as PAINTINGS
from lambda_launcher import handlers
from lambda_launcher.settings import Settings
from model.recipe import Recipe
from tests.lambda_launcher.test_handlers import CACHED, ask, report, serve

OWNER = {"authorization": "Bearer open-sesame"}


@pytest.fixture(scope="module")
def bucket(endpoint: str) -> str:
    boto3.client("s3", endpoint_url=endpoint).create_bucket(
        Bucket="paintings", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    return "paintings"


@pytest.fixture
def stack(cloud: Settings, bucket: str, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The settings of the Lambdas, whose gallery is there."""
    table = f"{cloud.table}-paintings"
    dynamodb.create_table(TableName=table, **PAINTINGS)
    there = replace(cloud, gallery=f"s3://{bucket}/gallery?table={table}")
    for name, value in vars(there).items():
        monkeypatch.setenv(name.upper(), ",".join(value) if isinstance(value, tuple) else str(value))
    for cached in CACHED:
        cached.cache_clear()
    yield there
    for cached in CACHED:
        cached.cache_clear()


@pytest.fixture
def kept(stack: Settings) -> Iterator[Gallery]:
    """The gallery, as a studio has it."""
    opened = gallery.opened(stack.gallery, "studio-a")
    yield opened
    opened.close()


def painted(id_: str, **more: Any) -> Painting:
    """A painting as a studio knows it."""
    known = {"state": "finished", "iteration": 9, "elapsed": 1.5, "progress": 100.0, "losses": {"total": 0.5}, **more}
    return Painting(
        id=id_,
        recipe=Recipe(),
        lock=locked("open-sesame"),
        width=64,
        height=48,
        of=10,
        order=1,
        address="192.0.2.7",
        **known,
    )


def add(kept: Gallery, painting: Painting, *files: str) -> None:
    assert kept.add(painting.id, painting.facts(), {name: name.encode() for name in ("photo", *files)})


def read(bucket: str, address: str) -> bytes:
    """What is at an address of the site's own."""
    data: bytes = handlers._client("s3").get_object(Bucket=bucket, Key=address.removeprefix("/"))["Body"].read()
    return data


def test_a_finished_painting_is_told_with_its_picture_and_film(kept: Gallery, bucket: str) -> None:
    add(kept, painted("one"), "picture")
    status, told, _ = ask("GET", "/api/paintings/one")
    assert status == 200
    assert read(bucket, told.pop("picture")) == b"picture"
    assert told == {
        "painting": "one",
        "state": "finished",
        "progress": 100.0,
        "iteration": 9,
        "of": 10,
        "width": 64,
        "height": 48,
        "losses": {"total": 0.5},
        "elapsed": 1.5,
        "studio": None,
    }
    kept.claim("one")
    kept.write("one", "timelapse-mp4", b"film")
    assert read(bucket, ask("GET", "/api/paintings/one")[1]["timelapse"]) == b"film"


def test_nothing_is_told_that_is_nobodys_business(kept: Gallery) -> None:
    add(kept, painted("one", state="painting", error={"code": "a", "message": "b", "hint": "c"}), "picture")
    told = ask("GET", "/api/paintings/one")[1]
    assert told["error"]["message"] == "b"
    assert not {"lock", "address", "recipe", "picture", "photo", "keys"} & told.keys()


def test_the_studio_that_has_a_painting_is_told_while_it_lives(kept: Gallery, stack: Settings, dynamodb: Any) -> None:
    assert ask("GET", "/api/paintings/one")[1]["data"]["code"] == "painting_unknown"
    owner = "a-secret-that-nobody-guesses"
    launched = ask("POST", "/api/launch", {"key": "one", "painting": "one", "owner": owner})[1]["id"]
    told = {"painting": "one", "state": None, "studio": launched}
    assert ask("GET", "/api/paintings/one")[:2] == (200, told), "it is awaited there"
    serve(dynamodb, stack, launched, "ec2-192-0-2-9.example.com")
    with_claim = gallery.opened(stack.gallery, launched)
    add(with_claim, painted("two", state="painting"))
    assert ask("GET", "/api/paintings/two")[1]["studio"] == launched, "it is painted there, whoever began it elsewhere"
    with_claim.close()
    assert ask("GET", "/api/paintings/two")[1]["studio"] is None, "it was put aside"
    report(dynamodb, stack, launched, coming={"M": {}})
    assert ask("DELETE", f"/api/studios/{launched}", headers={"authorization": f"Bearer {owner}"})[0] == 202
    for painting, status in (("one", 404), ("two", 200)):
        answered, gone, _ = ask("GET", f"/api/paintings/{painting}")
        assert answered == status
        assert gone.get("studio") is None


def test_its_owner_has_a_painting_forgotten(kept: Gallery, stack: Settings, bucket: str) -> None:
    add(kept, painted("one"), "picture", "timelapse-mp4", "frames/00001", "checkpoints/00009")
    add(kept, painted("two"), "picture")
    other = kept.size() - sum(map(len, ("photo", "picture", "timelapse-mp4", "frames/00001", "checkpoints/00009")))
    for headers in ({}, {"authorization": "Bearer no"}):
        status, told, _ = ask("DELETE", "/api/paintings/one", headers=headers)
        assert (status, told["data"]["code"]) == (403, "key_wrong")
    assert ask("DELETE", "/api/paintings/one", headers=OWNER)[:2] == (200, {"painting": "one", "state": None})
    assert kept.facts("one") is None
    assert kept.size() == other
    left = handlers._client("s3").list_objects_v2(Bucket=bucket, Prefix=f"gallery/{stack.table}-paintings/")["Contents"]
    assert {each["Key"].split("/")[2] for each in left} == {"two"}
    assert kept.read("two", "picture") == b"picture"
    assert ask("DELETE", "/api/paintings/one", headers=OWNER)[0] == 200, "what is not there is forgotten"


def test_what_a_studio_has_is_forgotten_there(kept: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    add(kept, painted("one", state="painting"))
    status, told, headers = ask("DELETE", "/api/paintings/one", headers=OWNER)
    assert (status, told["data"]["code"], headers["Retry-After"]) == (409, "painting_elsewhere", "10")
    assert kept.facts("one")
    later = time.time() + 100
    monkeypatch.setattr(handlers._paintings(), "_clock", lambda: later)
    assert ask("DELETE", "/api/paintings/one", headers=OWNER)[0] == 200, "a claim that has run out is none"
    assert kept.facts("one") is None


@pytest.mark.parametrize("id_", ["a b", "%C3%A4", "x" * 65])
def test_what_is_no_id_is_refused(id_: str, stack: Settings) -> None:
    for method in ("GET", "DELETE"):
        status, told, _ = ask(method, f"/api/paintings/{id_}")
        assert (status, told["data"]["code"]) in {(400, "painting_id_invalid"), (404, "not_found")}
