"""Paintings as the gallery has them: how one is, where its picture is, and how it is forgotten.

Whoever comes back to a painting, or by a link, is told here what was painted, so that no machine has to run for it.
Items and files are read as `gallery/table.py` writes them; tests hold the two to each other.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from lambda_launcher.errors import Refusal

_TRIES = 4
_TOTAL = "*"  # the item that counts the bytes of all
_WORKS = {"picture": "picture", "timelapse": "timelapse-mp4"}  # what may be told of the files, and their names
_TOLD = ("state", "progress", "iteration", "of", "width", "height", "losses", "elapsed", "error")


@dataclass(frozen=True)
class Painting:
    """A painting in the gallery."""

    id: str
    facts: dict[str, Any]
    keys: dict[str, str]  # of its objects in the bucket, by what they are
    size: int
    serial: int  # with the next, tells whether it is still as it was read
    change: int
    studio: str  # that has it, or had it last
    held: float  # until when that studio has it

    @property
    def told(self) -> dict[str, Any]:
        """What those are told who ask for it; addresses are of the site's own."""
        told = {"painting": self.id, **{name: self.facts[name] for name in _TOLD if self.facts.get(name) is not None}}
        if self.facts["state"] == "finished":
            told |= {name: f"/{self.keys[file]}" for name, file in _WORKS.items() if file in self.keys}
        return told

    def opens(self, key: str) -> bool:
        """Whether this is its owner's key."""
        return hmac.compare_digest(hashlib.sha256(key.encode()).hexdigest(), self.facts["lock"])


class Paintings:
    """The gallery's table and bucket."""

    def __init__(self, items_client: Any, files_client: Any, gallery: str, clock: Callable[[], float]) -> None:
        """Take clients of DynamoDB and S3, and the gallery's address: s3://BUCKET/PREFIX?table=NAME."""
        place = urlsplit(gallery)
        self._items_client = items_client
        self._files_client = files_client
        self._table = dict(parse_qsl(place.query))["table"]
        self._bucket = place.netloc
        self._folder = f"{place.path}/{self._table}".lstrip("/")
        self._clock = clock

    def find(self, id_: str) -> Painting | None:
        """The painting, if the gallery has it."""
        asked = {"TableName": self._table, "Key": {"painting": {"S": id_}}, "ConsistentRead": True}
        item = self._items_client.get_item(**asked).get("Item")
        return self._read(id_, item) if item else None

    def forget(self, id_: str, key: str) -> None:
        """Delete a painting for its owner, with all that was kept of it."""
        for _ in range(_TRIES):
            painting = self.find(id_)
            if painting is None:
                return
            if not painting.opens(key):
                problem = "Only its owner may forget a painting: the key is missing or wrong."
                raise Refusal("key_wrong", problem, "Send the key that came with it: Authorization: Bearer KEY.")
            if painting.held > self._clock():
                problem = f"The studio {painting.studio} has the painting."
                raise Refusal("painting_elsewhere", problem, "Have it forgotten there.", retry_after=10)
            if self._deleted(painting):
                self._delete_files(list(painting.keys.values()))
                return
        raise Refusal("launcher_busy", "The painting is being changed.", "Try again in a moment.", retry_after=1)

    def _deleted(self, painting: Painting) -> bool:
        """Delete its item, unless it was changed since it was read."""
        delete = {
            "TableName": self._table,
            "Key": {"painting": {"S": painting.id}},
            "ConditionExpression": "serial = :serial AND #change = :change",
            "ExpressionAttributeNames": {"#change": "change"},
            "ExpressionAttributeValues": {
                ":serial": {"N": str(painting.serial)},
                ":change": {"N": str(painting.change)},
            },
        }
        less = {
            "TableName": self._table,
            "Key": {"painting": {"S": _TOTAL}},
            "UpdateExpression": "ADD #size :more",
            "ExpressionAttributeNames": {"#size": "size"},
            "ExpressionAttributeValues": {":more": {"N": str(-painting.size)}},
        }
        try:
            self._items_client.transact_write_items(TransactItems=[{"Delete": delete}, {"Update": less}])
        except self._items_client.exceptions.TransactionCanceledException:
            return False
        return True

    def _delete_files(self, keys: list[str]) -> None:
        """Delete objects; what is left is swept away by the next studio."""
        for start in range(0, len(keys), 1000):
            some = [{"Key": key} for key in keys[start : start + 1000]]
            self._files_client.delete_objects(Bucket=self._bucket, Delete={"Objects": some, "Quiet": True})

    def _read(self, id_: str, item: dict[str, Any]) -> Painting:
        held = "token" in item
        files = json.loads(item["files"]["S"])
        return Painting(
            id=id_,
            facts=json.loads(item["facts"]["S"]),
            keys={name: f"{self._folder}/{id_}/{place}/{name}" for name, (_, place) in files.items()},
            size=int(item["size"]["N"]),
            serial=int(item["serial"]["N"]),
            change=int(item["change"]["N"]),
            studio=item["studio"]["S"] if held else "",
            held=float(item["until"]["N"]) if held else 0.0,
        )
