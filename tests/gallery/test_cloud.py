from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

import gallery.cloud
import gallery.items
import gallery.objects
from gallery import Gallery, Unavailable, opened
from gallery.table import TABLE


@pytest.fixture
def kept(cloud: str) -> Iterator[Gallery]:
    """A gallery in the cloud."""
    opening = opened(cloud)
    yield opening
    opening.close()


def objects(s3: Any, bucket: str) -> list[str]:
    return [found["Key"] for found in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


@pytest.mark.usefixtures("endpoint")
def test_an_endpoint_where_nobody_listens_is_unavailable() -> None:
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        endpoint = quote(f"http://127.0.0.1:{kept.getsockname()[1]}")
        with pytest.raises(Unavailable, match=r"The gallery s3://b/p with the table t cannot be reached: "):
            opened(f"s3://b/p?table=t&endpoint={endpoint}")


@pytest.mark.parametrize("missing", ["table", "bucket"])
def test_what_was_not_made_is_unavailable(cloud: str, bucket: str, missing: str) -> None:
    address = cloud.replace("table=", "table=no-") if missing == "table" else cloud.replace("s3://", "s3://no-")
    assert bucket in address
    with pytest.raises(Unavailable, match=r"cannot be used: (GetItem|HeadBucket) was answered .+\.$"):
        opened(address)


def test_what_is_deleted_meanwhile_is_unavailable(kept: Gallery, dynamodb: Any, bucket: str) -> None:
    kept.add("p", {}, {"photo": b"x"})
    dynamodb.delete_table(TableName=bucket)
    with pytest.raises(Unavailable, match="ResourceNotFoundException"):
        kept.note("p", {"state": "painting"})


def test_more_than_a_page_of_everything(kept: Gallery, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery.items, "PAGE", 3)
    monkeypatch.setattr(gallery.objects, "PAGE", 3)
    many = {f"frames/{number:06}": b"x" for number in range(8)}
    names = [f"p{number}" for number in range(8)]
    for name in names:
        kept.add(name, {"done": False}, many if name == "p0" else {})
    assert [name for name, _ in kept.unfinished()] == names
    assert len(objects(s3, bucket)) == 8
    kept.erase("p0", [f"frames/{number:06}" for number in range(4)])
    assert len(objects(s3, bucket)) == 4
    assert kept.size() == 4
    assert sorted(kept.sweep(0, 0, ())) == names
    assert objects(s3, bucket) == []


def test_what_a_killed_program_left_is_swept(
    kept: Gallery, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.add("p", {}, {"photo": b"x", "frames/1": b"y"})
    whole = objects(s3, bucket)
    other = [f"kept/here/other/p/{'0' * 32}/photo", "kept/photo", "index.html"]
    abandoned = [f"kept/here/{bucket}/{painting}/{'0' * 32}/frames/2" for painting in ("p", "q")]
    for key in [*other, *abandoned]:
        s3.put_object(Bucket=bucket, Key=key, Body=b"z")
    assert kept.sweep(3600, 1000, ()) == []
    assert set(objects(s3, bucket)) == {*whole, *other, *abandoned}  # It may be of a painting that is being added.
    monkeypatch.setattr(gallery.cloud, "ABANDONED", -1.0)
    assert kept.sweep(3600, 1000, ()) == []
    assert set(objects(s3, bucket)) == {*whole, *other, *abandoned}, "it was looked through just before"
    monkeypatch.setattr(gallery.cloud, "LOOKS", 1_000_000_000)
    kept.sweep(3600, 1000, ())
    assert set(objects(s3, bucket)) == {*whole, *other}


def test_two_programs_use_one_gallery(kept: Gallery, cloud: str) -> None:
    other = opened(cloud)
    assert kept.add("p", {"done": False}, {"photo": b"x"})
    assert not other.add("p", {}, {"photo": b"other"})
    kept.write("p", "picture", b"12345")
    kept.note("p", {"state": "painting"})
    kept.release("p")
    assert [facts["state"] for _, facts in other.unfinished()] == ["painting"]
    assert other.read("p", "picture") == b"12345"
    assert other.delete("p")
    assert kept.facts("p") is None
    assert kept.size() == 0
    other.close()


def test_the_table_is_as_it_is_declared(kept: Gallery, dynamodb: Any, bucket: str) -> None:
    kept.add("p", {"done": True}, {})
    kept.add("q", {"done": False}, {})
    table = dynamodb.describe_table(TableName=bucket)["Table"]
    assert table["KeySchema"] == TABLE["KeySchema"]
    index = dynamodb.scan(TableName=bucket, IndexName=TABLE["GlobalSecondaryIndexes"][0]["IndexName"])
    assert [item["painting"]["S"] for item in index["Items"]] == ["q"]
