"""Coarse to fine: every step is spent, every scale gets some, the last one is the painting's size."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model.recipe import Recipe
from model.scales import Scale, passes, plan, resized


@given(
    st.integers(16, 4096), st.integers(16, 4096), st.integers(1, 3000), st.integers(0, 8), st.sampled_from([64, 128])
)
def test_a_plan_spends_all_steps_from_coarse_to_fine(
    height: int, width: int, steps: int, most: int, smallest: int
) -> None:
    scales = plan(height, width, steps, most, smallest)
    assert sum(scale.steps for scale in scales) == steps
    assert all(scale.steps > 0 for scale in scales)
    assert len(scales) <= (most or 8)
    assert (scales[-1].height, scales[-1].width) == (height, width)
    longs = [max(scale.height, scale.width) for scale in scales]
    assert longs == sorted(set(longs))
    assert len(scales) == 1 or longs[0] >= smallest
    coarser = [side >> len(scales) for side in (height, width)]
    assert len(scales) in (steps, most) or max(coarser) < smallest or min(coarser) < 16, "no further one fits"


def test_coarse_scales_get_more_steps_than_fine_ones() -> None:
    steps = [scale.steps for scale in plan(384, 512, 80, 0, 64)]
    assert steps == sorted(steps, reverse=True)
    assert steps[0] > steps[-1]


def test_further_passes_come_after_a_plan_that_they_do_not_change() -> None:
    recipe = Recipe(iterations=80).changed(3, {"more": 20}).changed(100, {"more": 1})
    assert passes(384, 512, recipe, 64) == [*plan(384, 512, 80, 0, 64), Scale(384, 512, 20), Scale(384, 512, 1)]


def test_resizing_keeps_a_gradient_and_the_range() -> None:
    ramp = np.repeat(np.linspace(0, 1, 64, dtype=np.float32)[None, :, None], 64, axis=0).repeat(3, axis=2)
    for side in (16, 64, 160):
        other = resized(ramp, side, side)
        assert other.shape == (side, side, 3)
        assert 0 <= other.min() <= other.max() <= 1
        ideal = (np.arange(side) + 0.5) / side
        assert np.abs(other[side // 2, 2:-2, 0] - ideal[2:-2]).max() < 0.02
    assert resized(ramp, 64, 64) is ramp
