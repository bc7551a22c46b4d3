"""Dynamic images: the coefficients of the paper, and nothing of what stands still."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moving import moving_frames, random_snippets

from bitreel.errors import ConfigError
from bitreel.modality import Dynamic, rank_pooling_weights

lengths = st.integers(1, 40)


@given(count=lengths)
def test_the_weights_are_the_double_sum(count: int) -> None:
    exact = [
        sum(Fraction(2 * i - count - 1, i) for i in range(t, count + 1))
        for t in range(1, count + 1)
    ]
    assert sum(exact) == 0
    np.testing.assert_allclose(rank_pooling_weights(count), [float(w) for w in exact], atol=1e-11)


@given(count=lengths)
def test_the_weights_are_the_closed_form(count: int) -> None:
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, count + 1))])
    t = np.arange(1, count + 1)
    closed = 2 * (count - t + 1) - (count + 1) * (harmonic[count] - harmonic[t - 1])
    np.testing.assert_allclose(rank_pooling_weights(count), closed, atol=1e-11)
    assert abs(rank_pooling_weights(count).sum()) < 1e-11


def test_the_weights_are_those_of_running_means() -> None:
    """The first step of the ranking machine: each running mean against all before it."""
    frames = np.random.default_rng(0).normal(size=(7, 5))
    means = [frames[: k + 1].mean(axis=0) for k in range(7)]
    expected = np.sum([means[q] - means[t] for q in range(7) for t in range(q)], axis=0)
    np.testing.assert_allclose(rank_pooling_weights(7) @ frames, expected, atol=1e-12)


def test_known_weights() -> None:
    np.testing.assert_allclose(rank_pooling_weights(5), [-3.7, 0.3, 1.3, 1.3, 0.8], atol=1e-12)
    assert rank_pooling_weights(1).tolist() == [0]


def test_agrees_with_the_weighted_sum_of_the_frames() -> None:
    snippets = random_snippets(9, 1)
    exact = np.tensordot(rank_pooling_weights(9), snippets[:, 0].astype(float), axes=1)
    expected = (exact / np.abs(exact).max()).transpose(2, 0, 1)
    (picture,) = Dynamic()(snippets)
    np.testing.assert_allclose(picture, expected, atol=1e-5)
    assert np.abs(picture).max() == 1


def test_noise_of_a_static_clip_stays_small() -> None:
    noise = np.random.default_rng(0).normal(0, 3, (16, 1, 64, 64, 3))
    still = np.repeat(moving_frames(1, height=64, width=64), 16, axis=0)[:, None]
    noisy = Dynamic()(np.clip(still + noise, 0, 255).astype(np.uint8))
    assert np.abs(noisy).mean() < 0.1
    moving = Dynamic()(moving_frames(16, right=3, height=64, width=64)[:, None])
    assert np.abs(moving).max() == 1
    assert np.abs(moving).mean() > 2 * np.abs(noisy).mean()


def test_a_single_frame_evolves_not_at_all() -> None:
    assert not Dynamic()(random_snippets(1, 1)).any()


@given(positions=st.integers(1, 60), window=st.integers(2, 20))
def test_windows_cover_the_clip_and_end_with_it(positions: int, window: int) -> None:
    modality = Dynamic(window)
    windows = modality.windows(positions)
    assert len(windows) == modality.pictures(positions)
    assert {w.stop - w.start for w in windows} == {min(window, positions)}
    assert windows[0].start == 0
    assert windows[-1].stop == positions
    steps = np.diff([w.start for w in windows])
    assert (steps[:-1] == window // 2).all()
    assert ((steps > 0) & (steps <= window // 2)).all()


def test_each_window_is_a_clip_of_its_own() -> None:
    snippets = random_snippets(7, 1)
    pictures = Dynamic(window=4)(snippets)
    expected = [Dynamic()(snippets[k : k + 4])[0] for k in (0, 2, 3)]
    np.testing.assert_array_equal(pictures, np.stack(expected))


@pytest.mark.parametrize("window", [-1, 1])
def test_windows_out_of_range(window: int) -> None:
    with pytest.raises(ConfigError, match=f"window={window}"):
        Dynamic(window)
