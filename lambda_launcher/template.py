"""The CloudFormation template, with the files that it includes put in where it says ``!Include PATH``.

CloudFormation has no such word for plain text, and the edge function and the scripts are better off as files of their
own, which can be run and checked.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

TEMPLATE = Path(__file__).with_name("template.yaml")
ROOT = TEMPLATE.parent.parent

_INCLUDE = re.compile(r"!Include (\S+)")
_PARAMETER = re.compile(r"^  (\w+):\n((?:    .*\n)+)", re.MULTILINE)


def rendered() -> str:
    """The template as CloudFormation takes it."""
    # A JSON string is a YAML string.
    return _INCLUDE.sub(
        lambda found: json.dumps((ROOT / found[1]).read_text(encoding="utf-8")), TEMPLATE.read_text(encoding="utf-8")
    )


class Parameter(NamedTuple):
    """What the template says of a parameter."""

    default: str | None  # None: it has to be given
    least: int
    most: int


def parameters() -> dict[str, Parameter]:
    """The parameters that the template has."""
    return {name: _parameter(text) for name, text in _PARAMETER.findall(_section("Parameters"))}


def resources() -> dict[str, str]:
    """What the template says of each of its resources."""
    return {found[1]: found[0] for found in re.finditer(r"^  (\w+):\n(?:    .*\n|\n)+", _section("Resources"), re.M)}


def _section(name: str) -> str:
    (found,) = re.findall(rf"^{name}:\n((?:  .*\n|\n)+)", rendered() + "\n", re.MULTILINE)
    return str(found)


def _parameter(text: str) -> Parameter:
    said = dict(re.findall(r"^    (\w+): (.*)$", text, re.MULTILINE))
    default = said["Default"].strip('"') if "Default" in said else None
    return Parameter(default, int(said.get("MinValue", 0)), int(said.get("MaxValue", 10**9)))
