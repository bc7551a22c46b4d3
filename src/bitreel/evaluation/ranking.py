"""Ranked answers with their ties: what every measure is worked out from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Ranking:
    """How the database ranks for each of Q queries, as groups of items at one distance.

    An expectation over the order of ties needs no more than the two counts of each group, nearest
    group first; a group may be empty. The first places in the stored order of ties (a stable sort
    by distance, so equal distances in database order) stand beside them.

    group_items: int64 [Q,G], items in each group. group_relevant: int64 [Q,G], the relevant ones.
    stored: bool [Q,depth], whether the item at each of the first places is relevant.
    """

    group_items: NDArray[np.int64]
    group_relevant: NDArray[np.int64]
    stored: NDArray[np.bool_]

    def __post_init__(self) -> None:
        items, relevant = self.group_items, self.group_relevant
        if items.ndim != 2 or items.shape != relevant.shape or len(self.stored) != len(items):
            raise ValueError(
                f"expected two counts [Q,G] and stored [Q,depth], got {list(items.shape)}, "
                f"{list(relevant.shape)} and {list(self.stored.shape)}"
            )
        if np.any(relevant < 0) or np.any(relevant > items):
            raise ValueError("expected 0 <= relevant items <= items in each group")

    def __len__(self) -> int:
        return len(self.group_items)

    @property
    def database(self) -> int:
        """N, the items that every query ranks."""
        return int(self.group_items[0].sum()) if len(self) else 0

    @property
    def items_before(self) -> NDArray[np.int64]:
        """Items in nearer groups, [Q,G]."""
        return np.cumsum(self.group_items, axis=1) - self.group_items

    @property
    def relevant_before(self) -> NDArray[np.int64]:
        """Relevant items in nearer groups, [Q,G]."""
        return np.cumsum(self.group_relevant, axis=1) - self.group_relevant

    @property
    def relevant_total(self) -> NDArray[np.int64]:
        """R, the relevant items in the database, [Q]."""
        return np.asarray(self.group_relevant.sum(axis=1))


def rank(
    distances_bits: NDArray[np.int32], relevant: NDArray[np.bool_], *, depth: int = 0
) -> Ranking:
    """Rank by distance. distances_bits: [Q,N], 0 or more. relevant: bool [Q,N].

    depth: how many of the first places to keep in stored order, N at most.
    """
    queries, database = distances_bits.shape
    groups = int(distances_bits.max(initial=0)) + 1
    # One bincount for all rows: the cell of (query, distance) in a [Q,G] table laid out flat.
    cells = distances_bits + np.arange(0, queries * groups, groups)[:, None]
    group_items = np.bincount(cells.ravel(), minlength=queries * groups)
    group_relevant = np.bincount(cells[relevant], minlength=queries * groups)
    first = _first_places(distances_bits, min(depth, database))
    return Ranking(
        group_items.reshape(queries, groups),
        group_relevant.reshape(queries, groups),
        np.take_along_axis(relevant, first, axis=1),
    )


def stored_places(ranking: Ranking, cutoff: int) -> NDArray[np.bool_]:
    """The first `cutoff` places in stored order, bool [Q, min(cutoff, N)]."""
    places = min(cutoff, ranking.database)
    if ranking.stored.shape[1] < places:
        raise ValueError(
            f"expected a ranking that keeps {places} places in stored order, "
            f"got {ranking.stored.shape[1]}"
        )
    return ranking.stored[:, :places]


def _first_places(distances_bits: NDArray[np.int32], depth: int) -> NDArray[np.intp]:
    """Columns [Q,depth] of the nearest items, equal distances in rising order of column."""
    queries, database = distances_bits.shape
    if depth == 0:
        return np.empty((queries, 0), np.intp)
    # A key that holds no ties lets an unstable partial sort stand in for a stable full one.
    keys = distances_bits * np.int64(database) + np.arange(database)
    nearest = np.sort(np.partition(keys, depth - 1, axis=1)[:, :depth], axis=1)
    return np.asarray(nearest % database)
