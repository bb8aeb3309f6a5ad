"""AWS's descriptions of its services, which boto3 makes its clients from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from botocore.loaders import create_loader


@contextmanager
def read_once() -> Iterator[None]:
    """Let all sessions have what the first one has read: reading takes ten times as long as the rest of a client."""
    loader = create_loader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", lambda *_: loader)
        yield
