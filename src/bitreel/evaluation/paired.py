"""Is one set of options better than another? The difference over the same random splits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from bitreel.errors import DataError
from bitreel.evaluation.bootstrap import Interval


@dataclass(frozen=True)
class Difference:
    """The mean of `ours − theirs` over `seeds` splits, and its interval."""

    mean: float
    interval: Interval
    seeds: int

    @property
    def is_within_the_spread(self) -> bool:
        """Whether the interval holds 0: seeds alone could have made the difference."""
        return 0.0 in self.interval


def paired_difference(
    ours: Sequence[float],
    theirs: Sequence[float],
    *,
    validation_fraction: float,
    level: float = 0.95,
) -> Difference:
    """Scores of two sets of options on the same splits, seed by seed: their mean difference.

    The interval is Student's t with the variance enlarged for splits that share their clips:
    s² · (1/n + f/(1 − f)), f the fraction held out (Nadeau & Bengio, "Inference for the
    generalization error", Machine Learning 52, 2003). The plain s²/n takes the splits for
    independent and finds differences where there are none.

    Raises DataError for unequal numbers of scores and for fewer than two.
    """
    if len(ours) != len(theirs) or len(ours) < 2:
        raise DataError(
            f"A paired difference takes two scores or more of each, for the same seeds; "
            f"got {len(ours)} and {len(theirs)}."
        )
    differences = np.asarray(ours, np.float64) - np.asarray(theirs, np.float64)
    seeds, mean = len(differences), float(differences.mean())
    share = 1 / seeds + validation_fraction / (1 - validation_fraction)
    half = student_quantile(level, seeds - 1) * math.sqrt(differences.var(ddof=1) * share)
    return Difference(mean, Interval(mean - half, mean + half, level), seeds)


@cache
def student_quantile(level: float, degrees: int) -> float:
    """t with P(|T| ≤ t) = level for Student's distribution of that many degrees of freedom.

    With t = √ν·tan θ that probability is ∫₀^θ cos^(ν−1) over ∫₀^(π/2) cos^(ν−1): summed up finely
    and read backwards.
    """
    angles = np.linspace(0, math.pi / 2, 200_001)
    density = np.cos(angles) ** (degrees - 1)
    share = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    angle = np.interp(level * share[-1], share, angles)
    return float(math.sqrt(degrees) * math.tan(angle))
