"""The DynamoDB table of a gallery: how it is made, and how a painting is written in it.

A painting is one item. One more, named by what can be no painting's id, counts the bytes of all and the adding, and
knows when the gallery was last looked through.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from gallery.claims import Claim
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


class File(NamedTuple):
    """A file of a painting."""

    size: int
    place: str  # the folder that this version of it has in the bucket, and no other

    def key(self, painting: str, name: str) -> str:
        """Where it is, in the gallery's folder of the bucket."""
        return f"{painting}/{self.place}/{name}"


@dataclass(frozen=True)
class Stored(Kept):
    """A painting in the cloud."""

    files: dict[str, File]
    claim: Claim | None = None

    @property
    def token(self) -> str | None:
        """Of its claim."""
        return self.claim.token if self.claim else None

    @property
    def keys(self) -> list[str]:
        """Where its files are, in the gallery's folder of the bucket."""
        return [file.key(self.painting, name) for name, file in self.files.items()]

    def having(self, files: dict[str, File]) -> Stored:
        """This painting, with these files from now on."""
        return self.changed(files=files, size=sum(file.size for file in files.values()))


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
        "files": {"S": json.dumps(stored.files)},
    }
    if claim := stored.claim:
        item |= {"studio": {"S": claim.studio}, "token": {"S": claim.token}, "until": {"N": repr(claim.until)}}
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
        files={name: File(*file) for name, file in json.loads(item["files"]["S"]).items()},
        claim=Claim(item["studio"]["S"], item["token"]["S"], float(item["until"]["N"])) if "token" in item else None,
    )
