"""The page: which files the site has, how browsers are to keep them, and how they come into its bucket."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambda_launcher.deploy.trouble import Trouble, code_of
from lambda_launcher.template import ROOT

WEBSITE = ROOT / "website"

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}

# A browser asks again after a minute; the edge need not, since it is told to forget what has changed.
SOON = "public, max-age=60, s-maxage=86400, must-revalidate"
LONG = "public, max-age=604800"
NEVER = "no-cache"

_AT_ONCE = 8  # requests


@dataclass(frozen=True)
class Page:
    """One object of the site."""

    key: str
    content: bytes
    type: str
    keep: str

    @property
    def tag(self) -> str:
        """What S3 gives as its ETag."""
        return f'"{hashlib.md5(self.content, usedforsecurity=False).hexdigest()}"'


def pages(days: int, folder: Path = WEBSITE) -> list[Page]:
    """All that the site has, which says for how many days a painting is kept; what others refer to comes first."""
    config = json.dumps({"launcher": "/api", "days": days}).encode()
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"} and not path.name.startswith(".")
    } | {"config.json": config}
    made = [Page(key, content, _type(key), _keep(key)) for key, content in found.items()]
    # The page of one painting is the page: it reads from its own address which painting it shows.
    made.append(Page("display", found["index.html"], TYPES[".html"], SOON))
    return sorted(made, key=lambda page: (page.type == TYPES[".html"], page.key))


def upload(s3: Any, bucket: str, wanted: Iterable[Page]) -> tuple[list[str], list[str]]:
    """Bring the bucket up to date; return the keys that were written, and those that were removed."""
    every = list(wanted)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        same = pool.map(lambda page: _is_there(s3, bucket, page), every)
        stale = [page for page, there in zip(every, same, strict=True) if not there]
        assets = [page for page in stale if page.type != TYPES[".html"]]
        # The pages come last, so that none refers to what is not there yet.
        for some in (assets, [page for page in stale if page not in assets]):
            list(pool.map(lambda page: _put(s3, bucket, page), some))
    known = {page.key for page in every}
    listed = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    gone = [each["Key"] for some in listed for each in some.get("Contents", []) if each["Key"] not in known]
    for start in range(0, len(gone), 1000):
        objects = [{"Key": key} for key in gone[start : start + 1000]]
        s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
    return [page.key for page in stale], gone


def _is_there(s3: Any, bucket: str, page: Page) -> bool:
    try:
        found = s3.head_object(Bucket=bucket, Key=page.key)
    except s3.exceptions.ClientError as error:
        if code_of(error) in ("404", "NoSuchKey"):
            return False
        raise
    return (found["ETag"], found["ContentType"], found.get("CacheControl")) == (page.tag, page.type, page.keep)


def _put(s3: Any, bucket: str, page: Page) -> None:
    s3.put_object(Bucket=bucket, Key=page.key, Body=page.content, ContentType=page.type, CacheControl=page.keep)


def _type(key: str) -> str:
    try:
        return TYPES[Path(key).suffix]
    except KeyError:
        hint = "Remove it, or add its type to lambda_launcher/deploy/site.py."
        raise Trouble(f"The site has the file {key}, of which no type is known.", hint) from None


def _keep(key: str) -> str:
    if key in ("config.json", "service_worker.js"):
        return NEVER
    return LONG if key.startswith(("artworks/", "samples/", "icons/")) and not key.endswith(".json") else SOON
