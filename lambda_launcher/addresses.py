"""Whom a visitor's address counts for."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address


def neighbourhood(viewer: str | None, source: str) -> str:
    """An IPv4 address for itself, an IPv6 address for its /64, which one household has.

    `viewer` is what CloudFront says (a number and a port, those of IPv6 without brackets), `source` is who asks the
    API: CloudFront, mostly.
    """
    text = viewer.rpartition(":")[0].strip("[]") if viewer else source
    try:
        number = ip_address(text)
    except ValueError:
        return "unknown"
    if isinstance(number, IPv6Address):
        return str(number.ipv4_mapped or IPv6Network((number, 64), strict=False))
    return str(number)
