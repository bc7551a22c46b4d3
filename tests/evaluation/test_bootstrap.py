"""The interval of a mean over queries: against a slow twin, and does it cover what it says?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitreel.errors import DataError
from bitreel.evaluation.bootstrap import Interval, bootstrap_mean


def slow_bootstrap(values: list[float], groups: list[str], *, draws: int, seed: int) -> Interval:
    """Draw groups, put all their values in one list, take its mean; again and again."""
    names = list(dict.fromkeys(groups))
    members = {n: [v for v, g in zip(values, groups, strict=True) if g == n] for n in names}
    generator = np.random.default_rng(seed)
    means = []
    for row in generator.integers(len(names), size=(draws, len(names))):
        drawn = [value for number in row for value in members[names[number]]]
        means.append(sum(drawn) / len(drawn))
    return Interval(float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975)), 0.95)


@pytest.mark.parametrize("seed", [0, 3])
def test_it_agrees_with_drawing_groups_one_by_one(seed: int) -> None:
    generator = np.random.default_rng(seed)
    values = generator.random(40).tolist()
    groups = [f"g{number}" for number in generator.integers(9, size=40)]
    fast = bootstrap_mean(values, groups, draws=200, seed=seed)
    slow = slow_bootstrap(values, groups, draws=200, seed=seed)
    assert (fast.low, fast.high) == pytest.approx((slow.low, slow.high), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=30), st.integers(1, 6))
def test_it_lies_among_the_values_and_does_not_move_with_their_scale(
    values: list[float], scale: int
) -> None:
    found = bootstrap_mean(values, draws=100)
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
    scaled = bootstrap_mean([value * scale for value in values], draws=100)
    assert (scaled.low, scaled.high) == pytest.approx((scale * found.low, scale * found.high))


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(0).random(30)
    assert bootstrap_mean(values) == bootstrap_mean(values)
    assert bootstrap_mean(values) != bootstrap_mean(values, seed=1)


def test_about_95_of_100_intervals_hold_the_true_mean() -> None:
    generator = np.random.default_rng(0)
    held = sum(0.3 in bootstrap_mean(generator.beta(0.6, 1.4, 80), draws=300) for _ in range(300))
    assert 0.90 <= held / 300 <= 0.98


def test_groups_whose_queries_are_alike_make_it_honest() -> None:
    """20 recordings of 10 clips each: taken clip by clip, the interval is far too narrow."""
    generator = np.random.default_rng(1)
    groups = [number for number in range(20) for _ in range(10)]
    held = {"groups": 0, "clips": 0}
    for _ in range(150):
        values = np.repeat(generator.normal(size=20), 10) + generator.normal(size=200) * 0.1
        held["groups"] += 0.0 in bootstrap_mean(values, groups, draws=300)
        held["clips"] += 0.0 in bootstrap_mean(values, draws=300)
    assert held["groups"] / 150 > 0.88
    assert held["clips"] / 150 < 0.6


@pytest.mark.parametrize(
    ("values", "groups", "sentence"),
    [
        ([0.5], None, "two groups of queries or more, got 1"),
        ([], None, "two groups of queries or more, got 0"),
        ([0.1, 0.2], ["a", "a"], "two groups of queries or more, got 1"),
        ([0.1, 0.2], ["a"], "a group for each of 2 values, got 1"),
        ([0.1, float("nan")], None, "Expected finite values"),
        ([[0.1], [0.2]], None, r"Expected finite values \[Q\], got \[2, 1\]"),
    ],
)
def test_what_it_can_not_draw_from(
    values: list[float], groups: list[str] | None, sentence: str
) -> None:
    with pytest.raises(DataError, match=sentence):
        bootstrap_mean(values, groups)


def test_an_interval_goes_upwards() -> None:
    with pytest.raises(DataError, match="from low to high"):
        Interval(1.0, 0.0, 0.95)
