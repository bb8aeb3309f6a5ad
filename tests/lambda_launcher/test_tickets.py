"""What the launcher signs, the studio admits: each in its own room, they share only the key."""

from __future__ import annotations

import pytest

from controller import Refusal
from lambda_launcher.tickets import LIFE, signed
from server.tickets import LEEWAY, Tickets
from tests.lambda_launcher.site import KEY

NOW = 1_800_000_000.9
HOST = "ec2-192-0-2-9.compute.example"


def refused(ticket: str, painting: str = "p-1", host: str = HOST, key: str = KEY, now: float = NOW) -> str:
    with pytest.raises(Refusal) as refusal:
        Tickets(key.encode(), host, lambda: now).admit(ticket, painting)
    return refusal.value.code


def test_a_ticket_lets_in_once() -> None:
    door = Tickets(KEY.encode(), HOST, lambda: NOW)
    ticket = signed(KEY, HOST, "p-1", NOW)
    assert door.admit(ticket, "p-1").painting == "p-1"
    with pytest.raises(Refusal) as refusal:
        door.admit(ticket, "p-1")
    assert refusal.value.code == "ticket_used"


def test_a_ticket_is_for_one_studio_and_one_painting_and_not_for_long() -> None:
    ticket = signed(KEY, HOST, "p-1", NOW)
    assert refused(ticket, painting="p-2") == "ticket_invalid"
    assert refused(ticket, host="ec2-192-0-2-8.compute.example") == "ticket_invalid"
    assert refused(ticket, key="another" * 8) == "ticket_invalid"
    assert refused(ticket[:-3] + "AAA") == "ticket_invalid"
    assert refused(ticket, now=NOW + LIFE + LEEWAY) == "ticket_expired"


def test_a_studio_whose_clock_is_a_little_behind_lets_in() -> None:
    ticket = signed(KEY, HOST, "p-1", NOW)
    assert Tickets(KEY.encode(), HOST, lambda: NOW - LEEWAY).admit(ticket, "p-1")


def test_no_two_tickets_are_one() -> None:
    assert len({signed(KEY, HOST, "p-1", NOW) for _ in range(100)}) == 100
