"""A gallery in the cloud: the files in an S3 bucket, what is known of the paintings in a DynamoDB table.

A painting is there when its item is. Its files lie in a folder of the bucket that no other adding ever writes to, so
the files of two that race for one id never mix. They are uploaded before the item is written and deleted after the item
is, so that no half painting is ever seen. What a program leaves behind that is killed in between, `sweep` removes.

An item and the total of all sizes are changed in one transaction, and only if the item is still as it was read.
"""

from __future__ import annotations

import itertools
import math
import random
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from gallery.errors import Gone, Unavailable
from gallery.interface import Facts
from gallery.kept import due, merged
from gallery.names import check_file, check_painting
from gallery.table import TOTAL, UNFINISHED, Stored, from_item, key, to_item

PAGE = 1000  # objects or items that are asked for, or objects that are deleted, at a time: as many as S3 gives
ABANDONED = 24 * 3600.0  # seconds after which an upload without its painting is none that still goes on
TRIES = 12  # of a change where others change the same
# Why a transaction may fail though the same one will pass soon.
_PASSING = {"None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}


class CloudGallery:
    """Paintings in a bucket and a table, used by any number of programs at a time.

    `unfinished` may miss what was added or noted within the last second: DynamoDB's indexes follow a little later.
    """

    def __init__(
        self, bucket: str, prefix: str, table: str, endpoint: str | None = None, region: str | None = None
    ) -> None:
        self._bucket = bucket
        # The table's name is in it, so that `sweep` never takes another gallery's files for abandoned.
        self._place = f"{prefix}/{table}/".lstrip("/")
        self._table = table
        self._named = f"The gallery s3://{bucket}/{prefix} with the table {table}"
        config = Config(
            connect_timeout=4,
            read_timeout=20,
            max_pool_connections=32,
            retries={"mode": "standard", "total_max_attempts": 4},
            # Names of buckets are no names of hosts at an endpoint of one's own.
            s3={"addressing_style": "path" if endpoint else "auto"},
        )
        with self._telling():
            session = boto3.session.Session(region_name=region)
            self._s3 = session.client("s3", endpoint_url=endpoint, config=config)
            self._dynamodb = session.client("dynamodb", endpoint_url=endpoint, config=config)
            self._s3.head_bucket(Bucket=bucket)
            self._item(TOTAL)

    def add(self, painting: str, facts: Facts, files: Mapping[str, bytes]) -> bool:
        check_painting(painting)
        for name in files:
            check_file(name)
        with self._telling():
            if self._item(painting):
                return False
            now = time.time()
            sizes = {name: len(data) for name, data in files.items()}
            stored = Stored(
                painting=painting,
                serial=self._next_serial(),
                created=now,
                touched=now,
                size=sum(sizes.values()),
                facts=merged({}, facts),
                change=0,
                folder=f"{self._place}{painting}/{uuid4().hex}/",
                files=sizes,
            )
            for name, data in files.items():
                self._s3.put_object(Bucket=self._bucket, Key=stored.folder + name, Body=data)
            condition = {"TableName": self._table, "ConditionExpression": "attribute_not_exists(painting)"}
            item = {"Put": {**condition, "Item": to_item(stored)}}
            # Where this raises, the item may have been written: the files stay, for `sweep` to decide.
            is_added = self._transacted([item, *self._counted(stored.size)])
            if not is_added:
                self._delete_keys(stored.folder + name for name in files)
            return is_added

    def facts(self, painting: str) -> Facts | None:
        check_painting(painting)
        with self._telling():
            stored = self._stored(painting)
        return stored.told if stored else None

    def note(self, painting: str, facts: Facts) -> None:
        check_painting(painting)
        with self._telling():
            self._change(painting, lambda stored: stored.noted(facts))

    def write(self, painting: str, name: str, data: bytes) -> None:
        check_painting(painting)
        check_file(name)
        with self._telling():
            folder = self._known(painting).folder
            self._s3.put_object(Bucket=self._bucket, Key=folder + name, Body=data)

            def written(stored: Stored) -> Stored:
                if stored.folder != folder:
                    raise Gone(painting)  # and another was added since
                return _with_files(stored, {**stored.files, name: len(data)})

            try:
                self._change(painting, written)
            except Gone:
                self._delete_keys([folder + name])
                raise

    def read(self, painting: str, name: str) -> bytes | None:
        check_painting(painting)
        check_file(name)
        with self._telling():
            stored = self._stored(painting)
            if stored is None or name not in stored.files:
                return None
            try:
                data: bytes = self._s3.get_object(Bucket=self._bucket, Key=stored.folder + name)["Body"].read()
            except self._s3.exceptions.NoSuchKey:
                return None  # It was erased in this very moment.
            return data

    def names(self, painting: str) -> list[str]:
        check_painting(painting)
        with self._telling():
            stored = self._stored(painting)
        return sorted(stored.files) if stored else []

    def erase(self, painting: str, names: Iterable[str]) -> None:
        erased = set(names)
        check_painting(painting)
        for name in erased:
            check_file(name)
        with self._telling():
            try:
                after = self._change(
                    painting,
                    lambda stored: _with_files(
                        stored, {name: size for name, size in stored.files.items() if name not in erased}
                    ),
                )
            except Gone:
                return
            self._delete_keys(after.folder + name for name in erased)

    def delete(self, painting: str) -> bool:
        check_painting(painting)
        with self._telling():
            while stored := self._stored(painting):
                if self._deleted(stored):
                    return True
        return False

    def unfinished(self) -> list[tuple[str, Facts]]:
        with self._telling():
            items = self._items(
                "query",
                IndexName=UNFINISHED,
                KeyConditionExpression="unfinished = :yes",
                ExpressionAttributeValues={":yes": {"S": "yes"}},
            )
            found = [self._stored(item["painting"]["S"]) for item in items]
            return [(stored.painting, stored.told) for stored in found if stored and not stored.done]

    def size(self) -> int:
        with self._telling():
            return int(self._item(TOTAL).get("size", {"N": "0"})["N"])

    def sweep(self, age: float, most: int, spare: Container[str]) -> list[str]:
        with self._telling():
            items = self._items("scan", ConsistentRead=True)
            paintings = [from_item(item) for item in items if item["painting"]["S"] != TOTAL]
            swept = [stored.painting for stored in due(paintings, age, most, spare) if self._deleted(stored)]
            self._delete_abandoned({stored.folder for stored in paintings})
            return swept

    def close(self) -> None:
        self._s3.close()
        self._dynamodb.close()

    def _item(self, painting: str) -> Any:
        found = self._dynamodb.get_item(TableName=self._table, Key=key(painting), ConsistentRead=True)
        return found.get("Item", {})

    def _stored(self, painting: str) -> Stored | None:
        item = self._item(painting)
        return from_item(item) if item else None

    def _known(self, painting: str) -> Stored:
        stored = self._stored(painting)
        if stored is None:
            raise Gone(painting)
        return stored

    def _next_serial(self) -> int:
        answer = self._dynamodb.update_item(
            TableName=self._table,
            Key=key(TOTAL),
            UpdateExpression="ADD serial :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="UPDATED_NEW",
        )
        return int(answer["Attributes"]["serial"]["N"])

    def _change(self, painting: str, changed: Callable[[Stored], Stored]) -> Stored:
        """Make of a painting what `changed` makes of it, however many change it at once."""
        for attempt in range(TRIES):
            _wait(attempt)
            before = self._known(painting)
            after = changed(before)
            item = {"Put": {**self._still(before), "Item": to_item(after)}}
            if self._transacted([item, *self._counted(after.size - before.size)]):
                return after
        raise Unavailable(f"The painting {painting} is being changed by too many at once.")

    def _deleted(self, stored: Stored) -> bool:
        """Delete a painting, unless it was changed since it was read."""
        item = {"Delete": {**self._still(stored), "Key": key(stored.painting)}}
        if not self._transacted([item, *self._counted(-stored.size)]):
            return False
        self._delete_keys(self._objects(stored.folder))
        return True

    def _still(self, stored: Stored) -> dict[str, Any]:
        """The condition that the item is as it was read."""
        return {
            "TableName": self._table,
            "ConditionExpression": "folder = :folder AND #change = :change",
            "ExpressionAttributeNames": {"#change": "change"},
            "ExpressionAttributeValues": {":folder": {"S": stored.folder}, ":change": {"N": str(stored.change)}},
        }

    def _counted(self, more: int) -> list[dict[str, Any]]:
        """What adds to the total of bytes."""
        update = {
            "TableName": self._table,
            "Key": key(TOTAL),
            "UpdateExpression": "ADD #size :more",
            "ExpressionAttributeNames": {"#size": "size"},
            "ExpressionAttributeValues": {":more": {"N": str(more)}},
        }
        return [{"Update": update}] if more else []

    def _transacted(self, actions: list[dict[str, Any]]) -> bool:
        """Carry out all of the actions, or none and False if what they ask for does not hold."""
        for attempt in range(TRIES):
            _wait(attempt)
            try:
                self._dynamodb.transact_write_items(TransactItems=actions)
            except self._dynamodb.exceptions.TransactionCanceledException as error:
                reasons = {reason["Code"] for reason in error.response["CancellationReasons"]}
                if "ConditionalCheckFailed" in reasons:
                    return False
                if not reasons <= _PASSING or attempt == TRIES - 1:
                    raise
            else:
                return True
        raise AssertionError("the last try returns or raises")

    def _items(self, operation: str, **asked: Any) -> Iterator[Any]:
        """The items of a scan or a query, page by page."""
        paginator = self._dynamodb.get_paginator(operation)
        for page in paginator.paginate(TableName=self._table, PaginationConfig={"PageSize": PAGE}, **asked):
            yield from page["Items"]

    def _objects(self, prefix: str, until: float = math.inf) -> Iterator[str]:
        """The keys of the objects whose keys begin so, last written before `until`, page by page."""
        paginator = self._s3.get_paginator("list_objects_v2")
        for page in paginator.paginate(Bucket=self._bucket, Prefix=prefix, PaginationConfig={"PageSize": PAGE}):
            for found in page.get("Contents", []):
                if found["LastModified"].timestamp() <= until:
                    yield found["Key"]

    def _delete_keys(self, keys: Iterable[str]) -> None:
        """Delete objects, a page at a time; those that are not there are passed over."""
        left = iter(keys)
        while page := [{"Key": one} for one in itertools.islice(left, PAGE)]:
            answer = self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": page, "Quiet": True})
            for error in answer.get("Errors", []):
                raise Unavailable(f"{self._named} kept {error['Key']}, which was to be deleted: {error['Message']}.")

    def _delete_abandoned(self, folders: Container[str]) -> None:
        """Delete the objects in none of the folders that are too old to be of a painting that is being added."""
        depth = len(self._place)
        self._delete_keys(
            one
            for one in self._objects(self._place, until=time.time() - ABANDONED)
            # A folder is the painting's id and the folder's own name.
            if self._place + "".join(f"{part}/" for part in one[depth:].split("/")[:2]) not in folders
        )

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """What goes wrong on the way or at the other end is told in a sentence."""
        try:
            yield
        except ClientError as error:
            told = error.response["Error"]
            answer = f"{error.operation_name} was answered {told.get('Code')}, {told.get('Message')}"
            raise Unavailable(f"{self._named} cannot be used: {answer}.") from error
        except BotoCoreError as error:
            raise Unavailable(f"{self._named} cannot be reached: {error}") from error


def _with_files(stored: Stored, files: dict[str, int]) -> Stored:
    """A painting that has these files from now on."""
    return stored.changed(files=files, size=sum(files.values()))


def _wait(attempt: int) -> None:
    """Wait before trying again, the longer the more often, and not as long as the others who do the same."""
    if attempt:
        time.sleep(random.uniform(0, min(1.0, 0.01 * 2**attempt)))
