"""The measures as plain loops over one ordered list, and averages of them over orders of ties."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from bitreel.evaluation import Ranking, rank

# The relevance of an ordered list -> a figure.
Figure = Callable[[list[bool]], float]


def average_precision(relevant: list[bool], *, k: int, divide_by: str) -> float:
    hits, total = 0, 0.0
    for place, is_relevant in enumerate(relevant[:k], start=1):
        if is_relevant:
            hits += 1
            total += hits / place
    all_relevant = sum(relevant)
    divisor = {"k": k, "hits": hits, "min(k,R)": min(k, all_relevant), "R": all_relevant}[divide_by]
    return total / divisor if divisor else 0.0


def hit(relevant: list[bool], *, k: int) -> float:
    return float(any(relevant[:k]))


def in_order(distances: list[int], relevant: list[bool], tie_break: tuple[int, ...]) -> list[bool]:
    order = sorted(range(len(distances)), key=lambda item: (distances[item], tie_break[item]))
    return [relevant[item] for item in order]


def stored(figure: Figure, distances: list[int], relevant: list[bool]) -> float:
    return figure(in_order(distances, relevant, tuple(range(len(distances)))))


def over_all_orders(figure: Figure, distances: list[int], relevant: list[bool]) -> list[float]:
    """The figure in every order of all items, each sorted by distance first."""
    breaks = permutations(range(len(distances)))
    return [figure(in_order(distances, relevant, tie_break)) for tie_break in breaks]


def monte_carlo(
    figure: Figure, distances: list[int], relevant: list[bool], *, draws: int
) -> tuple[float, float]:
    """The mean over random orders of ties, and its standard error."""
    rng = np.random.default_rng(0)
    figures = [
        figure(in_order(distances, relevant, tuple(rng.permutation(len(distances)).tolist())))
        for _ in range(draws)
    ]
    return float(np.mean(figures)), float(np.std(figures) / np.sqrt(draws))


def ranking_of(distances: list[int], relevant: list[bool]) -> Ranking:
    """One query, all places kept in stored order."""
    row: NDArray[np.int32] = np.array([distances], np.int32)
    return rank(row, np.array([relevant], bool), depth=len(distances))
