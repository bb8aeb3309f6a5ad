"""What the edge reads of the buckets: no more than their policies let it."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from rehearsal.edge.distribution import Rights

PAGES = {"display": "index.html"}  # objects of the site that are copies of another file

_ASKED = {"Range": "Range", "If-None-Match": "IfNoneMatch"}
_TOLD = (
    "Accept-Ranges",
    "Cache-Control",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Range",
    "Content-Type",
    "ETag",
    "Last-Modified",
)


@dataclass(frozen=True)
class Found:
    """An answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


FORBIDDEN, NOTHING = (
    Found(status, {"Content-Type": "application/xml"}, f"<Error><Code>{code}</Code></Error>".encode())
    for status, code in ((403, "AccessDenied"), (404, "NoSuchKey"))
)


class Bucket:
    """A bucket of S3."""

    def __init__(self, s3: Any, name: str, rights: Rights) -> None:
        self._s3 = s3
        self._name = name
        self._rights = rights

    def read(self, path: str, asked: Mapping[str, str]) -> Found:
        """The object at a path, as the headers of a request ask for it."""
        key = unquote(path.removeprefix("/"))
        if not self._rights.readable(key):
            return FORBIDDEN
        conditions = {name: asked[header] for header, name in _ASKED.items() if header in asked}
        try:
            got = self._s3.get_object(Bucket=self._name, Key=key, **conditions)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status != 404:
                return Found(status)
            return NOTHING if self._rights.lists else FORBIDDEN  # who may not list is not told what there is
        said = got["ResponseMetadata"]["HTTPHeaders"]
        headers = {name: said[name.lower()] for name in _TOLD if name.lower() in said}
        return Found(got["ResponseMetadata"]["HTTPStatusCode"], headers, got["Body"].read())


class Folder:
    """A folder in place of the site's bucket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def read(self, path: str, asked: Mapping[str, str]) -> Found:
        """The file at a path."""
        key = unquote(path.removeprefix("/"))
        file = self._folder / PAGES.get(key, key)
        # A bucket's keys are mere names: none leads upwards.
        if "\0" in key or file.resolve() != file or self._folder not in file.parents or not file.is_file():
            return NOTHING
        kind = mimetypes.guess_type(file)[0] or "application/octet-stream"
        return Found(200, {"Content-Type": kind, "Cache-Control": "no-cache"}, file.read_bytes())
