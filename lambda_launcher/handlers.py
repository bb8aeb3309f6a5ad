"""The Lambdas: `api` behind API Gateway's HTTP API, `reap` on a schedule.

Clients are made when they are first used, and kept for the requests that follow.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
import os
import re
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lambda_launcher.addresses import neighbourhood
from lambda_launcher.ec2 import Ec2Fleet
from lambda_launcher.errors import Refusal, unexpected
from lambda_launcher.launcher import Answer, Launcher
from lambda_launcher.paintings import Paintings
from lambda_launcher.reaper import Reaper
from lambda_launcher.settings import Settings
from lambda_launcher.table import Table

logger = Logger(service="launcher")
copy_config_to_registered_loggers(logger, include={"lambda_launcher"})
app = APIGatewayHttpResolver()

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OWNER = re.compile(r"[A-Za-z0-9_-]{22,64}")
_STUDIO = re.compile(r"[a-z0-9]{16}")
_HEADERS = {"Cache-Control": "no-store"}
_EDGE = "x-visualneurons-edge"


def api(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    return app.resolve(event, context)


def reap(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """End what is left over."""
    passed = Reaper(_table(), _fleet(), _settings(), time.time).reap()
    logger.info("reaped", extra={"passed": passed})
    return passed


@app.post("/api/launch")
def launch() -> Response[str]:
    """Find or start a studio."""
    body = _body()
    key, painting = body.get("key"), body.get("painting")
    if not isinstance(key, str) or not _ID.fullmatch(key):
        raise Refusal(
            "field_invalid", "The key is missing, or not a key.", "A key has 1 to 64 letters, digits, _ and -."
        )
    owner = body.get("owner", "")
    if owner != "" and not (isinstance(owner, str) and _OWNER.fullmatch(owner)):
        problem = "The owner is no secret that nobody guesses."
        raise Refusal("field_invalid", problem, "It has 22 to 64 letters, digits, _ and -, drawn by chance.")
    headers = app.current_event.headers
    source = app.current_event.request_context.http.source_ip
    address = neighbourhood(headers.get("cloudfront-viewer-address"), source)
    return _answered(_launcher().launch(key, _painting(painting), address, owner))


@app.get("/api/studios/<id_>")
def status(id_: str) -> Response[str]:
    """Say how far a studio is."""
    return _answered(
        _launcher().status(_known(id_), _painting(app.current_event.query_string_parameters.get("painting")))
    )


@app.delete("/api/studios/<id_>")
def end(id_: str) -> Response[str]:
    """End a studio."""
    _launcher().end(_known(id_), _key())
    return _json(HTTPStatus.ACCEPTED, {"id": id_, "state": "leaving"})


@app.get("/api/paintings/<id_>")
def painting(id_: str) -> Response[str]:
    """Say how a painting is, where it can be seen, and which studio has it: none has to run for that."""
    found = _paintings().find(_painting(id_))
    studio = _launcher().studio_of(id_, found.studio if found else "")
    if found is None and studio is None:
        problem = f"There is no painting {id_}: it was never here, or its time was over."
        raise Refusal("painting_unknown", problem, "Check its address, or paint it again.")
    told = found.told if found else {"painting": id_, "state": None}
    return _json(HTTPStatus.OK, {**told, "studio": studio})


@app.delete("/api/paintings/<id_>")
def forget(id_: str) -> Response[str]:
    """Delete a painting that no studio has."""
    _paintings().forget(_painting(id_), _key())
    return _json(HTTPStatus.OK, {"painting": id_, "state": None})


def check_edge(resolver: APIGatewayHttpResolver, go_on: Callable[..., Response[str]]) -> Response[str]:
    """Refuse what did not come by way of the site: there the edge says who the visitor is, here he would say so."""
    sent = app.current_event.headers.get(_EDGE, "").encode("utf-8", "surrogateescape")
    wanted = hmac.new(_ticket_key().encode(), b"edge:api", hashlib.sha256).hexdigest().encode()
    if not hmac.compare_digest(sent, wanted):
        raise Refusal("edge_missing", "The launcher is asked by way of its site alone.", "Start from the site's page.")
    return go_on(resolver)


def not_found(error: NotFoundError) -> Response[str]:
    """Refuse an address that is none."""
    hint = "There are POST /api/launch, and GET and DELETE of /api/studios/ID and /api/paintings/ID."
    return _refusal(Refusal("not_found", "There is nothing at this address.", hint))


def refused(refusal: Refusal) -> Response[str]:
    """Say what was refused; where whoever runs the site has to act, that is for the log, too."""
    if refusal.code in ("cloud_unavailable", "studios_broken"):
        logger.error(refusal.message)  # what is an error there counts for the template's alarm
    return _refusal(refusal)


def unavailable(error: Exception) -> Response[str]:
    """Say that the cloud is not to be reached: what happened there is for the log."""
    logger.exception("the cloud was not to be reached")
    problem = "The launcher cannot reach the cloud's services just now."
    return _refusal(Refusal("cloud_unavailable", problem, "Try again in a moment.", retry_after=10))


def failed(error: Exception) -> Response[str]:
    """Say that something went wrong: what, is for the log."""
    logger.exception("unforeseen")
    return _refusal(unexpected())


app.use([check_edge])
app.not_found(not_found)
app.exception_handler(Refusal)(refused)
app.exception_handler([BotoCoreError, ClientError, TimeoutError])(unavailable)
app.exception_handler(Exception)(failed)


def _body() -> dict[str, Any]:
    try:
        body = app.current_event.json_body
    except (ValueError, RecursionError, TypeError):
        body = None
    if not isinstance(body, dict):
        hint = 'Send {"key": ..., "painting": ...}.'
        raise Refusal("field_invalid", "The request's body is not a JSON object.", hint)
    return body


def _painting(painting: object) -> str:
    if not isinstance(painting, str) or not _ID.fullmatch(painting):
        problem = "The painting is missing, or not a painting's id."
        raise Refusal("painting_id_invalid", problem, "An id has 1 to 64 letters, digits, _ and -.")
    return painting


def _key() -> str:
    """The key that came with the request."""
    scheme, _, key = app.current_event.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _known(id_: str) -> str:
    if not _STUDIO.fullmatch(id_):
        raise Refusal("studio_unknown", "This is no studio's id.", "Start again from the page: it launches one.")
    return id_


def _answered(answer: Answer) -> Response[str]:
    ready = answer.state == "ready"
    return _json(HTTPStatus.OK if ready else HTTPStatus.ACCEPTED, vars(answer))


def _refusal(refusal: Refusal) -> Response[str]:
    again = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
    return _json(refusal.status, refusal.envelope, again)


def _json(status: int, content: dict[str, Any], more: dict[str, str] | None = None) -> Response[str]:
    return Response(status, "application/json", json.dumps(content), {**_HEADERS, **(more or {})})


@functools.cache
def _settings() -> Settings:
    return Settings.from_environment(os.environ)


@functools.cache
def _table() -> Table:
    return Table(_client("dynamodb"), _settings().table)


@functools.cache
def _fleet() -> Ec2Fleet:
    return Ec2Fleet(_client("ec2"), _settings())


@functools.cache
def _launcher() -> Launcher:
    return Launcher(_table(), _fleet(), _settings(), _ticket_key, time.time)


@functools.cache
def _paintings() -> Paintings:
    return Paintings(_client("dynamodb"), _client("s3"), _settings().gallery, time.time)


@functools.cache
def _ticket_key() -> str:
    """The key that signs tickets, from where the deploy has put it."""
    secret: str = _client("secretsmanager").get_secret_value(SecretId=_settings().ticket_key)["SecretString"]
    return secret


def _client(service: str) -> Any:
    # API Gateway waits 30 seconds and no longer.
    config = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
    return boto3.client(service, config=config)
