"""The store in DynamoDB: a table with the key `pk` alone, and `expires` as the attribute by which it forgets."""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Sequence
from typing import Any

from botocore.exceptions import ClientError

from lambda_launcher.store import Change, Item

_AT_ONCE = 100  # items that one request may ask for
_TRIES = 8
# Why a transaction may fail though nothing about it was wrong: others were faster, or DynamoDB is short of breath.
_PASSING = {"None", "ConditionalCheckFailed", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}


class Table:
    """Items in a table of DynamoDB."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def read(self, names: Collection[str]) -> dict[str, Item]:
        waiting = [{"pk": {"S": name}} for name in dict.fromkeys(names)]
        found: dict[str, Item] = {}
        for attempt in range(_TRIES + len(waiting) // _AT_ONCE):
            if not waiting:
                break
            if attempt:
                _pause()
            asked, waiting = waiting[:_AT_ONCE], waiting[_AT_ONCE:]
            answer = self._client.batch_get_item(RequestItems={self._name: {"Keys": asked, "ConsistentRead": True}})
            for each in answer["Responses"].get(self._name, []):
                item = {name: _from_value(value) for name, value in each.items()}
                found[item.pop("pk")] = item
            waiting += answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
        if waiting:
            raise TimeoutError(f"DynamoDB has not given {len(waiting)} items of {self._name} in {_TRIES} tries.")
        return found

    def write(self, changes: Sequence[Change]) -> bool:
        try:
            self._client.transact_write_items(TransactItems=[{"Put": self._put(change)} for change in changes])
        except self._client.exceptions.TransactionCanceledException as error:
            if {reason.get("Code", "None") for reason in error.response["CancellationReasons"]} <= _PASSING:
                _pause()
                return False
            raise
        except ClientError as error:
            if error.response["Error"]["Code"] in ("TransactionConflictException", "TransactionInProgressException"):
                _pause()
                return False
            raise
        return True

    def _put(self, change: Change) -> dict[str, Any]:
        item = {"pk": change.name, **change.item, "version": change.version + 1}
        put = {"TableName": self._name, "Item": {name: _to_value(value) for name, value in item.items()}}
        if not change.version:
            return {**put, "ConditionExpression": "attribute_not_exists(pk)"}
        known = {":version": _to_value(change.version)}
        return {**put, "ConditionExpression": "version = :version", "ExpressionAttributeValues": known}


def _pause() -> None:
    """Give the others a moment, each of those who wait another one."""
    time.sleep(random.uniform(0.005, 0.05))


def _to_value(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, list):
        return {"L": [_to_value(each) for each in value]}
    if isinstance(value, dict):
        return {"M": {name: _to_value(each) for name, each in value.items()}}
    return {"N": repr(value)}


def _from_value(value: dict[str, Any]) -> Any:
    ((kind, inner),) = value.items()
    if kind == "L":
        return [_from_value(each) for each in inner]
    if kind == "M":
        return {name: _from_value(each) for name, each in inner.items()}
    if kind == "N":
        return int(inner) if inner.lstrip("-").isdigit() else float(inner)
    return inner
