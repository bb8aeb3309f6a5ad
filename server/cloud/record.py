"""The studio's item in the launcher's table, in DynamoDB. What is here blocks: it belongs into a thread."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from server.cloud.rules import Entry, Values

CONNECT, READ = 2.0, 3.0  # seconds


class Unreachable(Exception):
    """The table cannot be reached, or refuses."""


class Record:
    """The item of one studio. It is changed only if nobody else has changed it since it was read."""

    def __init__(self, table: str, studio: str) -> None:
        self._where = {"TableName": table, "Key": {"pk": {"S": f"studio#{studio}"}}}

    @cached_property
    def _client(self) -> Any:
        try:
            import boto3
            from botocore.config import Config
        except ModuleNotFoundError as error:
            raise Unreachable("It takes boto3, which is not installed: pip install 'visualneurons[cloud]'.") from error
        # It is asked again soon anyway.
        config = Config(connect_timeout=CONNECT, read_timeout=READ, retries={"total_max_attempts": 1})
        return boto3.client("dynamodb", config=config)

    def read(self) -> Entry | None:
        """The item as it is now; None if there is none."""
        answer = self._asked("get_item", ConsistentRead=True)
        return _entry(answer["Item"]) if "Item" in answer else None

    def write(self, entry: Entry, values: Values, came: Iterable[str] = ()) -> Entry | None:
        """Change what was read as `entry`, and take paintings out of `coming`; None if others were faster."""
        painting = {f"#came{number}": each for number, each in enumerate(came)}
        names = {f"#{name}": name for name in (*values, "version")} | painting
        known = {f":{name}": _value(value) for name, value in values.items()}
        changes = ["SET " + ", ".join(f"#{name} = :{name}" for name in values), "ADD #version :one"]
        if painting:
            names["#coming"] = "coming"
            changes.append("REMOVE " + ", ".join(f"#coming.{name}" for name in painting))
        answer = self._asked(
            "update_item",
            UpdateExpression=" ".join(changes),
            ConditionExpression="#version = :version",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={**known, ":one": {"N": "1"}, ":version": {"N": str(entry.version)}},
            ReturnValues="ALL_NEW",
        )
        return _entry(answer["Attributes"]) if answer else None

    def _asked(self, operation: str, **more: Any) -> Any:
        """What DynamoDB answers; empty if the condition does not hold."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._client, operation)(**self._where, **more)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return {}
            raise Unreachable(str(error)) from error
        except BotoCoreError as error:
            raise Unreachable(str(error)) from error


def _entry(item: Any) -> Entry:
    def text(name: str) -> str:
        return str(item[name]["S"]) if name in item else ""

    def number(name: str) -> float:
        return float(item[name]["N"]) if name in item else 0.0

    coming = item["coming"]["M"] if "coming" in item else {}
    return Entry(
        version=int(number("version")),
        phase=text("phase"),
        instance=text("instance"),
        began=number("began"),
        deadline=number("deadline"),
        active=number("active"),
        ready=number("ready"),
        coming={painting: float(sent["N"]) for painting, sent in coming.items()},
    )


def _value(value: str | float) -> dict[str, str]:
    return {"S": value} if isinstance(value, str) else {"N": repr(value)}
