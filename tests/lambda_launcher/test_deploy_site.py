"""The page in its bucket: every file, as what it is, kept as long as it may be, and nothing twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from lambda_launcher.deploy import site
from lambda_launcher.deploy.trouble import Trouble

NUMBERS = iter(range(1000))


@pytest.fixture
def s3(endpoint: str) -> Any:
    return boto3.client("s3", "us-east-1", endpoint_url=endpoint)


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"site-{next(NUMBERS)}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small site."""
    for name in ("index.html", "main.js", "service_worker.js", "artworks/mosaic.jpg", "artworks/atelier/mosaic.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"this is {name}", encoding="utf-8")
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    return tmp_path


def test_the_whole_site_is_there_and_knows_what_stands_behind_it() -> None:
    pages = {page.key: page for page in site.pages(30)}
    assert {"index.html", "display", "main.js", "artworks/artworks.json", "service_worker.js"} <= pages.keys()
    assert pages["display"].content == pages["index.html"].content
    assert pages["display"].type == "text/html; charset=utf-8"
    assert json.loads(pages["config.json"].content) == {"launcher": "/api", "days": 30}
    assert not [key for key in pages if key.endswith((".py", ".pyc"))]


def test_each_file_is_kept_as_long_as_it_may_be() -> None:
    pages = {page.key: page for page in site.pages(30)}
    never = {key for key, page in pages.items() if page.keep == "no-cache"}
    assert never == {"config.json", "service_worker.js"}
    long = {key for key, page in pages.items() if page.keep == "public, max-age=604800"}
    assert {page.type for key, page in pages.items() if key in long} == {"image/jpeg", "image/png"}
    soon = "public, max-age=60, s-maxage=86400, must-revalidate"
    assert {pages[key].keep for key in pages.keys() - never - long} == {soon}
    assert {"index.html", "display", "main.js", "artworks/artworks.json"} <= pages.keys() - never - long


def test_what_is_uploaded_is_served_as_what_it_is(s3: Any, bucket: str, folder: Path) -> None:
    written, removed = site.upload(s3, bucket, site.pages(30, folder))
    assert written[-2:] == ["display", "index.html"], "pages come when all they refer to is there"
    assert set(written) == {
        "artworks/mosaic.jpg",
        "config.json",
        "display",
        "index.html",
        "main.js",
        "service_worker.js",
    }
    assert removed == []
    served = s3.get_object(Bucket=bucket, Key="display")
    assert served["Body"].read() == b"this is index.html"
    assert (served["ContentType"], served["CacheControl"]) == ("text/html; charset=utf-8", site.SOON)


def test_only_what_has_changed_is_written_again(s3: Any, bucket: str, folder: Path) -> None:
    site.upload(s3, bucket, site.pages(30, folder))
    assert site.upload(s3, bucket, site.pages(30, folder)) == ([], [])
    (folder / "main.js").write_text("changed", encoding="utf-8")
    (folder / "artworks" / "mosaic.jpg").unlink()
    assert site.upload(s3, bucket, site.pages(30, folder)) == (["main.js"], ["artworks/mosaic.jpg"])
    listed = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert "artworks/mosaic.jpg" not in listed


def test_what_was_kept_otherwise_is_written_again(s3: Any, bucket: str, folder: Path) -> None:
    site.upload(s3, bucket, site.pages(30, folder))
    s3.put_object(Bucket=bucket, Key="main.js", Body=b"this is main.js", CacheControl="max-age=1")
    assert site.upload(s3, bucket, site.pages(30, folder)) == (["main.js"], [])


def test_a_file_of_no_known_type_is_refused(folder: Path) -> None:
    (folder / "movie.xyz").write_bytes(b"?")
    with pytest.raises(Trouble, match=r"^The site has the file movie\.xyz, of which no type is known\."):
        site.pages(30, folder)
