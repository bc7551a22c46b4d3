"""How far a mean over queries would move with other queries: the percentile bootstrap."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bitreel.errors import DataError

DRAWS = 1000


@dataclass(frozen=True)
class Interval:
    """From `low` to `high`, at a level such as 0.95."""

    low: float
    high: float
    level: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise DataError(f"An interval goes from low to high, got {self.low} to {self.high}.")

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def bootstrap_mean(
    values: ArrayLike,
    groups: Sequence[Hashable] | None = None,
    *,
    draws: int = DRAWS,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The interval of the mean of `values`, float [Q], when the queries are drawn anew.

    groups: [Q], what each value belongs to; whole groups are drawn, because clips of one recording
    (and one query under several seeds) are no independent evidence. None: each value is its own.
    The percentile method (Efron & Tibshirani, "An introduction to the bootstrap", 1993, ch. 13);
    the same seed gives the same interval.

    Raises DataError for values and groups of unequal number, for values that are not finite and for
    fewer than two groups: what is drawn from one group never moves.
    """
    figures = np.asarray(values, np.float64)
    if figures.ndim != 1 or not np.isfinite(figures).all():
        raise DataError(f"Expected finite values [Q], got {list(figures.shape)}.")
    sums, counts = _by_group(figures, groups)
    if len(sums) < 2:
        raise DataError(
            f"A bootstrap draws two groups of queries or more, got {len(sums)}: "
            f"one recording alone does not tell how far recordings differ."
        )
    generator = np.random.default_rng(seed)
    drawn = generator.integers(len(sums), size=(draws, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), level)


def _by_group(
    values: np.ndarray, groups: Sequence[Hashable] | None
) -> tuple[np.ndarray, np.ndarray]:
    """The sum and the number of values of each group, in the order in which groups appear."""
    if groups is None:
        return values, np.ones(len(values))
    if len(groups) != len(values):
        raise DataError(f"Expected a group for each of {len(values)} values, got {len(groups)}.")
    numbers: dict[Hashable, int] = {}
    rows = [numbers.setdefault(group, len(numbers)) for group in groups]
    sums, counts = np.zeros(len(numbers)), np.zeros(len(numbers))
    np.add.at(sums, rows, values)
    np.add.at(counts, rows, 1.0)
    return sums, counts
