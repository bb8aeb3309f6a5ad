"""What stands behind the page: a studio, or nothing but files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.process import Server, serving
from tests.website.static import served


@pytest.fixture(scope="session")
def studio() -> Iterator[Server]:
    """A real server in a process of its own, with a loaded easel."""
    with serving() as server:
        yield server.loaded()


@pytest.fixture(scope="module")
def bare() -> Iterator[str]:
    """The address of the site on a server that serves nothing but its files."""
    with served() as address:
        yield f"{address}/"
