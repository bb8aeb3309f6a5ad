"""The items of a gallery's DynamoDB table: read, and changed only as they were read."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from gallery.errors import Gone, Taken, Unavailable
from gallery.table import TOTAL, UNFINISHED, Stored, from_item, key, to_item

PAGE = 1000  # items that are asked for at a time
TRIES = 12  # of a change where others change the same
# Why a transaction may fail though the same one will pass soon.
_PASSING = {"None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}


class Items:
    """Paintings as a table knows them."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        """Take a client of DynamoDB, and the table's name."""
        self._dynamodb = dynamodb
        self._table = table

    def get(self, painting: str) -> Stored | None:
        """A painting, None if there is none."""
        item = self._item(painting)
        return from_item(item) if item else None

    def total(self) -> int:
        """The bytes of all paintings."""
        return int(self._item(TOTAL).get("size", {"N": "0"})["N"])

    def unfinished(self) -> Iterator[Stored]:
        """Those that are not done, in the order in which they were added."""
        asked = {"KeyConditionExpression": "unfinished = :yes", "ExpressionAttributeValues": {":yes": {"S": "yes"}}}
        for item in self._items("query", IndexName=UNFINISHED, **asked):
            stored = self.get(item["painting"]["S"])
            if stored and not stored.done:  # the index follows a little later
                yield stored

    def all(self) -> Iterator[Stored]:
        """All paintings."""
        for item in self._items("scan", ConsistentRead=True):
            if item["painting"]["S"] != TOTAL:
                yield from_item(item)

    # ---------------------------------------------------------------- changes

    def next_serial(self) -> int:
        """A number that is larger than all before it."""
        asked = {"UpdateExpression": "ADD serial :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
        answer = self._updated(TOTAL, **asked, ReturnValues="UPDATED_NEW")
        return int(answer["Attributes"]["serial"]["N"])

    def add(self, stored: Stored) -> bool:
        """Have a new painting; False if there is one of its id."""
        condition = {"ConditionExpression": "attribute_not_exists(painting)"}
        put = {"TableName": self._table, **condition, "Item": to_item(stored)}
        return self._transacted([{"Put": put}, *self._counted(stored.size)])

    def replace(self, before: Stored, after: Stored) -> bool:
        """Have a painting so from now on; False if it was changed since it was read."""
        put = {**self._still(before), "Item": to_item(after)}
        return self._transacted([{"Put": put}, *self._counted(after.size - before.size)])

    def delete(self, stored: Stored) -> bool:
        """Have a painting no more; False if it was changed since it was read."""
        delete = {**self._still(stored), "Key": key(stored.painting)}
        return self._transacted([{"Delete": delete}, *self._counted(-stored.size)])

    def change(self, painting: str, token: str | None, changed: Callable[[Stored], Stored]) -> tuple[Stored, Stored]:
        """Make of a painting what `changed` makes of it, however many change it at once; return it before and after.

        `Taken` unless its claim has this token; or, without one, unless it has none.
        """
        for attempt in range(TRIES):
            wait(attempt)
            before = self.get(painting)
            if before is None:
                raise Gone(painting)
            if before.token != token:
                raise Taken(painting)
            after = changed(before)
            if self.replace(before, after):
                return before, after
        raise too_many(painting)

    def renew(self, painting: str, token: str, until: float) -> bool:
        """Let the claim of this token count until then; False if there is none."""
        return self._with_claim(painting, token, "SET #until = :until", {":until": {"N": repr(until)}})

    def release(self, painting: str, token: str) -> bool:
        """Delete the claim of this token; False if there is none."""
        return self._with_claim(painting, token, "REMOVE #token, #until, studio", {})

    def is_time(self, seconds: float) -> bool:
        """Whether nobody was told so for so many seconds: of all studios that ask, one is told."""
        now = time.time()
        answer = self._updated(
            TOTAL,
            UpdateExpression="SET swept = :now",
            ConditionExpression="attribute_not_exists(swept) OR swept < :before",
            ExpressionAttributeValues={":now": {"N": repr(now)}, ":before": {"N": repr(now - seconds)}},
        )
        return answer is not None

    # ---------------------------------------------------------------- as DynamoDB has it

    def _item(self, painting: str) -> Any:
        found = self._dynamodb.get_item(TableName=self._table, Key=key(painting), ConsistentRead=True)
        return found.get("Item", {})

    def _items(self, operation: str, **asked: Any) -> Iterator[Any]:
        """The items of a scan or a query, page by page."""
        paginator = self._dynamodb.get_paginator(operation)
        for page in paginator.paginate(TableName=self._table, PaginationConfig={"PageSize": PAGE}, **asked):
            yield from page["Items"]

    def _still(self, stored: Stored) -> dict[str, Any]:
        """The condition that the item is as it was read."""
        return {
            "TableName": self._table,
            "ConditionExpression": "serial = :serial AND #change = :change",
            "ExpressionAttributeNames": {"#change": "change"},
            "ExpressionAttributeValues": {":serial": {"N": str(stored.serial)}, ":change": {"N": str(stored.change)}},
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

    def _with_claim(self, painting: str, token: str, update: str, values: dict[str, Any]) -> bool:
        """Change a claim if it is the one of this token."""
        answer = self._updated(
            painting,
            UpdateExpression=f"{update} ADD #change :one",
            ConditionExpression="#token = :token",
            ExpressionAttributeNames={"#token": "token", "#until": "until", "#change": "change"},
            ExpressionAttributeValues={**values, ":token": {"S": token}, ":one": {"N": "1"}},
        )
        return answer is not None

    def _updated(self, painting: str, **asked: Any) -> Any:
        """Update an item; None if the condition does not hold."""
        exceptions = self._dynamodb.exceptions
        for attempt in range(TRIES):
            wait(attempt)
            try:
                return self._dynamodb.update_item(TableName=self._table, Key=key(painting), **asked)
            except exceptions.ConditionalCheckFailedException:
                return None
            except exceptions.TransactionConflictException:
                if attempt == TRIES - 1:
                    raise
        raise AssertionError("the last try returns or raises")

    def _transacted(self, actions: list[dict[str, Any]]) -> bool:
        """Carry out all of the actions, or none and False if what they ask for does not hold."""
        for attempt in range(TRIES):
            wait(attempt)
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


def too_many(painting: str) -> Unavailable:
    """What is said when a change was overtaken again and again."""
    return Unavailable(f"The painting {painting} is being changed by too many at once.")


def wait(attempt: int) -> None:
    """Wait before trying again, the longer the more often, and not as long as the others who do the same."""
    if attempt:
        time.sleep(random.uniform(0, min(1.0, 0.01 * 2**attempt)))
