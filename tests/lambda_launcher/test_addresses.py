from __future__ import annotations

import pytest

from lambda_launcher.addresses import neighbourhood
from server.limits import neighbourhood as in_the_studio

HOUSE = "2001:db8:1:2::/64"


@pytest.mark.parametrize(
    ("viewer", "source", "counted"),
    [
        ("198.51.100.10:46532", "192.0.2.1", "198.51.100.10"),
        ("2001:db8:1:2:3:4:5:6:46532", "192.0.2.1", HOUSE),
        ("2001:db8:1:2::9:443", "192.0.2.1", HOUSE),
        ("[2001:db8:1:2::9]:443", "192.0.2.1", HOUSE),
        ("::ffff:198.51.100.10:443", "192.0.2.1", "198.51.100.10"),
        (None, "192.0.2.1", "192.0.2.1"),
        ("", "2001:db8:1:2::1", HOUSE),
        ("nonsense", "192.0.2.1", "unknown"),
        (None, "", "unknown"),
    ],
)
def test_whom_an_address_counts_for(viewer: str | None, source: str, counted: str) -> None:
    assert neighbourhood(viewer, source) == counted


@pytest.mark.parametrize("address", ["198.51.100.10", "2001:db8:1:2::9", "::ffff:198.51.100.10"])
def test_the_studio_counts_alike(address: str) -> None:
    assert neighbourhood(None, address) == in_the_studio(address)
