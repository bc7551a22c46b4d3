"""Scans over distinct codes: the k nearest of each query, and all within a radius.

The least distance of each group of codes is found first (`kernels`), then only the groups whose
least is near enough are looked at code by code. How near is known beforehand: where k groups have a
least of at most d, k codes are at most d away. So it does not matter in what order the codes stand,
and few are looked at twice.

Arrays: words uint64 [W,at least U] as a CodeTable has them, first_ids int64 [U] the least id of
each code (rising), keys int64 [U] the least allowed id of each or NOT_ALLOWED, queries uint64
[Q,W].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitreel.search.code_table import NOT_ALLOWED
from bitreel.search.compiled import kernel
from bitreel.search.kernels import FAR, GROUP, least_of_groups, measure
from bitreel.search.top_k import push, sort

# Of a group that is looked at, the codes in these few are passed over where their least is too far.
_FEW = 32

# Groups, and queries, whose leasts are kept at a time: half a megabyte of them, for the L2 cache.
_CHUNK_GROUPS = 1024
_TILE_QUERIES = 128


@kernel
def _kth(leasts: NDArray[np.int32], k: int, most: int) -> int:
    """The k-th least of numbers up to `most`, FAR where there are fewer than k.

    By halving: counting is eight or more numbers an instruction.
    """
    if k > len(leasts):
        return FAR
    low, high = 0, most
    while low < high:
        middle = (low + high) >> 1
        count = 0
        for i in range(len(leasts)):
            count += leasts[i] <= middle
        if count >= k:
            high = middle
        else:
            low = middle + 1
    return low


@kernel
def _keep_near(
    measured: NDArray[np.int64],
    first: int,
    limit: int,
    keys: NDArray[np.int64],
    distances: NDArray[np.int32],
    kept: NDArray[np.int64],
    positions: NDArray[np.int64],
    held: int,
) -> int:
    """Push what of a measured group that starts at `first` is allowed and within the limit."""
    for start in range(0, len(measured), _FEW):
        few = measured[start : start + _FEW]
        least = FAR
        for i in range(len(few)):
            least = min(least, few[i])
        if least > limit:
            continue
        for i in range(len(few)):
            position = first + start + i
            if few[i] <= limit and keys[position] != NOT_ALLOWED:
                held = push(distances, kept, positions, held, few[i], keys[position], position)
    return held


@kernel
def _look(
    words: NDArray[np.uint64],
    first_ids: NDArray[np.int64],
    keys: NDArray[np.int64],
    query: NDArray[np.uint64],
    start: int,
    stop: int,
    leasts: NDArray[np.int32],
    limit: int,
    room: NDArray[np.int64],
    distances: NDArray[np.int32],
    kept: NDArray[np.int64],
    positions: NDArray[np.int64],
    held: int,
) -> int:
    """Look at the groups from code `start` to `stop` whose least is within the limit.

    The limit falls as better ones are held. Ids rise with the codes: once those to come are above
    the worst key that is held, a tie with it is lost, and the limit falls by one more.
    """
    if held == len(distances):
        limit = min(limit, distances[0])
    for group in range(len(leasts)):
        if leasts[group] > limit:
            continue
        first = start + group * GROUP
        last = min(first + GROUP, stop)
        measure(words, query, first, last, room)
        held = _keep_near(
            room[: last - first], first, limit, keys, distances, kept, positions, held
        )
        if held == len(distances):
            lost = 1 if first_ids[last - 1] >= kept[0] else 0
            limit = min(limit, distances[0] - lost)
    return held


@kernel
def scan_nearest(
    words: NDArray[np.uint64],
    first_ids: NDArray[np.int64],
    keys: NDArray[np.int64],
    queries: NDArray[np.uint64],
    all_allowed: bool,
    start: int,
    stop: int,
    distances: NDArray[np.int32],
    kept: NDArray[np.int64],
    positions: NDArray[np.int64],
) -> int:
    """The k nearest of codes `start` to `stop` for each query, by distance and then by key.

    all_allowed: no key is NOT_ALLOWED. distances, kept (keys), positions: [Q,k], written, k >= 1.
    Gives how many columns are answers: fewer than k where fewer codes are allowed.
    """
    asking, k = distances.shape
    held = np.zeros(asking, np.int64)
    room = np.empty(GROUP, np.int64)
    for top in range(start, stop, _CHUNK_GROUPS * GROUP):
        bottom = min(top + _CHUNK_GROUPS * GROUP, stop)
        groups = (bottom - top + GROUP - 1) // GROUP
        leasts = np.empty((min(asking, _TILE_QUERIES), groups), np.int32)
        for tile in range(0, asking, _TILE_QUERIES):
            asked = queries[tile : tile + _TILE_QUERIES]
            least_of_groups(words, asked, top, bottom, leasts[: len(asked)])
            for i in range(len(asked)):
                q = tile + i
                limit = _kth(leasts[i], k, 64 * queries.shape[1]) if all_allowed else FAR
                held[q] = _look(
                    words,
                    first_ids,
                    keys,
                    asked[i],
                    top,
                    bottom,
                    leasts[i],
                    limit,
                    room,
                    distances[q],
                    kept[q],
                    positions[q],
                    held[q],
                )
    for q in range(asking):
        sort(distances[q], kept[q], positions[q], held[q])
    return held[0] if asking else 0


@kernel
def scan_within(
    words: NDArray[np.uint64],
    keys: NDArray[np.int64],
    queries: NDArray[np.uint64],
    radius_bits: int,
    start: int,
    stop: int,
) -> NDArray[np.int64]:
    """All allowed codes within the radius: int64 [3,M], (query, position, distance), unordered."""
    found, count = np.empty((3, 1024), np.int64), 0
    room = np.empty(GROUP, np.int64)
    for top in range(start, stop, _CHUNK_GROUPS * GROUP):
        bottom = min(top + _CHUNK_GROUPS * GROUP, stop)
        groups = (bottom - top + GROUP - 1) // GROUP
        leasts = np.empty((min(len(queries), _TILE_QUERIES), groups), np.int32)
        for tile in range(0, len(queries), _TILE_QUERIES):
            asked = queries[tile : tile + _TILE_QUERIES]
            least_of_groups(words, asked, top, bottom, leasts[: len(asked)])
            for i in range(len(asked)):
                for group in range(groups):
                    if leasts[i, group] > radius_bits:
                        continue
                    first = top + group * GROUP
                    last = min(first + GROUP, bottom)
                    measure(words, asked[i], first, last, room)
                    if count + GROUP > found.shape[1]:
                        found = _doubled(found, count)
                    for place in range(last - first):
                        position = first + place
                        if room[place] <= radius_bits and keys[position] != NOT_ALLOWED:
                            found[0, count], found[1, count] = tile + i, position
                            found[2, count] = room[place]
                            count += 1
    return found[:, :count].copy()


@kernel
def _doubled(found: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    wider = np.empty((3, 2 * found.shape[1]), np.int64)
    wider[:, :count] = found[:, :count]
    return wider
