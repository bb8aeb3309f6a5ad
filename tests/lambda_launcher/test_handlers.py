"""The Lambdas, given what API Gateway gives them, in an emulated cloud."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambda_launcher import handlers
from lambda_launcher.brake import AGAIN, BRAKE, FAILED
from lambda_launcher.errors import CODES
from lambda_launcher.settings import Settings
from server.errors import CODES as CODES_OF_THE_STUDIO
from server.tickets import Tickets
from tests.lambda_launcher.site import KEY
from tests.lambda_launcher.test_fleet import NO_IMAGE, saying

EDGE = hmac.new(KEY.encode(), b"edge:api", hashlib.sha256).hexdigest()
CACHED = (
    handlers._settings,
    handlers._table,
    handlers._fleet,
    handlers._launcher,
    handlers._paintings,
    handlers._ticket_key,
)


@pytest.fixture
def stack(cloud: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The settings that the Lambdas find in their environment."""
    for name, value in vars(cloud).items():
        monkeypatch.setenv(name.upper(), ",".join(value) if isinstance(value, tuple) else str(value))
    for cached in CACHED:
        cached.cache_clear()
    yield cloud
    for cached in CACHED:
        cached.cache_clear()


def ask(
    method: str,
    path: str,
    body: object = None,
    query: str = "",
    headers: dict[str, str] | None = None,
    is_base64: bool = False,
) -> tuple[int, Any, dict[str, str]]:
    """What a request is answered that came by the edge: status, content, headers."""
    event = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": query,
        "queryStringParameters": dict(pair.split("=") for pair in query.split("&")) if query else {},
        "headers": {"content-type": "application/json", "x-visualneurons-edge": EDGE, **(headers or {})},
        "requestContext": {"http": {"method": method, "path": path, "sourceIp": "203.0.113.7"}, "stage": "$default"},
        "body": body if isinstance(body, str | None) else json.dumps(body),
        "isBase64Encoded": is_base64,
    }
    answer = handlers.api(event, LambdaContext())
    assert answer["headers"]["Content-Type"] == "application/json"
    assert answer["headers"]["Cache-Control"] == "no-store"
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


def serve(dynamodb: Any, stack: Settings, id_: str, dns: str) -> None:
    """What a studio tells the table when it is ready."""
    now, lease = {"N": str(time.time())}, {"N": str(time.time() + 90)}
    report(dynamodb, stack, id_, phase={"S": "ready"}, ready=now, active=now, lease=lease, dns={"S": dns})


def report(dynamodb: Any, stack: Settings, id_: str, **news: Any) -> None:
    """What a studio tells the table."""
    dynamodb.update_item(
        TableName=stack.table,
        Key={"pk": {"S": f"studio#{id_}"}},
        UpdateExpression=f"SET {', '.join(f'{name} = :{name}' for name in news)} ADD version :one",
        ExpressionAttributeValues={":one": {"N": "1"}, **{f":{name}": value for name, value in news.items()}},
    )


def test_from_the_click_to_the_end_of_the_machine(dynamodb: Any, ec2: Any, stack: Settings) -> None:
    owner = "a-secret-that-nobody-guesses"
    status, told, _ = ask("POST", "/api/launch", {"key": "key-1", "painting": "p-1", "owner": owner})
    assert status == 202
    assert 120 < told.pop("eta") <= 150
    assert told == {
        "id": told["id"],
        "type": stack.types[0],
        "dns": None,
        "state": "booting",
        "ticket": None,
        "url": None,
    }
    address = f"/api/studios/{told['id']}"
    assert ask("POST", "/api/launch", {"key": "key-1", "painting": "p-1"})[1]["id"] == told["id"]
    status, again, _ = ask("GET", address, query="painting=p-1")
    assert (status, {name: value for name, value in again.items() if name != "eta"}) == (202, told)

    serve(dynamodb, stack, told["id"], "ec2-192-0-2-9.example.com")
    status, ready, _ = ask("GET", address, query="painting=p-1")
    assert (status, ready["state"], ready["eta"], ready["url"]) == (200, "ready", 0, "/ws/styletransfer")
    Tickets(KEY.encode(), ready["dns"]).admit(ready["ticket"], "p-1")

    assert handlers.reap({}, LambdaContext()) == {"orphan": 0, "learn": 1}
    assert ask("DELETE", address)[0] == 403
    assert ask("DELETE", address, headers={"authorization": "Bearer key-1"})[1]["data"]["code"] == "key_wrong"
    assert ask("DELETE", address, headers={"authorization": f"bearer {owner}"})[1]["data"]["code"] == "studio_busy"
    report(dynamodb, stack, told["id"], coming={"M": {}})  # he has come, and his painting is done
    assert ask("DELETE", address, headers={"authorization": f"bearer {owner}"})[:2] == (
        202,
        {"id": told["id"], "state": "leaving"},
    )
    assert handlers.reap({}, LambdaContext()) == {"orphan": 0, "has ended": 1}
    assert ask("GET", address, query="painting=p-1")[1]["data"]["code"] == "studio_ended"
    (machine,) = handlers._fleet().instances()
    assert machine.power == "terminated"
    ledgers = {name: item for name, item in ledger_of(dynamodb, stack).items() if name.startswith("ledger#")}
    assert {item["reserved"]["N"] for item in ledgers.values()} == {"0"}
    assert {name.split("#")[2] for name in ledgers if name.count("#") == 2} == {"203.0.113.7"}


def ledger_of(dynamodb: Any, stack: Settings) -> dict[str, Any]:
    return {item["pk"]["S"]: item for item in dynamodb.scan(TableName=stack.table)["Items"]}


def test_the_visitor_is_who_cloudfront_says(dynamodb: Any, stack: Settings) -> None:
    headers = {"cloudfront-viewer-address": "2001:db8:1:2::9:443"}
    ask("POST", "/api/launch", {"key": "key-1", "painting": "p-1"}, headers=headers)
    assert any(name.endswith("#2001:db8:1:2::/64") for name in ledger_of(dynamodb, stack))


def test_what_passes_comes_with_when_to_ask_again(stack: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    need = stack.reservation
    monkeypatch.setenv("DAILY_SECONDS", str(need))
    monkeypatch.setenv("MAX_STUDIOS", "2")
    for number in range(9):
        assert ask("POST", "/api/launch", {"key": f"key-{number}", "painting": f"p-{number}"})[0] == 202
    status, told, headers = ask("POST", "/api/launch", {"key": "key-9", "painting": "p-9"})
    assert (status, told["state"], told["data"]["code"], headers["Retry-After"]) == (
        503,
        "error",
        "budget_spent",
        "120",
    )
    assert told["data"]["message"].endswith(f"of {need} GPU-seconds 0 are used and {need} reserved.")
    assert told["data"]["hint"]


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("POST", "/api/launch", None, "field_invalid"),
        ("POST", "/api/launch", "{", "field_invalid"),
        ("POST", "/api/launch", "[" * 100_000, "field_invalid"),
        ("POST", "/api/launch", [1], "field_invalid"),
        ("POST", "/api/launch", {"painting": "p-1"}, "field_invalid"),
        ("POST", "/api/launch", {"key": 7, "painting": "p-1"}, "field_invalid"),
        ("POST", "/api/launch", {"key": "k" * 65, "painting": "p-1"}, "field_invalid"),
        ("POST", "/api/launch", {"key": "k#1", "painting": "p-1"}, "field_invalid"),
        ("POST", "/api/launch", {"key": "k", "painting": "p", "owner": "too-short"}, "field_invalid"),
        ("POST", "/api/launch", {"key": "k", "painting": "p", "owner": "s" * 65}, "field_invalid"),
        ("POST", "/api/launch", {"key": "k", "painting": "p", "owner": None}, "field_invalid"),
        ("POST", "/api/launch", {"key": "k", "painting": "p 1"}, "painting_id_invalid"),
        ("POST", "/api/launch", {"key": "k"}, "painting_id_invalid"),
        ("GET", "/api/studios/0123456789abcdef", None, "painting_id_invalid"),
        ("DELETE", "/api/studios/0123456789abcdef", None, "studio_unknown"),
        ("DELETE", "/api/studios/0", None, "studio_unknown"),
        ("DELETE", "/api/studios/0123456789ABCDE%23", None, "studio_unknown"),
        ("GET", "/api/launch", None, "not_found"),
        ("GET", "/api/studios", None, "not_found"),
        ("PUT", "/api/studios/0123456789abcdef", None, "not_found"),
        ("GET", "/", None, "not_found"),
    ],
)
def test_what_cannot_be_done_is_refused(stack: Settings, method: str, path: str, body: object, code: str) -> None:
    status, told, headers = ask(method, path, body)
    assert (status, told["state"], told["data"]["code"]) == (CODES[code].status, "error", code)
    assert told["data"]["message"].endswith(".")
    assert told["data"]["hint"].endswith(".")
    assert "Retry-After" not in headers
    assert handlers._fleet().instances() == []


@pytest.mark.parametrize("sent", ["", "forged", EDGE[:-1], EDGE.upper(), "é"])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/launch"), ("GET", "/api/studios/0123456789abcdef"), ("GET", "/")]
)
def test_who_does_not_come_by_the_edge_is_refused(stack: Settings, method: str, path: str, sent: str) -> None:
    status, told, _ = ask(method, path, {"key": "k", "painting": "p"}, headers={"x-visualneurons-edge": sent})
    assert (status, told["data"]["code"]) == (403, "edge_missing")
    assert handlers._fleet().instances() == []


@pytest.mark.usefixtures("stack")
def test_a_request_without_any_header_is_refused() -> None:
    event = {
        "version": "2.0",
        "rawPath": "/api/launch",
        "requestContext": {"http": {"method": "POST", "path": "/api/launch"}, "stage": "$default"},
    }
    assert handlers.api(event, LambdaContext())["statusCode"] == 403


@pytest.mark.usefixtures("stack")
def test_a_body_may_come_in_base64() -> None:
    body = base64.b64encode(b'{"key": "key-1", "painting": "p-1"}').decode()
    status, told, _ = ask("POST", "/api/launch", body, is_base64=True)
    assert (status, told["state"]) == (202, "booting")


def levels(log: str) -> list[str]:
    """How grave the launcher takes what it has written in its log: what is an ERROR counts for the alarm."""
    return [json.loads(line)["level"] for line in log.splitlines()]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the launcher writes in its log."""
    written = io.StringIO()
    for handler in handlers.logger.handlers:
        monkeypatch.setattr(handler, "stream", written)
    return written


@pytest.mark.usefixtures("stack")
def test_a_cloud_that_does_not_answer_is_told_as_such(monkeypatch: pytest.MonkeyPatch, log: io.StringIO) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    status, told, headers = ask("POST", "/api/launch", {"key": "key-1", "painting": "p-1"})
    assert (status, told["data"]["code"], headers["Retry-After"]) == (503, "cloud_unavailable", "10")
    assert levels(log.getvalue()) == ["ERROR"]


@pytest.mark.usefixtures("stack")
def test_a_cloud_that_refuses_a_machine_counts_for_the_alarm(monkeypatch: pytest.MonkeyPatch, log: io.StringIO) -> None:
    monkeypatch.setenv("LAUNCH_TEMPLATE", "lt-0123456789abcdef0")
    status, told, _ = ask("POST", "/api/launch", {"key": "key-1", "painting": "p-1"})
    assert (status, told["data"]["code"]) == (503, "cloud_unavailable")
    assert [level for level in levels(log.getvalue()) if level == "ERROR"] == ["ERROR"]
    assert "InvalidLaunchTemplateId" in log.getvalue()


def test_studios_that_are_broken_count_for_the_alarm(dynamodb: Any, stack: Settings, log: io.StringIO) -> None:
    item = {"pk": {"S": BRAKE}, "failed": {"N": str(FAILED)}, "last": {"N": str(time.time())}, "version": {"N": "1"}}
    dynamodb.put_item(TableName=stack.table, Item=item)
    status, told, headers = ask("POST", "/api/launch", {"key": "key-1", "painting": "p-1"})
    assert (status, told["data"]["code"], headers["Retry-After"]) == (503, "studios_broken", str(AGAIN))
    assert levels(log.getvalue()) == ["ERROR"]


def test_where_nothing_can_be_launched_by_the_settings_what_runs_is_ended_all_the_same(
    monkeypatch: pytest.MonkeyPatch, stack: Settings
) -> None:
    owner = "a-secret-that-nobody-guesses"
    _, told, _ = ask("POST", "/api/launch", {"key": "key-1", "painting": "p-1", "owner": owner})
    monkeypatch.setenv("DAILY_SECONDS", str(stack.reservation - 1))
    for cached in CACHED:
        cached.cache_clear()
    assert handlers.reap({}, LambdaContext()) == {"orphan": 0, "keep": 1}
    assert ask("DELETE", f"/api/studios/{told['id']}", headers={"authorization": f"bearer {owner}"})[0] == 202
    assert handlers.reap({}, LambdaContext()) == {"orphan": 0, "has ended": 1}
    assert ask("POST", "/api/launch", {"key": "key-2", "painting": "p-2"})[1]["data"]["code"] == "server_error"
    (machine,) = handlers._fleet().instances()
    assert machine.power == "terminated"


@pytest.mark.usefixtures("stack")
def test_an_image_that_is_still_being_made_counts_for_no_alarm(
    monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    with saying(400, NO_IMAGE) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", address)
        status, told, headers = ask("POST", "/api/launch", {"key": "key-1", "painting": "p-1"})
    assert (status, told["data"]["code"], headers["Retry-After"]) == (503, "image_none", "120")
    assert "SsmInvalidParameter" in log.getvalue()
    assert "ERROR" not in levels(log.getvalue())


@pytest.mark.usefixtures("stack")
def test_what_is_refused_as_it_should_be_counts_for_no_alarm(log: io.StringIO) -> None:
    assert ask("GET", "/api/studios/0123456789abcdef", query="painting=p-1")[0] == 404
    assert ask("POST", "/api/launch", {"key": "k", "painting": "p"}, headers={"x-visualneurons-edge": ""})[0] == 403
    assert "ERROR" not in levels(log.getvalue())


@pytest.mark.usefixtures("stack")
def test_what_nobody_foresaw_tells_the_visitor_nothing(monkeypatch: pytest.MonkeyPatch, log: io.StringIO) -> None:
    monkeypatch.delenv("TABLE")
    status, told, _ = ask("POST", "/api/launch", {"key": "key-1", "painting": "p-1"})
    assert (status, told["data"]["code"]) == (500, "server_error")
    assert "TABLE" not in json.dumps(told)
    assert levels(log.getvalue()) == ["ERROR"]


def test_a_code_means_the_same_here_and_in_the_studio() -> None:
    shared = CODES.keys() & CODES_OF_THE_STUDIO.keys()
    assert shared >= {"edge_missing", "field_invalid", "key_wrong", "not_found", "painting_id_invalid", "server_error"}
    assert {code: CODES[code].status for code in shared} == {code: CODES_OF_THE_STUDIO[code].status for code in shared}


def test_before_the_first_request_nothing_is_read_and_little_is_loaded() -> None:
    script = (
        "import sys, lambda_launcher.handlers\n"
        "rooms = {'controller', 'gallery', 'model', 'numpy', 'server', 'tornado', 'pydantic', 'aws_xray_sdk'}\n"
        "print(sorted(rooms & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env={})
    assert done.stdout.strip() == "[]"
