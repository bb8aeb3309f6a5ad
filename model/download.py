"""Fetching the weights so that they are whole or not there: resumed where they broke off, checked, installed at once.

While it is fetched, a file `X` lives as `X.part`, with `X.part.json` saying which version of which address its bytes
belong to. `X.lock` keeps two programs from fetching into the same part; it stays behind, empty, since removing a lock
that somebody else may be waiting for would let two of them in.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError  # Python 3.10 does not yet raise the built-in one.
from dataclasses import asdict, dataclass
from email.message import Message
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from model.errors import Refusal

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# Called with the bytes that are here and the bytes there will be, 0 where the server does not say.
Progress = Callable[[int, int], None]

CHUNK = 1 << 18
INSTEAD = "Give a file with --weights PATH, or set VISUALNEURONS_WEIGHTS_URL to a mirror."


@dataclass(frozen=True)
class Source:
    """A file on the web: where it is, and the MD5 that tells it from anything else."""

    url: str
    md5: str


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds, and how often to try."""

    answer: float = 2.5  # from asking to the answer's headers; with Python's own start this is told within 3 s
    stall: float = 10.0  # between two pieces of the body
    tries: int = 5
    pause: float = 0.5  # before the second try, twice as long before the third, ...


@dataclass(frozen=True)
class Origin:
    """Which version of which address some bytes belong to."""

    url: str
    version: str  # a strong ETag, else the date of the last change, else empty
    total: int  # bytes, 0 if unknown


class Part:
    """What is here of a download that is not whole yet."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f"{target.name}.part")
        self._note = target.with_name(f"{target.name}.part.json")

    @property
    def kept(self) -> int:
        """How many bytes are here."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    @property
    def origin(self) -> Origin | None:
        """What the bytes belong to, None if that is not known."""
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            return Origin(str(note["url"]), str(note["version"]), int(note["total"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def start(self, origin: Origin) -> None:
        """Begin anew with the bytes of this origin."""
        self.discard()
        self._note.write_text(json.dumps(asdict(origin)), encoding="utf-8")

    def discard(self) -> None:
        """Drop the bytes."""
        # The bytes go first: bytes without their note are dropped, but a wrong note would make a spliced file.
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def install(self, target: Path) -> None:
        """Give the bytes their final name, at once and whole."""
        os.replace(self.path, target)
        self.discard()


class _Cut(Exception):
    """The download broke off; asking again may go on from there."""


class _Unreached(_Cut):
    """No server answered at all."""


def is_whole(path: Path, md5: str) -> bool:
    """Whether the file is there and has this MD5."""
    try:
        with open(path, "rb") as file:
            # As a checksum, not as a safeguard: MD5 is what Keras publishes for these files.
            digest = hashlib.md5(usedforsecurity=False)
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except OSError:
        return False
    return digest.hexdigest() == md5


def fetch(source: Source, target: Path, progress: Progress, patience: Patience) -> None:
    """Have the source whole at the target, or raise a Refusal; what was received stays for the next time."""
    if urlsplit(source.url).scheme not in ("http", "https"):
        raise Refusal("weights_unavailable", f"{source.url!r} is not an http or https address.", INSTEAD)
    part = Part(target)
    with _saving(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(target.with_name(f"{target.name}.lock"), part, progress, patience):
        if is_whole(target, source.md5):
            return  # Another program fetched it while this one waited.
        if not is_whole(part.path, source.md5):
            _complete(source, part, progress, patience)
        with _saving(target.parent):
            part.install(target)


def _complete(source: Source, part: Part, progress: Progress, patience: Patience) -> None:
    """Ask until the part is whole and right, as often as patience allows."""
    if part.origin is None or part.origin.url != source.url:
        with _saving(part.path.parent):
            part.discard()
    reason = ""
    for attempt in range(patience.tries):
        time.sleep(attempt * patience.pause)
        resumed = part.kept > 0
        try:
            with contextlib.closing(_receive(source, part, patience)) as received:
                for done, total in received:
                    progress(done, total)
        except _Unreached as cut:
            if attempt == 0:
                raise Refusal("weights_offline", f"{source.url} cannot be reached: {cut}.", INSTEAD) from cut
            reason = str(cut)
        except _Cut as cut:
            reason = str(cut)
        else:
            if is_whole(part.path, source.md5):
                return
            size = part.kept
            with _saving(part.path.parent):
                part.discard()
            if not resumed:
                problem = f"{source.url} gave {_megabytes(size)} whose MD5 is not {source.md5}; they were thrown away."
                raise Refusal("weights_broken", problem, INSTEAD)
            reason = "the pieces did not fit together"  # The server has no versions and its file changed: start anew.
    of = f" of {_megabytes(part.origin.total)}" if part.origin and part.origin.total else ""
    raise Refusal(
        "weights_interrupted",
        f"The download of {source.url} broke off {patience.tries} times, in the end because {reason}; "
        f"{_megabytes(part.kept)}{of} are kept.",
        "The next run goes on from there.",
    )


def _receive(source: Source, part: Part, patience: Patience) -> Generator[tuple[int, int], None, None]:
    """Ask once for what is missing and append it, yielding bytes here and in total; _Cut when it breaks off."""
    done, origin = part.kept, part.origin
    request = Request(source.url, headers={"User-Agent": "VisualNeurons"})
    if done and origin:
        request.add_header("Range", f"bytes={done}-")
        if origin.version:
            request.add_header("If-Range", origin.version)
    with _answer(request, patience) as answer, _saving(part.path.parent):
        if answer.status == 200:  # The whole file: the first time, or it changed, or the server knows no ranges.
            done, origin = 0, Origin(source.url, _version(answer.headers), _length(answer.headers))
            part.start(origin)
        elif answer.status == 416 or (answer.status == 206 and not _continues(answer.headers, done, origin)):
            part.discard()
            raise _Cut("the file changed on the server")
        elif answer.status != 206 or origin is None:
            raise Refusal("weights_unavailable", f"{source.url} answered {answer.status} {answer.reason}.", INSTEAD)
        _refuse_if_too_big(origin.total - done, part.path.parent)
        with open(part.path, "ab") as file:
            while chunk := _read(answer, patience):
                file.write(chunk)
                done += len(chunk)
                yield done, origin.total
        if done < origin.total:
            raise _Cut("the connection was closed")


def _answer(request: Request, patience: Patience) -> HTTPResponse | HTTPError:
    """The server's answer, whatever its status; _Unreached if there is none in time.

    It is waited for in a thread, because looking up a name knows no timeout, and a socket's timeout starts again with
    each address that is tried and each byte that trickles in.
    """
    future: Future[HTTPResponse | HTTPError] = Future()

    def ask() -> None:
        try:
            answer = urlopen(request, timeout=patience.stall)
        except HTTPError as error:
            answer = error
        except (OSError, HTTPException, ValueError) as error:
            if future.set_running_or_notify_cancel():
                future.set_exception(error)
            return
        if future.set_running_or_notify_cancel():
            future.set_result(answer)
        else:
            answer.close()

    threading.Thread(target=ask, name="weights", daemon=True).start()
    try:
        try:
            return future.result(patience.answer)
        except FutureTimeoutError:
            if future.cancel():
                raise _Unreached(f"no answer within {patience.answer:g} seconds") from None
            return future.result()  # It came in this very moment.
    except (OSError, HTTPException, ValueError) as error:
        raise _Unreached(_reason(error)) from error


def _read(answer: HTTPResponse | HTTPError, patience: Patience) -> bytes:
    try:
        return answer.read1(CHUNK)
    except TimeoutError as error:
        raise _Cut(f"nothing came for {patience.stall:g} seconds") from error
    except (OSError, HTTPException) as error:
        raise _Cut(_reason(error)) from error


def _length(headers: Message) -> int:
    length = str(headers["Content-Length"])
    return int(length) if length.isdecimal() else 0


def _version(headers: Message) -> str:
    """What names this version of the file; a weak ETag may stay the same when bytes change, so it does not count."""
    etag = str(headers["ETag"] or "")
    return etag if etag.startswith('"') else str(headers["Last-Modified"] or "")


def _continues(headers: Message, done: int, origin: Origin | None) -> bool:
    """Whether a partial answer goes on exactly where the part ends, in the same version of the file."""
    span = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", str(headers["Content-Range"]))
    if span is None or origin is None:
        return False
    same_version = _version(headers) in ("", origin.version)
    return int(span[1]) == done and span[2] in ("*", str(origin.total)) and same_version


def _refuse_if_too_big(size: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        problem = f"The weights need {_megabytes(size)} more in {folder}, where {_megabytes(free)} are free."
        raise Refusal("weights_unsaved", problem, "Make room, or set KERAS_HOME to a folder on another disk.")


@contextlib.contextmanager
def _saving(folder: Path) -> Iterator[None]:
    """What goes wrong with files in here (a full disk, a folder that cannot be written) is a Refusal."""
    try:
        yield
    except OSError as error:
        problem = f"The weights cannot be saved in {folder}: {_reason(error)}."
        raise Refusal("weights_unsaved", problem, "Make room there, or set KERAS_HOME to another folder.") from error


@contextlib.contextmanager
def _alone(lock: Path, part: Part, progress: Progress, patience: Patience) -> Iterator[None]:
    """Let one program in at a time; the others see its progress. The lock of a program that dies is free again."""
    with contextlib.ExitStack() as stack:
        with _saving(lock.parent):
            file = stack.enter_context(open(lock, "ab"))
        kept, since = part.kept, time.monotonic()
        while not _take(file):
            if part.kept != kept:
                kept, since = part.kept, time.monotonic()
                progress(kept, part.origin.total if part.origin else 0)
            waited = time.monotonic() - since
            if waited > patience.stall * patience.tries:
                problem = f"Another program is fetching the weights and has not come further for {waited:.0f} seconds."
                raise Refusal("weights_busy", problem, "End it, or give a file with --weights PATH.")
            time.sleep(0.05)
        stack.callback(_release, file)
        yield


if sys.platform == "win32":

    def _take(file: BinaryIO) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def _release(file: BinaryIO) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:

    def _take(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _release(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


def _reason(error: Exception) -> str:
    """An error in words, without its number."""
    if isinstance(error, URLError) and isinstance(error.reason, Exception):
        return _reason(error.reason)
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
