"""Keep the k least of many (distance, key) pairs: the piece that every kernel shares.

One query's best so far are three arrays of length k, a heap whose root, entry 0, is the worst that
is kept: distances int32, keys int64 (what breaks ties, no two the same), positions int64 (what the
caller wants back). `held` of the k entries are in use. Whoever scans compares with entry 0 and
pushes rarely.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitreel.search.compiled import kernel


@kernel
def push(
    distances: NDArray[np.int32],
    keys: NDArray[np.int64],
    positions: NDArray[np.int64],
    held: int,
    distance: int,
    key: int,
    position: int,
) -> int:
    """Offer one more pair; it takes the place of the worst where all k are held. New `held`.

    k = 0 keeps nothing.
    """
    if held < len(distances):
        _rise(distances, keys, positions, held, distance, key, position)
        return held + 1
    if held > 0 and (distance < distances[0] or (distance == distances[0] and key < keys[0])):
        _sink(distances, keys, positions, held, distance, key, position)
    return held


@kernel
def sort(
    distances: NDArray[np.int32], keys: NDArray[np.int64], positions: NDArray[np.int64], held: int
) -> None:
    """Put the held entries in the order of (distance, key). They are a heap no longer."""
    for last in range(held - 1, 0, -1):
        distance, key, position = distances[last], keys[last], positions[last]
        distances[last], keys[last], positions[last] = distances[0], keys[0], positions[0]
        _sink(distances, keys, positions, last, distance, key, position)


@kernel
def _rise(
    distances: NDArray[np.int32],
    keys: NDArray[np.int64],
    positions: NDArray[np.int64],
    place: int,
    distance: int,
    key: int,
    position: int,
) -> None:
    """Enter at the free `place` and move up past what is better."""
    while place > 0:
        parent = (place - 1) >> 1
        if distances[parent] > distance or (distances[parent] == distance and keys[parent] > key):
            break
        distances[place], keys[place] = distances[parent], keys[parent]
        positions[place] = positions[parent]
        place = parent
    distances[place], keys[place], positions[place] = distance, key, position


@kernel
def _sink(
    distances: NDArray[np.int32],
    keys: NDArray[np.int64],
    positions: NDArray[np.int64],
    held: int,
    distance: int,
    key: int,
    position: int,
) -> None:
    """Enter at the root of `held` entries, whose old root is given up, and move down."""
    place = 0
    while 2 * place + 1 < held:
        child = 2 * place + 1
        other = child + 1
        if other < held and (
            distances[other] > distances[child]
            or (distances[other] == distances[child] and keys[other] > keys[child])
        ):
            child = other
        if distances[child] < distance or (distances[child] == distance and keys[child] < key):
            break
        distances[place], keys[place] = distances[child], keys[child]
        positions[place] = positions[child]
        place = child
    distances[place], keys[place], positions[place] = distance, key, position


@kernel
def merge(
    distances: NDArray[np.int32],
    keys: NDArray[np.int64],
    positions: NDArray[np.int64],
    best_distances: NDArray[np.int32],
    best_keys: NDArray[np.int64],
    best_positions: NDArray[np.int64],
) -> None:
    """For each row of [Q,M] the k least of it, sorted, into the rows of [Q,k]; k <= M."""
    for q in range(len(distances)):
        held = 0
        for i in range(distances.shape[1]):
            held = push(
                best_distances[q],
                best_keys[q],
                best_positions[q],
                held,
                distances[q, i],
                keys[q, i],
                positions[q, i],
            )
        sort(best_distances[q], best_keys[q], best_positions[q], held)
