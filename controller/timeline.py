"""Which iterations are kept of a painting: frames to look back on, checkpoints to go back to.

What is kept lies a power of two apart, so that a painting that grows only ever thins out what it has kept.
"""

from __future__ import annotations

FRAMES = 100
CHECKPOINTS = 8


def stride(of: int, most: int) -> int:
    """How far apart at most `most` of so many iterations are kept."""
    apart = 1
    while of > most * apart:
        apart *= 2
    return apart


def kept(iteration: int, of: int, most: int) -> bool:
    """Whether this iteration, counted from 0, is one of those kept."""
    return (iteration + 1) % stride(of, most) == 0


def frame_name(iteration: int) -> str:
    """The gallery's name for the frame of an iteration."""
    return f"frames/{iteration:06d}"


def checkpoint_name(iteration: int) -> str:
    """The gallery's name for the checkpoint after an iteration."""
    return f"checkpoints/{iteration:06d}"


def iterations(names: list[str], folder: str) -> list[int]:
    """The iterations that the gallery has something of, in order."""
    return sorted(int(name.rpartition("/")[2]) for name in names if name.startswith(f"{folder}/"))


def superfluous(names: list[str], newest: int, of: int) -> list[str]:
    """What need not be kept once there is something of iteration `newest`: all that lies too close."""
    most = {"frames": FRAMES, "checkpoints": CHECKPOINTS}
    return [
        name
        for folder, number in most.items()
        for name in names
        if name.startswith(f"{folder}/") and (at := int(name.rpartition("/")[2])) < newest and not kept(at, of, number)
    ]
