"""What the program says while it runs: one line of logfmt on stderr for each event.

    time=2026-11-21T11:17:30.123Z level=info event="painting finished" painting=abc seconds=6.1

Every room logs through Python's own `logging`, with facts by name, and needs nothing from here:

    logger.info("painting finished", extra={"facts": {"painting": id, "seconds": 6.1}})

Much of what is logged was written by strangers. A value is quoted if it has to be, as in JSON, so that none can end its
line, begin another, speak to the terminal, or go on forever.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator
from typing import Any

LEVELS = ("debug", "info", "warning", "error")

LONGEST_VALUE = 500  # characters
LONGEST_TRACEBACK = 8000

_PLAIN = re.compile(r"[\w.:/@+,%~()\[\]-]+", re.ASCII)


def configure(level: str = "info") -> None:
    """Log to stderr what is of this level or above, whoever logs it: we, tornado, or Python with a warning."""
    handler = logging.StreamHandler()
    handler.setFormatter(Logfmt())
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.captureWarnings(True)
    if level == "info":
        logging.getLogger("botocore").setLevel("WARNING")  # it tells of each client where it has found what


class Logfmt(logging.Formatter):
    """Writes a record as one line of logfmt."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for `record`."""
        return " ".join(f"{_name(name)}={_quoted(text)}" for name, text in self._pairs(record))

    def _pairs(self, record: logging.LogRecord) -> Iterator[tuple[str, str]]:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        yield "time", f"{moment}.{int(record.msecs):03d}Z"
        yield "level", record.levelname.lower()
        yield "event", _cut(record.getMessage())
        for name, value in getattr(record, "facts", {}).items():
            yield name, _cut(_text(value))
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            yield "error", _cut(f"{type(error).__name__}: {error}")
            yield "traceback", self.formatException(record.exc_info)[-LONGEST_TRACEBACK:]  # the end says most


def _name(name: str) -> str:
    return re.sub(r"[^\w.]", "_", name, flags=re.ASCII) or "_"


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else '"' + "".join(map(_escaped, text)) + '"'


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else value if isinstance(value, str) else str(value)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."


def _escaped(character: str) -> str:
    """A character as it stands in a JSON text, with all escaped that cannot be seen."""
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    return "\\u007f" if character == "\x7f" else json.dumps(character)[1:-1]
