"""The DynamoDB table of a gallery: how it is made, and how a painting is written in it.

A painting is one item. One more, named by what can be no painting's id, counts the bytes of all and the adding.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from gallery.kept import Kept

UNFINISHED = "unfinished"
# As `create_table` and CloudFormation (AWS::DynamoDB::Table) take it, but for the table's name.
TABLE: dict[str, Any] = {
    "AttributeDefinitions": [
        {"AttributeName": "painting", "AttributeType": "S"},
        {"AttributeName": "unfinished", "AttributeType": "S"},
        {"AttributeName": "serial", "AttributeType": "N"},
    ],
    "KeySchema": [{"AttributeName": "painting", "KeyType": "HASH"}],
    "GlobalSecondaryIndexes": [
        {
            # Only paintings that are not done have the attribute `unfinished`, so only they are in here.
            "IndexName": UNFINISHED,
            "KeySchema": [
                {"AttributeName": "unfinished", "KeyType": "HASH"},
                {"AttributeName": "serial", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
    "BillingMode": "PAY_PER_REQUEST",
}
TOTAL = "*"

Item = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Stored(Kept):
    """A painting in the cloud."""

    folder: str  # where its files are in the bucket; never used again for another painting, not even of the same id
    files: dict[str, int]  # name and size of each


def key(painting: str) -> Item:
    """The key of a painting's item."""
    return {"painting": {"S": painting}}


def to_item(stored: Stored) -> Item:
    """A painting as an item."""
    item = {
        **key(stored.painting),
        "serial": {"N": str(stored.serial)},
        "created": {"N": repr(stored.created)},
        "touched": {"N": repr(stored.touched)},
        "size": {"N": str(stored.size)},
        "facts": {"S": json.dumps(stored.facts)},
        "change": {"N": str(stored.change)},
        "folder": {"S": stored.folder},
        "files": {"S": json.dumps(stored.files)},
    }
    return item if stored.done else {**item, "unfinished": {"S": "yes"}}


def from_item(item: Item) -> Stored:
    """The painting in an item."""
    return Stored(
        painting=item["painting"]["S"],
        serial=int(item["serial"]["N"]),
        created=float(item["created"]["N"]),
        touched=float(item["touched"]["N"]),
        size=int(item["size"]["N"]),
        facts=json.loads(item["facts"]["S"]),
        change=int(item["change"]["N"]),
        folder=item["folder"]["S"],
        files=json.loads(item["files"]["S"]),
    )
