"""Tickets: short-lived signed permissions (JWT, HS256) to enter one studio for one painting, once."""

from __future__ import annotations

import secrets

import jwt

LIFE = 60  # seconds


def signed(key: str, host: str, painting: str, now: float) -> str:
    """A new ticket."""
    claims = {
        "iat": int(now),
        "exp": int(now) + LIFE,
        "jti": secrets.token_urlsafe(16),
        "painting": painting,
        "host": host,
    }
    return jwt.encode(claims, key, algorithm="HS256")
