"""Packets: a frame as it goes into each viewer's connection, made once for all of them.

Tornado would copy a message anew for each socket. What a server sends is the same for all (RFC 6455, 5.2: unmasked), so
the three WebSocket frames that bring an iteration are put together here: its beginning, its end with the picture, and
a ping, whose pong tells that all has arrived.
"""

from __future__ import annotations

from functools import lru_cache

TEXT, BINARY, PING = 0x1, 0x2, 0x9


@lru_cache(maxsize=8)
def packet(iteration: int, message: bytes, binary: bool) -> bytes:
    """All that is sent of an iteration."""
    begins = b'{"state":"start_iteration","data":{"iteration":%d}}' % iteration
    end = websocket_frame(BINARY if binary else TEXT, message)
    return b"".join((websocket_frame(TEXT, begins), end, websocket_frame(PING, mark(iteration))))


def mark(iteration: int) -> bytes:
    """What the ping carries, and the pong brings back."""
    return b"%d" % iteration


def websocket_frame(kind: int, data: bytes) -> bytes:
    """One WebSocket frame, whole and unmasked."""
    length = len(data)
    if length < 126:
        size = bytes((length,))
    elif length < 1 << 16:
        size = b"\x7e" + length.to_bytes(2, "big")
    else:
        size = b"\x7f" + length.to_bytes(8, "big")
    return b"".join((bytes((0x80 | kind,)), size, data))
