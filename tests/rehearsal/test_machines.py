"""Machines that are stopped, started again and ended, as the launcher and the reaper have it."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.rehearsal.under_way import SOON, UnderWay, under_way
from tests.server.process import refused, send

pytestmark = pytest.mark.slow


def launched(rehearsal: UnderWay, key: str) -> Any:
    """What the launcher answers to who wants to paint."""
    order = json.dumps({"key": key, "painting": key, "owner": secret(key)}).encode()
    with send("POST", f"{rehearsal.url}api/launch", order, Content_Type="application/json") as answer:
        return json.load(answer)


def secret(key: str) -> str:
    return f"what-nobody-guesses-of-{key}"


def test_a_machine_that_was_stopped_is_started_again_and_ended_by_who_launched_it() -> None:
    with under_way(boot_seconds=0.0, parameters={**SOON, "IdleEnd": "600"}) as rehearsal:
        studio = launched(rehearsal, "first")["id"]
        rehearsal.wait(lambda: rehearsal.phases()[studio] in ("ready", "stopped"))

        def is_stopped() -> bool:
            rehearsal.reap()
            return rehearsal.phases()[studio] == "stopped" and not list(rehearsal.rehearsal.machines)

        rehearsal.wait(is_stopped)
        assert len(rehearsal.alive()) == 1

        again = launched(rehearsal, "second")
        assert (again["id"], again["state"]) == (studio, "booting")
        rehearsal.wait(lambda: rehearsal.phases()[studio] in ("loading", "ready"))
        (machine,) = rehearsal.rehearsal.machines
        assert rehearsal.rehearsal.machines.address(machine.host) == ("127.0.0.1", machine.port)

        there = f"{rehearsal.url}api/studios/{studio}"
        assert refused(send, "DELETE", there, None, Authorization=f"Bearer {secret('first')}").code == "key_wrong"

        def is_ended() -> bool:
            try:
                with send("DELETE", there, None, Authorization=f"Bearer {secret('second')}") as answer:
                    return bool(answer.status == 202)
            except HTTPError as refusal:
                with refusal:
                    if json.load(refusal)["data"]["code"] == "studio_busy":  # it waits for the visitor for a moment
                        return False
                    raise

        rehearsal.wait(is_ended)
        rehearsal.over()
        assert rehearsal.rehearsal.machines.address(machine.host) is None
