"""What the tests of the server share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.process import Server, serving


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The address of a server that runs as long as the tests do."""
    with serving() as server:
        yield server.url


@pytest.fixture(scope="module")
def studio() -> Iterator[Server]:
    """A server that can paint, for the tests of one module."""
    with serving() as server:
        yield server.loaded()
