"""Chance that can be told again, in any language."""

from __future__ import annotations

import numpy as np

from model import chance


def test_the_numbers_are_the_same_everywhere_and_for_ever() -> None:
    assert chance.bits(3, 0).tolist() == [3553795876, 3249136337, 1645528667]
    assert chance.bits(3, 1, 2).tolist() == [414105946, 4198872044, 3309843334]


def test_keys_and_their_order_matter() -> None:
    keys = [(), (0,), (1,), (0, 1), (1, 0), (2**32 - 1,)]
    assert len({chance.bits(1, *key)[0] for key in keys}) == len(keys)


def test_numbers_are_spread_as_they_should_be() -> None:
    even = chance.uniform((1000, 100), 5)
    assert even.dtype == np.float32
    assert 0 < even.min() < 0.001
    assert 0.999 < even.max() < 1
    assert abs(even.mean() - 0.5) < 0.005
    bell = chance.normal((100_000,), 5)
    assert bell.dtype == np.float32
    assert abs(bell.mean()) < 0.01
    assert abs(bell.std() - 1) < 0.01
    assert abs((np.abs(bell) < 1.96).mean() - 0.95) < 0.005
    assert np.abs(np.corrcoef(bell[:-1], bell[1:])[0, 1]) < 0.01
    assert np.abs(np.corrcoef(bell, chance.normal((100_000,), 6))[0, 1]) < 0.01
