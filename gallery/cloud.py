"""A gallery in the cloud: the files in an S3 bucket, what is known of the paintings in a DynamoDB table.

A painting is there when its item is. Each version of a file is an object of its own, at PAINTING/PLACE/FILE with a new
PLACE, and the item says which of them are the painting's: so what several write at once never mixes. Objects are made
before the item is written and deleted after it is, so that no half painting is ever seen. What a program leaves behind
that is killed in between, `sweep` removes.

An item and the total of all sizes are changed in one transaction, and only if the item is still as it was read, and the
painting still the studio's own (see `gallery.claims`).

What it costs: to read a file, an item and an object are read; to write one, an object is made, and the item read and
changed. Scans and listings are for `sweep` alone, which does them once in a hundredth of the age that is kept, whoever
does it, and scans when there is too much.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from uuid import uuid4

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from gallery.claims import Claim
from gallery.errors import Gone, Taken, Unavailable
from gallery.interface import Facts
from gallery.items import TRIES, Items, too_many, wait
from gallery.kept import due, merged
from gallery.names import check_file, check_painting
from gallery.objects import Objects
from gallery.table import File, Stored

ABANDONED = 24 * 3600.0  # seconds after which an upload without its painting is none that still goes on
LOOKS = 100  # of `sweep` at all there is, in the time that anything is kept


class CloudGallery:
    """Paintings in a bucket and a table, used by any number of studios at a time.

    `unfinished` may miss what was added or noted within the last second: DynamoDB's indexes follow a little later.
    """

    def __init__(
        self, bucket: str, prefix: str, table: str, endpoint: str | None, region: str | None, studio: str, life: float
    ) -> None:
        self.life = life
        self._studio = studio
        self._tokens: dict[str, str] = {}  # of the claims that this program has, by painting
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
            self._items = Items(self._dynamodb, table)
            # The table's name is in it, so that `sweep` never takes another gallery's files for abandoned.
            self._objects = Objects(self._s3, bucket, f"{prefix}/{table}/".lstrip("/"))
            self._s3.head_bucket(Bucket=bucket)
            self._items.total()

    def add(self, painting: str, facts: Facts, files: Mapping[str, bytes]) -> bool:
        check_painting(painting)
        for name in files:
            check_file(name)
        with self._telling():
            if self._items.get(painting):
                return False
            now, place = time.time(), uuid4().hex
            stored = Stored(
                painting=painting,
                serial=self._items.next_serial(),
                created=now,
                touched=now,
                size=sum(map(len, files.values())),
                facts=merged({}, facts),
                change=0,
                files={name: File(len(data), place) for name, data in files.items()},
            )
            if not stored.done:
                stored = replace(stored, claim=self._new_claim())
            for name, data in files.items():
                self._objects.put(stored.files[name].key(painting, name), data)
            # Where this raises, the item may have been written: the files stay, for `sweep` to decide.
            is_added = self._claiming(stored, lambda: self._items.add(stored))
            if not is_added:
                self._objects.delete(stored.keys)
            return is_added

    def facts(self, painting: str) -> Facts | None:
        check_painting(painting)
        with self._telling():
            stored = self._items.get(painting)
        return self._told(stored) if stored else None

    def claim(self, painting: str) -> Facts | None:
        check_painting(painting)
        with self._telling():
            for attempt in range(TRIES):
                wait(attempt)
                before = self._items.get(painting)
                if before is None:
                    return None
                if (before.claim and before.token == self._tokens.get(painting)) or self._held(before):
                    return self._told(before)
                if taken := self._taken(before):
                    return self._told(taken)
        raise too_many(painting)

    def renew(self) -> list[str]:
        lost = []
        with self._telling():
            for painting, token in list(self._tokens.items()):
                is_ours = self._items.renew(painting, token, time.time() + self.life)
                if not is_ours and self._forget(painting, token):  # else it was let go just then
                    lost.append(painting)
        return lost

    def release(self, painting: str) -> None:
        check_painting(painting)
        if token := self._tokens.pop(painting, None):
            with self._telling():
                self._items.release(painting, token)

    def note(self, painting: str, facts: Facts) -> None:
        check_painting(painting)
        with self._telling():
            self._items.change(painting, self._tokens.get(painting), lambda stored: stored.noted(facts))

    def write(self, painting: str, name: str, data: bytes) -> None:
        check_painting(painting)
        check_file(name)
        with self._telling():
            token, file = self._tokens.get(painting), File(len(data), uuid4().hex)
            new = file.key(painting, name)
            self._objects.put(new, data)
            try:
                before, _ = self._items.change(
                    painting, token, lambda stored: stored.having({**stored.files, name: file})
                )
            except (Gone, Taken):
                self._objects.delete([new])
                raise
            if old := before.files.get(name):
                self._objects.delete([old.key(painting, name)])

    def read(self, painting: str, name: str) -> bytes | None:
        check_painting(painting)
        check_file(name)
        with self._telling():
            for _ in range(TRIES):
                stored = self._items.get(painting)
                if stored is None or name not in stored.files:
                    return None
                data = self._objects.get(stored.files[name].key(painting, name))
                if data is not None:  # else it was erased or replaced in this very moment
                    return data
        return None

    def names(self, painting: str) -> list[str]:
        check_painting(painting)
        with self._telling():
            stored = self._items.get(painting)
        return sorted(stored.files) if stored else []

    def erase(self, painting: str, names: Iterable[str]) -> None:
        erased = set(names)
        check_painting(painting)
        for name in erased:
            check_file(name)

        def without(stored: Stored) -> Stored:
            return stored.having({name: file for name, file in stored.files.items() if name not in erased})

        with self._telling():
            try:
                before, after = self._items.change(painting, self._tokens.get(painting), without)
            except Gone:
                return
            self._objects.delete(set(before.keys) - set(after.keys))

    def delete(self, painting: str) -> bool:
        check_painting(painting)
        with self._telling():
            while stored := self._items.get(painting):
                if self._held(stored):
                    raise Taken(painting)
                if self._deleted(stored):
                    return True
        return False

    def unfinished(self) -> list[tuple[str, Facts]]:
        with self._telling():
            return [(stored.painting, self._told(stored)) for stored in self._items.unfinished()]

    def size(self) -> int:
        with self._telling():
            return self._items.total()

    def sweep(self, age: float, most: int, spare: Container[str]) -> list[str]:
        with self._telling():
            is_time = self._items.is_time(age / LOOKS)
            if not is_time and self._items.total() <= most:
                return []
            paintings = list(self._items.all())
            free = [stored for stored in paintings if not self._held(stored)]
            held = sum(stored.size for stored in paintings) - sum(stored.size for stored in free)
            swept = [stored.painting for stored in due(free, age, most - held, spare) if self._deleted(stored)]
            if is_time:
                known = {key for stored in paintings for key in stored.keys}
                self._objects.delete(
                    key for key in self._objects.older_than(time.time() - ABANDONED) if key not in known
                )
            return swept

    def key(self, painting: str, name: str) -> str | None:
        check_painting(painting)
        check_file(name)
        with self._telling():
            stored = self._items.get(painting)
        file = stored.files.get(name) if stored else None
        return self._objects.folder + file.key(painting, name) if file else None

    def close(self) -> None:
        for painting in list(self._tokens):
            with suppress(Unavailable):  # then its claim runs out
                self.release(painting)
        self._s3.close()
        self._dynamodb.close()

    def _told(self, stored: Stored) -> Facts:
        """What is known of a painting, and for how long another studio has it."""
        held = self._held(stored)
        return {**stored.told, "held": held} if held else stored.told

    def _deleted(self, stored: Stored) -> bool:
        """Delete a painting, unless it was changed since it was read."""
        is_deleted = self._items.delete(stored)
        if is_deleted:
            self._tokens.pop(stored.painting, None)
            self._objects.delete(stored.keys)
        return is_deleted

    # ---------------------------------------------------------------- claims

    def _new_claim(self) -> Claim:
        return Claim(self._studio, uuid4().hex, time.time() + self.life)

    def _held(self, stored: Stored) -> float:
        """For how many seconds another studio has a painting; 0 if none has."""
        claim = stored.claim
        return max(0.0, claim.until - time.time()) if claim and claim.studio != self._studio else 0.0

    def _taken(self, before: Stored) -> Stored | None:
        """The painting, which is ours from now on; None if it was changed since it was read."""
        after = replace(before, claim=self._new_claim(), change=before.change + 1)
        return after if self._claiming(after, lambda: self._items.replace(before, after)) else None

    def _claiming(self, stored: Stored, write: Callable[[], bool]) -> bool:
        """Write a painting that is ours then, if it has a claim; return whether it could be."""
        is_written = write()  # where this raises, it may be ours: then the claim runs out
        if is_written and stored.claim:  # not before: `renew`, meanwhile, would find that nobody has made this claim
            self._tokens[stored.painting] = stored.claim.token
        return is_written

    def _forget(self, painting: str, token: str) -> bool:
        """Have this claim no more; whether we had it."""
        is_had = self._tokens.get(painting) == token
        if is_had:
            del self._tokens[painting]
        return is_had

    # ---------------------------------------------------------------- what goes wrong

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
