"""The difference of two sets of options over the same splits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bitreel.errors import DataError
from bitreel.evaluation.paired import paired_difference, student_quantile


@pytest.mark.parametrize(
    ("level", "degrees", "expected"),
    [  # from the printed tables
        (0.95, 1, 12.7062),
        (0.95, 2, 4.3027),
        (0.95, 4, 2.7764),
        (0.95, 9, 2.2622),
        (0.95, 30, 2.0423),
        (0.99, 9, 3.2498),
        (0.5, 5, 0.7267),
    ],
)
def test_the_quantiles_are_those_of_the_tables(level: float, degrees: int, expected: float) -> None:
    assert student_quantile(level, degrees) == pytest.approx(expected, rel=1e-4)


def test_the_interval_by_hand() -> None:
    found = paired_difference([0.5, 0.7, 0.6], [0.4, 0.5, 0.3], validation_fraction=0.2)
    # differences .1 .2 .3: mean .2, s .1; 1/3 + .25
    half = 4.3027 * 0.1 * math.sqrt(1 / 3 + 0.25)
    assert found.mean == pytest.approx(0.2)
    assert found.interval.low == pytest.approx(0.2 - half, rel=1e-4)
    assert found.interval.high == pytest.approx(0.2 + half, rel=1e-4)
    assert found.is_within_the_spread
    assert found.seeds == 3


def test_splits_that_share_their_clips_do_not_find_what_is_not_there() -> None:
    """Two options that are equally good, ten splits of one sample each: a plain t interval, which
    takes splits for independent, would leave 0 out far more often than one time in twenty."""
    generator = np.random.default_rng(0)
    wrong = {"corrected": 0, "plain": 0}
    for _ in range(300):
        clips = generator.normal(size=100)  # each clip's gain, 0 in the mean of all clips
        gains = [clips[generator.permutation(100)[:20]].mean() for _ in range(10)]
        found = paired_difference(gains, [0.0] * 10, validation_fraction=0.2)
        wrong["corrected"] += not found.is_within_the_spread
        half = 2.2622 * np.std(gains, ddof=1) / math.sqrt(10)
        wrong["plain"] += abs(np.mean(gains)) > half
    assert wrong["corrected"] / 300 < 0.10
    assert wrong["plain"] / 300 > 0.15


def test_a_clear_difference_is_told() -> None:
    found = paired_difference([0.7, 0.71, 0.72], [0.5, 0.5, 0.52], validation_fraction=0.2)
    assert not found.is_within_the_spread


@pytest.mark.parametrize(("ours", "theirs"), [([0.1], [0.2]), ([0.1, 0.2], [0.1])])
def test_too_few_scores(ours: list[float], theirs: list[float]) -> None:
    with pytest.raises(DataError, match="two scores or more of each, for the same seeds"):
        paired_difference(ours, theirs, validation_fraction=0.2)
