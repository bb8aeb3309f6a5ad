"""The CloudFormation template, with the files that it includes put in where it says ``!Include PATH``.

CloudFormation has no such word for plain text, and the edge function and the scripts are better off as files of their
own, which can be run and checked.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

TEMPLATE = Path(__file__).with_name("template.yaml")
ROOT = TEMPLATE.parent.parent

_INCLUDE = re.compile(r"!Include (\S+)")


def rendered() -> str:
    """The template as CloudFormation takes it."""
    # A JSON string is a YAML string.
    return _INCLUDE.sub(
        lambda found: json.dumps((ROOT / found[1]).read_text(encoding="utf-8")), TEMPLATE.read_text(encoding="utf-8")
    )
