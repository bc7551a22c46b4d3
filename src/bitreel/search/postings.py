"""From distinct codes to the ids that hold them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitreel.search.best import Best, fixed
from bitreel.search.code_table import View
from bitreel.search.compiled import kernel
from bitreel.search.top_k import push, sort


def nearest_ids(
    positions: NDArray[np.int64], distances_bits: NDArray[np.int32], view: View, k: int
) -> Best:
    """The k nearest ids by (distance, id); the view allows k or more.

    positions, distances_bits: [Q,k'], the min(k, allowed) nearest distinct codes of each query by
    (distance, least allowed id). As each has at least one id, no other code has one of the k.
    """
    if view.one_each:
        return Best(distances_bits, view.keys[positions], positions)
    best = Best.room(len(positions), k)
    held = _expand(
        fixed(positions),
        fixed(distances_bits),
        fixed(view.offsets),
        fixed(view.ids),
        best.distances,
        best.keys,
        best.positions,
    )
    return best.first(held)


def all_ids(
    offsets: NDArray[np.int64],
    positions: NDArray[np.int64],
    distances_bits: NDArray[np.int32],
    view: View,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Query numbers, ids and distances, [M] each, of codes found as Finder.within gives them."""
    starts = view.offsets[positions]
    counts = view.offsets[positions + 1] - starts
    queries = np.repeat(np.repeat(np.arange(len(offsets) - 1), np.diff(offsets)), counts)
    # Entry i of the expanded list is the (i − where its code begins in it)-th id of its code.
    begins = np.cumsum(counts) - counts
    places = np.arange(len(queries)) + np.repeat(starts - begins, counts)
    return queries, view.ids[places], np.repeat(distances_bits, counts)


@kernel
def _expand(
    positions: NDArray[np.int64],
    distances_bits: NDArray[np.int32],
    offsets: NDArray[np.int64],
    ids: NDArray[np.int64],
    best_distances: NDArray[np.int32],
    best_ids: NDArray[np.int64],
    best_positions: NDArray[np.int64],
) -> int:
    """Push the ids of each code until the worst that is kept comes before the next. Row length."""
    k = best_ids.shape[1]
    held = 0
    for q in range(len(positions)):
        distances, kept, places = best_distances[q], best_ids[q], best_positions[q]
        held = 0
        for column in range(positions.shape[1]):
            position, distance = positions[q, column], distances_bits[q, column]
            for place in range(offsets[position], offsets[position + 1]):
                full = held == k
                if full and (
                    distance > distances[0] or (distance == distances[0] and ids[place] > kept[0])
                ):
                    break
                held = push(distances, kept, places, held, distance, ids[place], position)
        sort(distances, kept, places, held)
    return held
