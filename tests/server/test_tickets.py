"""Tickets: who is let in, who is not, and that none lets in twice."""

from __future__ import annotations

import base64
import hmac
import json
import logging
import subprocess
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller import Refusal
from server.tickets import Claims, Tickets, read_key

KEY = b"an example of a key, 40 characters long."
NOW = 1_800_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tickets(clock: Clock) -> Tickets:
    return Tickets(KEY, clock=clock)


def signed(key: bytes = KEY, **claims: Any) -> str:
    """A ticket that is good for a minute but for what `claims` say otherwise; a claim that is None is left out."""
    all_claims = {"exp": NOW + 60, "jti": "one", **claims}
    return jwt.encode({name: value for name, value in all_claims.items() if value is not None}, key, "HS256")


def refusal(tickets: Tickets, token: str | None, painting: str | None = None) -> Refusal:
    with pytest.raises(Refusal) as refused:
        tickets.admit(token, painting)
    assert refused.value.message.endswith(".")
    assert refused.value.hint.endswith(".")
    return refused.value


def test_a_good_ticket_is_admitted_once(tickets: Tickets) -> None:
    token = signed()
    assert tickets.admit(token, "abc") == Claims("one", None)
    assert refusal(tickets, token, "abc").code == "ticket_used"
    assert tickets.admit(signed(jti="two"), None) == Claims("two", None)


def test_to_read_does_not_use_a_ticket_up_and_takes_none_that_is(tickets: Tickets) -> None:
    token = signed(painting="abc")
    for _ in range(3):
        assert tickets.admit(token, "abc", reads=True) == Claims("one", "abc")
    assert "another painting" in refusal(tickets, token, "other").message
    tickets.admit(token, "abc")
    with pytest.raises(Refusal) as used:
        tickets.admit(token, "abc", reads=True)
    assert used.value.code == "ticket_used"


@pytest.mark.parametrize("token", [None, ""])
def test_no_ticket_is_told_from_a_bad_one(tickets: Tickets, token: str | None) -> None:
    assert refusal(tickets, token).code == "ticket_missing"


def test_a_ticket_is_for_its_painting(tickets: Tickets) -> None:
    refused = refusal(tickets, signed(painting="abc"), "other")
    assert (refused.code, refused.message) == (
        "ticket_invalid",
        "The ticket cannot be used: it is for another painting.",
    )
    assert tickets.admit(signed(painting="abc"), "abc") == Claims("one", "abc"), "to be refused does not use it up"
    assert tickets.admit(signed(painting="abc", jti="two"), None) == Claims("two", "abc")


def test_a_ticket_is_for_its_studio_where_the_studio_knows_its_name(clock: Clock) -> None:
    named, nameless = (Tickets(KEY, host, clock) for host in ("studio.example", ""))
    for host in ("other.example", "studio.example.evil.example", None, ["studio.example"]):
        assert "another studio" in refusal(named, signed(host=host)).message
    assert named.admit(signed(host="Studio.example"), None)
    assert nameless.admit(signed(host="other.example"), None)


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"exp": None}, "it does not say when it ends"),
        ({"exp": "soon"}, "its exp is not a moment"),
        ({"exp": True}, "its exp is not a moment"),
        ({"exp": float("nan")}, "its exp is not a moment"),
        ({"exp": 10**400}, "its exp is not a moment"),
        ({"exp": NOW + 365 * 86400}, "it is valid for longer than 600 seconds"),
        ({"exp": NOW + 60, "iat": NOW - 86400}, "it is valid for longer than 600 seconds"),
        ({"iat": "now"}, "its iat is not a moment"),
        ({"iat": NOW + 30}, "it is valid only in 30 seconds"),
        ({"nbf": NOW + 30}, "it is valid only in 30 seconds"),
        ({"jti": None}, "it has no name (jti) of 1 to 128 characters"),
        ({"jti": ""}, "it has no name (jti) of 1 to 128 characters"),
        ({"jti": "x" * 129}, "it has no name (jti) of 1 to 128 characters"),
        ({"painting": 7}, "the painting it is for is not text"),
        ({"aud": "another service"}, "it is not a token (JWT) signed with HS256"),
        ({"more": "x" * 5000}, "it is longer than 4096 characters"),
    ],
)
def test_a_ticket_that_was_not_made_well_is_refused(tickets: Tickets, claims: dict[str, Any], why: str) -> None:
    refused = refusal(tickets, signed(**claims))
    assert (refused.code, refused.message) == ("ticket_invalid", f"The ticket cannot be used: {why}.")


def test_the_longest_life_is_ten_minutes(tickets: Tickets) -> None:
    assert tickets.admit(signed(iat=NOW, nbf=NOW, exp=NOW + 600), None)


@pytest.mark.parametrize("late", [5, 6, 3600])
def test_a_ticket_that_is_over_is_refused(clock: Clock, tickets: Tickets, late: int) -> None:
    clock.now = NOW + 60 + late
    refused = refusal(tickets, signed())
    assert (refused.code, refused.message) == ("ticket_expired", f"The ticket ended {late} seconds ago.")


@pytest.mark.parametrize("claims", [{"exp": NOW - 4.9}, {"iat": NOW + 4.9}, {"nbf": NOW + 4.9}])
def test_clocks_may_differ_by_five_seconds(tickets: Tickets, claims: dict[str, Any]) -> None:
    assert tickets.admit(signed(**claims), None)


def test_only_our_key_and_only_hs256(tickets: Tickets) -> None:
    claims = {"exp": NOW + 60, "jti": "one"}
    wrong = {
        "another key": signed(KEY[::-1]),
        "no signature": _by_hand({"alg": "none"}, claims, KEY).rpartition(".")[0] + ".",
        "no signature, but one is there": _by_hand({"alg": "none"}, claims, KEY),
        "HS512": jwt.encode(claims, KEY.ljust(64, b"."), "HS512"),
        "RS256, but our key as in HS256": _by_hand({"alg": "RS256"}, claims, KEY),
        "a list of algorithms": _by_hand({"alg": ["HS256"]}, claims, KEY),
        "no algorithm": _by_hand({}, claims, KEY),
        "claims that are no object": _by_hand({"alg": "HS256"}, ["exp"], KEY),
        "claims changed after signing": _with_claims(signed(), {**claims, "exp": NOW + 61}),
        "signature cut off": signed().rpartition(".")[0] + ".",
    }
    for how, token in wrong.items():
        assert refusal(tickets, token).code == "ticket_invalid", how
    assert tickets.admit(_by_hand({"alg": "HS256"}, claims, KEY), None), "what is made by hand can be right"


@given(st.text(), st.text(), st.text() | st.integers(1, 3000).map(lambda depth: "[" * depth))
def test_whatever_a_stranger_sends_is_refused(first: str, second: str, header: str) -> None:
    door = Tickets(KEY, clock=Clock())
    valid = _base64(json.dumps({"exp": NOW + 60, "jti": "one"}).encode())
    deep = _base64(header.encode("utf-8", "surrogatepass"))
    for token in (f"x{first}", f"{first}.{second}.{first}", f"{deep}.{valid}.{second}", f"{valid}.\ud800.{deep}"):
        assert refusal(door, token).code == "ticket_invalid"


@pytest.mark.parametrize("back", [1, 30, 64, 70, 3600, 365 * 86400])
@pytest.mark.parametrize("forward", [10, 66, 3600])
def test_a_clock_that_goes_back_lets_nobody_in_twice(clock: Clock, tickets: Tickets, forward: int, back: int) -> None:
    token = signed()
    tickets.admit(token, None)
    clock.now += forward
    refusal(tickets, token)
    tickets.admit(signed(jti="later", exp=clock.now + 60), None)  # what has ended may be forgotten now
    clock.now -= back
    refusal(tickets, token)
    clock.now = NOW
    assert refusal(tickets, token).code == "ticket_used"


@given(st.lists(st.tuples(st.integers(-700, 700), st.integers(0, 5), st.integers(1, 600)), max_size=40))
def test_no_ticket_lets_in_twice_whatever_the_clock_does(turns: list[tuple[int, int, int]]) -> None:
    clock = Clock()
    door = Tickets(KEY, clock=clock)
    tokens: dict[int, str] = {}
    admitted: set[str] = set()
    for jump, number, life in turns:
        clock.now += jump
        token = tokens.setdefault(number, signed(jti=str(number), exp=clock.now + life))
        try:
            door.admit(token, None)
        except Refusal:
            continue
        assert token not in admitted
        admitted.add(token)


def test_a_small_step_back_of_the_clock_keeps_nobody_out(clock: Clock, tickets: Tickets) -> None:
    for number in range(100):
        clock.now += 10
        assert tickets.admit(signed(jti=f"a{number}", exp=clock.now + 60), None)
    clock.now -= 50
    assert tickets.admit(signed(jti="after", exp=clock.now + 60), None)


def test_what_has_ended_is_forgotten(clock: Clock, tickets: Tickets) -> None:
    for number in range(1000):
        tickets.admit(signed(jti=str(number), exp=clock.now + 60), None)
        clock.now += 1
    assert len(tickets._used._names) == len(tickets._used._by_end) == 65


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^The ticket key has 31 bytes and needs at least 32\.$"):
        Tickets(b"x" * 31)


def test_a_key_is_read_from_its_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "key"
    path.write_bytes(KEY.replace(b" ", b"-") + b"\r\n")
    path.chmod(0o600)
    assert read_key(str(path)) == KEY.replace(b" ", b"-")
    assert caplog.records == []


def test_a_key_that_others_may_read_is_used_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "key"
    path.write_text("k" * 64)
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        assert read_key(str(path)) == b"k" * 64
    (record,) = caplog.records
    assert (record.getMessage(), vars(record)["facts"]) == (
        "others on this machine may read the ticket key",
        {"path": str(path)},
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read: No such file or directory."),
        (b"", "has 0 bytes and needs at least 32."),
        (b"short\n", "has 5 bytes and needs at least 32."),
        (b"two\nlines" * 10, "is not one line of plain characters."),
        (bytes(range(256)), "is not one line of plain characters."),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_in_a_sentence(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ArgumentTypeError) as refused:
        read_key(str(path))
    assert str(refused.value) == f"the ticket key {str(path)!r} {why} Make one with: openssl rand -hex 32"


def test_the_wall_clock_is_the_machines_own_unless_told() -> None:
    script = (
        "import sys, time, jwt; from server.tickets import Tickets\n"
        "key = sys.argv[1].encode()\n"
        "token = jwt.encode({'exp': time.time() + 60, 'jti': 'one', 'painting': 'abc'}, key, 'HS256')\n"
        "assert Tickets(key).admit(token, 'abc').painting == 'abc'"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script, KEY.decode()], check=True, timeout=120)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _by_hand(header: Any, claims: Any, key: bytes) -> str:
    """A token with any header at all and a right HMAC-SHA256, which libraries would not make."""
    signed = ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{_base64(hmac.digest(key, signed.encode(), 'sha256'))}"


def _with_claims(token: str, claims: Any) -> str:
    header, _, signature = token.split(".")
    return ".".join((header, _base64(json.dumps(claims).encode()), signature))
