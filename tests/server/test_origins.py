"""Which pages may talk to the server."""

from __future__ import annotations

from argparse import ArgumentTypeError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller import Refusal
from server.origins import Origins, is_loopback, parse, read_origin

SITES = [read_origin("https://example.com"), read_origin("http://192.0.2.7:8080")]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("http://example.com", "http://example.com"),
        ("HTTPS://Example.COM:443", "https://example.com"),
        ("http://example.com:80", "http://example.com"),
        ("http://example.com:443", "http://example.com:443"),
        ("https://example.com:08443", "https://example.com:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"),
        ("https://[2001:DB8::1]:443", "https://[2001:db8::1]"),
    ],
)
def test_one_origin_has_one_plain_form(text: str, plain: str) -> None:
    assert str(parse(text)) == plain
    assert parse(plain) == parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "null",
        "example.com",
        "//example.com",
        "ftp://example.com",
        "file://",
        "http://",
        "http://example.com:",
        "http://example.com:0",
        "http://example.com:65536",
        "http://example.com:port",
        "http://example.com/path",
        "http://example.com//",
        "http://example.com?query",
        "http://me@example.com",
        "http://example.com\n",
        " http://example.com",
        "http://*.example.com",
        "http://bücher.example",
        "http://[::g]",
        "http://[::1",
        "http://::1",
        "http://a.example,http://b.example",
    ],
)
def test_nonsense_is_no_origin_and_refused_at_the_start(text: str) -> None:
    assert parse(text) is None
    with pytest.raises(ArgumentTypeError) as refused:
        read_origin(text)
    assert str(refused.value).startswith(f"{text!r} is not an origin: it must be ")


def test_a_person_may_write_the_slash_that_browsers_show() -> None:
    assert read_origin("https://example.com/") == parse("https://example.com")


@given(st.text(max_size=30))
def test_any_text_is_an_origin_or_none(text: str) -> None:
    for each in (text, "http://" + text):
        origin = parse(each)
        assert origin is None or parse(str(origin)) == origin


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("app.localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.7", False),
        ("::ffff:192.0.2.7", False),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
        ("notlocalhost", False),
        ("", False),
    ],
)
def test_what_is_of_this_machine_only(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


# Who asks, what for (scheme and Host header), and whether it may: of a server on the network, of one on loopback.
CASES = [
    # No browser says no origin.
    (None, "http", "studio.example:8000", True, False),
    (None, "http", "localhost:8000", True, True),
    (None, "http", "127.0.0.1:8000", True, True),
    (None, "http", "[::1]:8000", True, True),
    (None, "http", "", True, True),
    # The same origin.
    ("http://localhost:8000", "http", "localhost:8000", True, True),
    ("http://app.localhost:8000", "http", "app.localhost:8000", True, True),
    ("http://127.0.0.1:8000", "http", "127.0.0.1:8000", True, True),
    ("http://[::1]:8000", "http", "[::1]:8000", True, True),
    ("https://localhost:8000", "https", "localhost:8000", True, True),
    ("http://localhost", "http", "localhost:80", True, True),
    ("https://LOCALHOST", "https", "localhost", True, True),
    ("http://studio.example:8000", "http", "studio.example:8000", True, False),
    ("https://studio.example", "https", "STUDIO.example:443", True, False),
    ("https://[2001:db8::1]:8000", "https", "[2001:DB8:0::1]:8000", True, False),
    # Almost the same origin.
    ("https://localhost:8000", "http", "localhost:8000", False, False),
    ("http://localhost:8001", "http", "localhost:8000", False, False),
    ("http://localhost", "http", "localhost:8000", False, False),
    ("http://127.0.0.1:8000", "http", "localhost:8000", False, False),
    ("http://localhost:8000.evil.example", "http", "localhost:8000", False, False),
    # A configured one, and almost.
    ("https://example.com", "http", "localhost:8000", True, True),
    ("https://EXAMPLE.com:443", "https", "studio.example", True, True),
    ("http://192.0.2.7:8080", "http", "127.0.0.1:8000", True, True),
    ("http://example.com", "http", "localhost:8000", False, False),
    ("https://example.com:8443", "http", "localhost:8000", False, False),
    ("https://www.example.com", "http", "localhost:8000", False, False),
    # Behind a proxy on this machine that brings a configured site here.
    (None, "http", "example.com", True, True),
    ("https://example.com", "http", "example.com", True, True),
    # A name that was made to lead to this machine (DNS rebinding).
    ("http://evil.example:8000", "http", "evil.example:8000", True, False),
    (None, "http", "evil.example:8000", True, False),
    (None, "http", "evil.example:", True, False),
    # Another site, and what is none.
    ("https://evil.example", "http", "localhost:8000", False, False),
    ("https://evil.example", "http", "", False, False),
    ("null", "http", "localhost:8000", False, False),
    ("null", "http", "null", False, False),
    ("", "http", "localhost:8000", False, False),
    ("*", "http", "localhost:8000", False, False),
    ("file://", "http", "localhost:8000", False, False),
    ("http://localhost:8000/", "http", "localhost:8000", False, False),
    ("http://localhost:8000,http://localhost:8000", "http", "localhost:8000", False, False),
]


@pytest.mark.parametrize("loopback", [False, True], ids=["network", "loopback"])
@pytest.mark.parametrize(("origin", "scheme", "host", "on_network", "on_loopback"), CASES)
def test_who_may(
    origin: str | None, scheme: str, host: str, on_network: bool, on_loopback: bool, loopback: bool
) -> None:
    origins = Origins(SITES, loopback=loopback)
    if on_loopback if loopback else on_network:
        origins.check(origin, scheme, host)
    else:
        with pytest.raises(Refusal) as refused:
            origins.check(origin, scheme, host)
        assert refused.value.code == "origin_refused"


def test_a_refusal_says_which_page_and_what_to_do() -> None:
    with pytest.raises(Refusal) as refused:
        Origins(loopback=True).check("http://Studio.example:80", "http", "studio.example")
    assert refused.value.message == "Pages of 'http://studio.example' may not talk to this studio."
    assert refused.value.hint == "Open the studio's own page, or start it with --origin http://studio.example."


def test_a_refusal_repeats_little_of_what_a_stranger_says() -> None:
    with pytest.raises(Refusal) as refused:
        Origins(loopback=False).check("http://\x1b[2J\n" + "x" * 10_000, "http", "localhost")
    assert len(str(refused.value)) < 250
    assert "\x1b" not in str(refused.value)
    assert refused.value.hint == "Open the studio's own page."
