"""Stacks of differences: signed, in order, without a wrap-around."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moving import random_snippets

from bitreel.errors import ConfigError
from bitreel.modality import Difference


@given(length=st.integers(1, 4), gain=st.sampled_from([0.5, 1.0, 2.0]), seed=st.integers(0, 99))
def test_agrees_with_a_loop_over_pixels(length: int, gain: float, seed: int) -> None:
    snippets = random_snippets(2, length + 1, height=3, width=4, seed=seed)
    pictures = Difference(length, gain)(snippets)
    assert pictures.shape == (2, 3 * length, 3, 4)
    for t, channel, y, x in np.ndindex(pictures.shape):
        step, colour = divmod(channel, 3)
        before, after = snippets[t, step, y, x, colour], snippets[t, step + 1, y, x, colour]
        expected = gain * (int(after) - int(before)) / 255
        assert pictures[t, channel, y, x] == pytest.approx(max(-1, min(1, expected)), abs=1e-6)


def test_a_reversed_clip_gives_the_negated_reverse() -> None:
    modality = Difference(length=3, gain=1)
    snippets = random_snippets(4, 4)
    forward = modality(snippets).reshape(4, 3, 3, 8, 10)
    backward = modality(np.ascontiguousarray(snippets[:, ::-1])).reshape(4, 3, 3, 8, 10)
    np.testing.assert_array_equal(backward, -forward[:, ::-1])


def test_the_gain_is_clipped_at_full_range() -> None:
    frames = np.array([0, 60, 255, 255, 0], np.uint8)
    snippets = np.broadcast_to(frames[None, :, None, None, None], (1, 5, 2, 2, 3))
    values = Difference(length=4)(snippets)[0, ::3, 0, 0]
    np.testing.assert_allclose(values, [2 * 60 / 255, 1, 0, -1], rtol=1e-6)


def test_a_longer_stack_starts_with_the_shorter() -> None:
    snippets = random_snippets(2, 6)
    np.testing.assert_array_equal(
        Difference(5)(snippets)[:, :6], Difference(2)(np.ascontiguousarray(snippets[:, :3]))
    )


@pytest.mark.parametrize("options", [{"length": 0}, {"length": 65}, {"gain": 0}, {"gain": -1}])
def test_options_out_of_range(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        Difference(**options)  # type: ignore[arg-type]
