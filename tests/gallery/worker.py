"""Works in a gallery, telling what was kept, until it is killed: python -m tests.gallery.worker ADDRESS ROUND."""

from __future__ import annotations

import sys

from gallery import opened

STEPS = 4


def content(version: int, size: int = 3000) -> bytes:
    """Bytes that show whether they are whole and which version they are."""
    return b"%06d " % version * size


def work(address: str, number: int) -> None:
    """Add paintings, and paint them, and delete every third."""
    gallery = opened(address)
    for count in range(10_000):
        painting = f"{number:02}-{count:04}"
        print("adding", painting, flush=True)
        gallery.add(painting, {"step": 0, "done": False}, {"photo": content(0), "artworks/0": content(0)})
        print("added", painting, flush=True)
        for step in range(1, STEPS + 1):
            gallery.write(painting, "picture", content(step))
            gallery.write(painting, f"frames/{step}", content(step, 100))
            print("written", painting, step, flush=True)
            gallery.note(painting, {"step": step})
            print("noted", painting, step, flush=True)
        if count % 3 == 2:
            print("deleting", painting, flush=True)
            gallery.delete(painting)
            print("deleted", painting, flush=True)


if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]))
