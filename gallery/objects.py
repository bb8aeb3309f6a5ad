"""The objects of a gallery's S3 bucket. None is ever written twice."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from gallery.errors import Unavailable

PAGE = 1000  # objects that are asked for, or deleted, at a time: as many as S3 takes


class Objects:
    """Files in a folder of a bucket, by their keys in it."""

    def __init__(self, s3: Any, bucket: str, folder: str) -> None:
        """Take a client of S3, and where the objects are; `folder` is empty or ends in a slash."""
        self._s3 = s3
        self._bucket = bucket
        self.folder = folder

    def put(self, key: str, data: bytes) -> None:
        """Make an object."""
        self._s3.put_object(Bucket=self._bucket, Key=self.folder + key, Body=data)

    def get(self, key: str) -> bytes | None:
        """An object, None if there is none."""
        try:
            data: bytes = self._s3.get_object(Bucket=self._bucket, Key=self.folder + key)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return None
        return data

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects, a page at a time; those that are not there are passed over."""
        left = iter(keys)
        while page := [{"Key": self.folder + key} for key in itertools.islice(left, PAGE)]:
            answer = self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": page, "Quiet": True})
            for error in answer.get("Errors", []):
                problem = f"{error['Key']}, which was to be deleted, is still in {self._bucket}: {error['Message']}."
                raise Unavailable(problem)

    def older_than(self, moment: float) -> Iterator[str]:
        """The keys of the objects that were made before this moment, page by page."""
        paginator = self._s3.get_paginator("list_objects_v2")
        asked = {"Bucket": self._bucket, "Prefix": self.folder, "PaginationConfig": {"PageSize": PAGE}}
        for page in paginator.paginate(**asked):
            for found in page.get("Contents", []):
                if found["LastModified"].timestamp() <= moment:
                    yield found["Key"].removeprefix(self.folder)
