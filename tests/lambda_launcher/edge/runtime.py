"""The edge function, run in Node as CloudFront would run it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from typing import Any

from lambda_launcher.template import ROOT
from rehearsal.edge.routing import RUNTIME, node

FUNCTION = ROOT / "lambda_launcher" / "edge" / "route.js"

Json = dict[str, Any]


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
    given = [{"code": code}, *({"request": each, "now": now * 1000} for each in requests)]
    lines = "".join(f"{json.dumps(each)}\n" for each in given)
    done = subprocess.run([node(), RUNTIME], input=lines, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    outcomes: list[Json] = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(outcomes) == len(requests)
    assert not [each["error"] for each in outcomes if "error" in each]
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
