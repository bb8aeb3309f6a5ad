"""What is logged, read back as a machine reads it, and whatever strangers write."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.logs import LONGEST_TRACEBACK, LONGEST_VALUE, Logfmt

ROOT = Path(__file__).resolve().parent.parent.parent
PAIR = re.compile(r'([\w.]+)=("(?:[^"\\]|\\.)*"|[^\s"=\\]+)', re.ASCII)


def read(line: str) -> dict[str, str]:
    """The facts of a line, every character of which has to belong to one."""
    pairs = PAIR.findall(line)
    assert " ".join(f"{name}={value}" for name, value in pairs) == line
    return {name: json.loads(value) if value.startswith('"') else value for name, value in pairs}


def written(event: str, *arguments: Any, **facts: Any) -> str:
    logger = logging.Logger("server.example")
    record = logger.makeRecord(
        logger.name, logging.INFO, __file__, 1, event, arguments, None, extra={"facts": facts} if facts else None
    )
    return Logfmt().format(record)


def said(script: str, level: str = "info") -> list[str]:
    """The lines on stderr of a real process that has configured logging."""
    prologue = f"import logging\nfrom server.logs import configure\nconfigure({level!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", prologue + script], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_a_line_is_logfmt() -> None:
    line = written("painting finished", painting="abc", seconds=6.1, frames=80, shared=True, viewer=None)
    time, _, rest = line.partition(" ")
    assert re.fullmatch(r"time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)
    assert rest == 'level=info event="painting finished" painting=abc seconds=6.1 frames=80 shared=true viewer=""'


def test_the_time_is_utc_to_the_millisecond() -> None:
    now = datetime.now(timezone.utc)
    moment = datetime.strptime(read(written("now"))["time"], "%Y-%m-%dT%H:%M:%S.%f%z")
    assert timedelta(milliseconds=-2) < moment - now < timedelta(seconds=5)


def test_the_older_way_of_giving_facts_works_too() -> None:
    assert read(written("%s for %d seconds", "waiting", 3))["event"] == "waiting for 3 seconds"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", '""'),
        ("plain-text_1.2:/@+,%~()[]", "plain-text_1.2:/@+,%~()[]"),
        ("two words", '"two words"'),
        ("a=b", '"a=b"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("back\\slash", '"back\\\\slash"'),
        ("a\nlevel=error event=forged", '"a\\nlevel=error event=forged"'),
        ("\r\t\0", '"\\r\\t\\u0000"'),
        ("\x1b[31mred\x1b[0m", '"\\u001b[31mred\\u001b[0m"'),
        ("\x7f\x9b2J", '"\\u007f\\u009b2J"'),
        ("line\u2028separator", '"line\\u2028separator"'),
        ("\u202egnp.exe", '"\\u202egnp.exe"'),
        ("half \ud83d", '"half \\ud83d"'),
        ("Größe", '"Größe"'),
    ],
)
def test_a_value_is_quoted_if_it_has_to_be(text: str, value: str) -> None:
    assert written("example", text=text).endswith(f" text={value}")
    assert read(written("example", text=text))["text"] == text
    assert f" event={value}" in written("%s", text)


@given(
    st.text(),
    st.text(st.characters(max_codepoint=255)),
    st.text(min_size=1, max_size=10).filter(lambda name: name not in ("event", "one", "two")),  # which are given
)
def test_no_text_can_forge_a_line(event: str, value: str, name: str) -> None:
    line = written("%s", event, one=value, two="end", **{name: "x"})
    assert line.isprintable()
    facts = read(line)
    assert list(facts)[:5] == ["time", "level", "event", "one", "two"] or name in facts
    assert facts["event"] == event
    assert facts["one"] == value


def test_what_is_very_long_is_cut() -> None:
    facts = read(written("e" * 10**6, text="t" * 10**6, number=10**1000))
    assert facts["event"] == "e" * (LONGEST_VALUE - 3) + "..."
    assert all(len(value) <= LONGEST_VALUE for value in facts.values())


def test_an_error_is_one_line_with_its_traceback_in_one_field() -> None:
    (line,) = said(
        "try:\n    raise ValueError('a\\nb')\n"
        "except ValueError:\n    logging.exception('failed', extra={'facts': {'painting': 'abc'}})"
    )
    facts = read(line)
    assert list(facts) == ["time", "level", "event", "painting", "error", "traceback"]
    assert facts["level"] == "error"
    assert facts["error"] == "ValueError: a\nb"
    assert facts["traceback"].startswith("Traceback (most recent call last):\n")
    assert facts["traceback"].endswith("ValueError: a\nb")


def test_of_a_long_traceback_the_end_is_kept() -> None:
    (line,) = said(
        "try:\n    raise ValueError('x' * 20_000) from KeyError('first')\n"
        "except ValueError as error:\n    logging.error('failed', exc_info=error)"
    )
    assert len(read(line)["traceback"]) == LONGEST_TRACEBACK
    assert len(read(line)["error"]) == LONGEST_VALUE


def test_no_error_at_hand_is_no_error() -> None:
    (line,) = said("logging.error('failed', exc_info=True)")
    assert read(line)["event"] == "failed"
    assert "traceback" not in line


def test_all_that_is_logged_goes_the_same_way() -> None:
    lines = said(
        "import asyncio, warnings, tornado.log\n"
        "configure()\n"  # twice is once
        "tornado.log.access_log.info('200 GET / (127.0.0.1) 1.00ms')\n"
        "tornado.log.app_log.error('Uncaught exception GET /\\n%r', 'request')\n"
        "tornado.log.gen_log.warning('Malformed')\n"
        "logging.getLogger('asyncio').error('Task exception was never retrieved')\n"
        "warnings.warn('beware', stacklevel=1)\n"
    )
    events = [(read(line)["level"], read(line)["event"]) for line in lines]
    assert events[:4] == [
        ("info", "200 GET / (127.0.0.1) 1.00ms"),
        ("error", "Uncaught exception GET /\n'request'"),
        ("warning", "Malformed"),
        ("error", "Task exception was never retrieved"),
    ]
    assert events[4][0] == "warning"
    assert "UserWarning: beware" in events[4][1]


@pytest.mark.parametrize(("level", "lines"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_what_is_below_the_level_is_left_out(level: str, lines: int) -> None:
    script = "for level in (10, 20, 30, 40): logging.getLogger('server.example').log(level, 'event')"
    assert len(said(script, level)) == lines


def test_a_terminal_that_knows_only_ascii_is_no_error() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import logging, server.logs as l; l.configure(); logging.info('Größe \\ud83d ☃')"],
        cwd=ROOT,
        env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=120,
        check=True,
    )
    assert done.stderr.count(b"\n") == 1
    assert b"Traceback" not in done.stderr
