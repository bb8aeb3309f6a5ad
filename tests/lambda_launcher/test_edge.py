"""The edge: who is let through to which studio, and who is not."""

from __future__ import annotations

import base64
import hmac
import json
import re
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from controller import Refusal
from lambda_launcher import tickets
from server.errors import CODES
from server.tickets import Tickets
from tests.lambda_launcher.edge.runtime import FUNCTION, Json, code, request, routed

KEY = "an-example-of-a-key-that-is-64-characters-long-as-the-template-s"
NOW = 1_800_000_000.0
HOST = "ec2-203-0-113-25.eu-central-1.compute.amazonaws.com"


def signed(key: str = KEY, **claims: Any) -> str:
    """A ticket as the launcher makes it, but for what `claims` say otherwise; a claim that is None is left out."""
    all_claims = {"iat": NOW, "exp": NOW + 60, "jti": "one", "painting": "abc", "host": HOST, **claims}
    return jwt.encode({name: value for name, value in all_claims.items() if value is not None}, key, "HS256")


def by_hand(header: Any, claims: Any, key: str = KEY) -> str:
    """A token with any header at all and a right HMAC-SHA256, which libraries would not make."""
    text = ".".join(in_base64(json.dumps(part).encode()) for part in (header, claims))
    return f"{text}.{in_base64(hmac.digest(key.encode(), text.encode(), 'sha256'))}"


def in_base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def outcome(asked: Json, **place: str) -> Json:
    (only,) = routed(code(KEY, **place), NOW, [asked])
    return only


def refused(tokens: dict[str, str], **place: str) -> dict[str, tuple[str, str]]:
    """Code and message for each ticket, none of which is let through."""
    told = {}
    outcomes = routed(code(KEY, **place), NOW, [request(ticket=token) for token in tokens.values()])
    for name, each in zip(tokens, outcomes, strict=True):
        assert each["origin"] is None, name
        answer = each["response"]
        envelope = json.loads(answer["body"]["data"])
        error = envelope["data"]
        assert set(error) == {"code", "message", "hint"}
        assert envelope["state"] == "error"
        assert error["hint"].endswith(".")
        assert answer["statusCode"] == CODES[error["code"]].status, "the codes are those of the studio"
        assert answer["headers"]["cache-control"] == {"value": "no-store"}
        told[name] = error["code"], error["message"]
    return told


def test_a_good_ticket_is_let_through_to_its_studio() -> None:
    ticket = signed()
    through = outcome(request(ticket=ticket, frames="binary"))
    assert through["origin"] == {"domainName": HOST}, "port and protocol are those of the template's origin"
    assert through["request"]["uri"] == "/styletransfer"
    assert {name: each["value"] for name, each in through["request"]["querystring"].items()} == {
        "ticket": ticket,
        "frames": "binary",
    }


def test_the_launchers_ticket_opens_the_edge_and_the_studio() -> None:
    ticket = tickets.signed(KEY, HOST, "abc", NOW)
    assert outcome(request(ticket=ticket))["origin"] == {"domainName": HOST}
    assert Tickets(KEY.encode(), HOST, lambda: NOW).admit(ticket, "abc").painting == "abc"


@pytest.mark.parametrize(
    ("uri", "there"),
    [("/ws/", "/"), ("/ws/paintings/a/picture", "/paintings/a/picture"), ("/ws/ws/styletransfer", "/ws/styletransfer")],
)
def test_only_the_first_part_of_the_path_is_taken_away(uri: str, there: str) -> None:
    assert outcome(request(uri, ticket=signed()))["request"]["uri"] == there


def test_what_the_edge_lets_through_is_marked_for_that_studio_alone() -> None:
    forged = {"x-visualneurons-edge": {"value": "forged"}}
    through = outcome(request(headers=forged, ticket=signed()))["request"]["headers"]
    assert through["x-visualneurons-edge"] == {
        "value": hmac.new(KEY.encode(), f"edge:{HOST}".encode(), "sha256").hexdigest()
    }
    asking = outcome(request("/api/launch", headers=forged))
    assert asking["origin"] is None
    assert asking["request"]["uri"] == "/api/launch"
    assert asking["request"]["headers"]["x-visualneurons-edge"] == {
        "value": hmac.new(KEY.encode(), b"edge:api", "sha256").hexdigest()
    }


@pytest.mark.parametrize("host", ["d111111abcdef8.cloudfront.net", "Paint.example"])
def test_only_pages_of_the_site_may_ask_the_launcher(host: str) -> None:
    def asking(origin: str | None) -> Json:
        said = {} if origin is None else {"origin": {"value": origin}}
        return {**request("/api/launch", headers={"host": {"value": host}, **said}), "method": "POST"}

    ours = [None, f"https://{host}", f"HTTPS://{host.upper()}"]
    for through in routed(code(KEY), NOW, list(map(asking, ours))):
        assert "x-visualneurons-edge" in through["request"]["headers"]
    others = [
        "null",  # sandboxed, or of a page that does not say where it is from
        "",
        f"http://{host}",
        f"https://{host}:8443",
        f"https://{host}.evil.example",
        f"https://evil.example/{host}",
        f"https://evil.{host}",
        f"https://{'x' * 200}.example",
    ]
    for origin, each in zip(others, routed(code(KEY), NOW, list(map(asking, others))), strict=True):
        answer = each["response"]
        error = json.loads(answer["body"]["data"])["data"]
        assert (answer["statusCode"], error["code"]) == (CODES["origin_refused"].status, "origin_refused")
        assert error["message"] == f"Pages of '{origin[:100]}' may not talk to this site."


def test_no_ticket_is_told_from_a_bad_one() -> None:
    for asked in (request(), request(ticket="")):
        answer = outcome(asked)["response"]
        assert (answer["statusCode"], json.loads(answer["body"]["data"])["data"]["code"]) == (401, "ticket_missing")


def test_several_tickets_are_none() -> None:
    answer = outcome(request(ticket=[signed(), signed()]))["response"]
    assert json.loads(answer["body"]["data"])["data"]["message"] == "The ticket cannot be used: there are several."


def test_a_ticket_that_is_over_is_refused() -> None:
    late = {str(each): signed(exp=NOW - each, iat=NOW - each - 60) for each in (5, 6, 86400)}
    assert refused(late) == {name: ("ticket_expired", f"The ticket ended {name} seconds ago.") for name in late}


def test_clocks_may_differ_by_five_seconds() -> None:
    tokens = [signed(exp=NOW - 4.9), signed(iat=NOW + 4.9), signed(nbf=NOW + 4.9), signed(iat=None)]
    for through in routed(code(KEY), NOW, [request(ticket=token) for token in tokens]):
        assert through["origin"] == {"domainName": HOST}


def test_forged_tickets_are_refused() -> None:
    claims = {"exp": NOW + 60, "jti": "one", "host": HOST}
    head, body, signature = signed().split(".")
    other_body = in_base64(json.dumps({**claims, "exp": NOW + 9999}).encode())
    told = refused(
        {
            "another key": signed(KEY[::-1]),
            "no key": by_hand({"alg": "HS256"}, claims, ""),
            "alg none": by_hand({"alg": "none"}, claims),
            "alg none, no signature": by_hand({"alg": "none"}, claims).rpartition(".")[0] + ".",
            "alg RS256": by_hand({"alg": "RS256"}, claims),
            "HS512": jwt.encode(claims, KEY, "HS512"),
            "no alg": by_hand({}, claims),
            "a list of algs": by_hand({"alg": ["HS256"]}, claims),
            "a header that is no object": by_hand("HS256", claims),
            "claims changed after signing": f"{head}.{other_body}.{signature}",
            "signature changed": f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
            "signature of another kind of base64": f"{head}.{body}.{signature[:-1]}=",
        }
    )
    assert {code for code, _ in told.values()} == {"ticket_invalid"}
    assert told["another key"][1] == "The ticket cannot be used: it was signed with another key."
    assert told["alg RS256"][1] == "The ticket cannot be used: it is not a token (JWT) signed with HS256."


def test_tickets_that_were_not_made_well_are_refused() -> None:
    whole = signed()
    told = refused(
        {
            "truncated": whole[:-10],
            "one part": "abc",
            "four parts": f"{whole}.{whole}",
            "enormous": signed(more="x" * 5000),
            "no end": signed(exp=None),
            "an end that is text": signed(exp="2030"),
            "an end that is true": by_hand({"alg": "HS256"}, {"exp": True, "host": HOST}),
            "an end beyond all numbers": by_hand({"alg": "HS256"}, {"exp": 10**400, "host": HOST}),
            "a beginning that is text": signed(nbf="now"),
            "valid later": signed(iat=NOW + 6),
            "valid later, too": signed(nbf=NOW + 6),
            "claims that are a list": by_hand({"alg": "HS256"}, ["exp"]),
            "claims that are null": by_hand({"alg": "HS256"}, None),
        }
    )
    assert {code for code, _ in told.values()} == {"ticket_invalid"}
    assert told["enormous"][1] == "The ticket cannot be used: it is longer than 4096 characters."
    assert told["valid later"][1] == "The ticket cannot be used: it is not valid yet."


@pytest.mark.parametrize("domain", ["", "paint.example"])
def test_only_studios_of_ours_are_gone_to(domain: str) -> None:
    hosts = [
        None,
        7,
        "",
        "169.254.169.254",
        "localhost",
        "example.com",
        "paint.example",
        ".paint.example",
        "a.b.paint.example",
        "-.paint.example",
        "evil.example#.paint.example",
        "xpaint.example",
        "ec2-203-0-113-256.eu-central-1.compute.amazonaws.com",
        "ec2-203-0-113.eu-central-1.compute.amazonaws.com",
        "ec2-203-0-113-25.us-west-2.compute.amazonaws.com",
        "ec2-203-0-113-25.compute-1.amazonaws.com",
        "ip-10-0-0-1.eu-central-1.compute.internal",
        f"{HOST}.evil.example",
        f"evil.example/{HOST}",
        f"{HOST}:22",
        f"a@{HOST}",
        f"{HOST}\n",
        f"evil.{HOST}",
        [HOST],
    ]
    told = refused({repr(host): signed(host=host) for host in hosts}, domain=domain)
    assert set(told.values()) == {("ticket_invalid", "The ticket cannot be used: it is for no studio of ours.")}


@pytest.mark.parametrize(
    ("region", "domain", "host"),
    [
        ("us-east-1", "", "ec2-3-80-1-255.compute-1.amazonaws.com"),
        ("eu-central-1", "", HOST.upper()),
        ("eu-central-1", "paint.example", "studio-1.paint.example"),
        ("eu-central-1", "paint.example", HOST),
    ],
)
def test_a_studio_is_known_by_its_name(region: str, domain: str, host: str) -> None:
    through = outcome(request(ticket=signed(host=host)), region=region, domain=domain)
    assert through["origin"] == {"domainName": host.lower()}


def test_the_edge_cannot_tell_a_ticket_that_was_used_nor_another_painting_and_the_studio_refuses_both() -> None:
    ticket = signed()
    twice = routed(code(KEY), NOW, [request(ticket=ticket)] * 2)
    assert [each["origin"] for each in twice] == [{"domainName": HOST}] * 2
    studio = Tickets(KEY.encode(), HOST, lambda: NOW)
    with pytest.raises(Refusal) as other:
        studio.admit(ticket, "another")
    assert other.value.code == "ticket_invalid"
    assert studio.admit(ticket, "abc").painting == "abc"
    with pytest.raises(Refusal) as used:
        studio.admit(ticket, "abc")
    assert used.value.code == "ticket_used"


@examples(max_examples=15)
@given(st.lists(st.text() | st.tuples(st.text(), st.text()).map(lambda two: ".".join(map(repr, two))), min_size=1))
def test_whatever_a_stranger_sends_is_refused(texts: list[str]) -> None:
    sent = [request(ticket=text or "x") for text in texts]
    sent += [request(ticket=f"{in_base64(text.encode('utf-8', 'replace'))}.e30.{'A' * 43}") for text in texts]
    assert all(each["response"]["statusCode"] == 401 for each in routed(code(KEY), NOW, sent))


def test_it_is_small_enough_and_says_nothing_that_the_runtime_does_not_know() -> None:
    text = FUNCTION.read_text(encoding="utf-8")
    assert len(code("k" * 64, "ap-southeast-1", f"{'a' * 63}." * 3 + "example").encode()) <= 10 * 1024
    statements = re.sub(r"(?<!:)//.*", "", text)  # but no address
    unknown = r"\bclass\b|\byield\b|\.\.\.|\bof\b|\?\.|\?\?|\b(const|let|var) [\[{]|`|\bfetch\b|\bset\w+\(|\bprocess\b"
    assert not re.findall(unknown, re.sub(r'"[^"]*"', '""', statements))
    assert re.findall(r"^import .*", text, re.M) == ['import cf from "cloudfront";']
    assert re.findall(r"require\((.*?)\)", statements) == ['"crypto"']
