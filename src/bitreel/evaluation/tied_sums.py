"""Sums of precisions over a ranking with ties, in closed form.

P(i), the precision at place i, is summed over the places i <= k that hold a relevant item. Within a
group of n items at one distance, r of them relevant, after N items of which Rb are relevant, each
order of the group is as likely as any other. Place N+j then holds a relevant item with probability
r/n, and before it in the group stand (j-1)(r-1)/(n-1) relevant ones on average, so that

    E[sum] = r/n · sum_{j=1..m} (Rb + 1 + (j-1)(r-1)/(n-1)) / (N+j),      m = min(n, k-N) places

McSherry and Najork, "Computing information retrieval performance measures efficiently in the
presence of tied scores" (ECIR 2008); He et al., "Hashing as tie-aware learning to rank" (CVPR
2018).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitreel.evaluation.ranking import Ranking, stored_places

Counts = NDArray[np.int64]


def stored_sum(ranking: Ranking, cutoff: int) -> NDArray[np.float64]:
    """The sum in the stored order of ties, [Q]."""
    places = stored_places(ranking, cutoff)
    precision = np.cumsum(places, axis=1) / np.arange(1, places.shape[1] + 1)
    return np.asarray((precision * places).sum(axis=1))


def expected_sum(ranking: Ranking, cutoff: int | Counts) -> NDArray[np.float64]:
    """The mean over all orders of ties, [Q]. cutoff: k for all queries, or one for each [Q]."""
    before, items = ranking.items_before, ranking.group_items
    places = np.clip(np.reshape(cutoff, (-1, 1)) - before, 0, items)
    inside = _group_sum(
        relevant=ranking.group_relevant,
        items=items,
        places=places,
        before=before,
        relevant_before=ranking.relevant_before,
        harmonic=_harmonic(ranking.database),
    )
    return np.asarray(inside.sum(axis=1))


def extreme_sum(ranking: Ranking, cutoff: int, *, relevant_first: bool) -> NDArray[np.float64]:
    """The most (relevant items first in each group) or the least (last) of all orders, [Q]."""
    before, relevant = ranking.items_before, ranking.group_relevant
    if not relevant_first:
        before = before + ranking.group_items - relevant
    hits = np.clip(cutoff - before, 0, relevant)
    harmonic = _harmonic(ranking.database)
    # sum_{i=1..h} (Rb+i)/(A+i) = h - (A-Rb) · sum_{i=1..h} 1/(A+i)
    misses = before - ranking.relevant_before
    return np.asarray((hits - misses * (harmonic[before + hits] - harmonic[before])).sum(axis=1))


def expected_sum_over_hits(ranking: Ranking, cutoff: int) -> NDArray[np.float64]:
    """The mean over all orders of ties of (sum / hits in the first k), 0 where no hit, [Q].

    Only the group that place k cuts leaves the number of hits open: x of its r relevant items fall
    in its first m places, hypergeometric in x. Given x, the sum is again that of a tied group, of m
    items with x relevant. The groups before it add the same to every x.
    """
    if ranking.database == 0:
        return np.zeros(len(ranking))
    cutoff = min(cutoff, ranking.database)
    ends = np.cumsum(ranking.group_items, axis=1)
    cut = np.argmax(ends >= cutoff, axis=1)[:, None]
    items, relevant, before, relevant_before = (
        np.take_along_axis(counts, cut, axis=1)
        for counts in (
            ranking.group_items,
            ranking.group_relevant,
            ranking.items_before,
            ranking.relevant_before,
        )
    )
    places = cutoff - before
    drawn = np.arange(int(np.minimum(places, relevant).max()) + 1)[None, :]
    inside = _group_sum(
        relevant=drawn,
        items=places,
        places=places,
        before=before,
        relevant_before=relevant_before,
        harmonic=_harmonic(ranking.database),
    )
    hits = relevant_before + drawn
    mean = (expected_sum(ranking, before[:, 0])[:, None] + inside) / np.maximum(hits, 1)
    chance = hypergeometric(drawn, items=items, relevant=relevant, places=places)
    return np.asarray((chance * mean).sum(axis=1))


def hypergeometric(
    drawn: Counts, *, items: Counts, relevant: Counts, places: Counts
) -> NDArray[np.float64]:
    """P(`drawn` of the `relevant` among `items` fall in `places` places), shapes broadcast."""
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, items.max() + 1)))])

    def log_choose(of: Counts, taken: Counts) -> NDArray[np.float64]:
        return np.asarray(log_factorial[of] - log_factorial[taken] - log_factorial[of - taken])

    low, high = np.maximum(0, places - (items - relevant)), np.minimum(places, relevant)
    possible = (drawn >= low) & (drawn <= high)
    held = np.clip(drawn, low, high)  # what is not possible has no logarithm
    log_chance = log_choose(relevant, held) + log_choose(items - relevant, places - held)
    return np.where(possible, np.exp(log_chance - log_choose(items, places)), 0.0)


def _group_sum(
    *,
    relevant: Counts,
    items: Counts,
    places: Counts,
    before: Counts,
    relevant_before: Counts,
    harmonic: NDArray[np.float64],
) -> NDArray[np.float64]:
    """E[sum] over the first `places` places of groups, by the formula above. Shapes broadcast."""
    reciprocals = harmonic[before + places] - harmonic[before]  # sum_j 1/(N+j)
    offsets = places - (before + 1) * reciprocals  # sum_j (j-1)/(N+j)
    share = relevant / np.maximum(items, 1)
    neighbours = (relevant - 1) / np.maximum(items - 1, 1)
    return np.asarray(share * ((relevant_before + 1) * reciprocals + neighbours * offsets))


def _harmonic(items: int) -> NDArray[np.float64]:
    """H(0) to H(items)."""
    return np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, items + 1))])
