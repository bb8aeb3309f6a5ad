"""Chance that can be told again: numbers from a hash of where they are used, not from a state that has to be kept.

The same few lines give the same numbers in any language, on any machine; a checkpoint needs no random state.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def bits(count: int, *key: int) -> NDArray[np.uint32]:
    """`count` hashes of 32 bits, different for each key (the finaliser of MurmurHash3 over a counter)."""
    start = 0x9E3779B9
    for part in key:
        start = (int(_mix(np.array([(start ^ part) & 0xFFFFFFFF], np.uint32))[0]) + 0x9E3779B9) & 0xFFFFFFFF
    return _mix(np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(start))


def uniform(shape: tuple[int, ...], *key: int) -> NDArray[np.float32]:
    """Numbers between 0 and 1, neither of them reached."""
    whole = bits(int(np.prod(shape)), *key) >> np.uint32(9)
    return np.asarray((whole.astype(np.float32) + 0.5) * 2**-23, np.float32).reshape(shape)


def normal(shape: tuple[int, ...], *key: int) -> NDArray[np.float32]:
    """Normal numbers (Box and Muller's transform)."""
    count = int(np.prod(shape))
    radius = np.sqrt(-2 * np.log(uniform((count,), *key, 1)))
    return np.asarray(radius * np.cos(2 * np.pi * uniform((count,), *key, 2)), np.float32).reshape(shape)


def _mix(value: NDArray[np.uint32]) -> NDArray[np.uint32]:
    value = (value ^ (value >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    value = (value ^ (value >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return value ^ (value >> np.uint32(16))
