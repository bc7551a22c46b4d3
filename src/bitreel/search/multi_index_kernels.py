"""Multi-index hashing: the loop that widens the look-up until the k-th nearest is certain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitreel.search.bucket_kernels import (
    compare_in_place,
    compare_listed,
    distance_of,
    key_of,
    listed,
    look_up,
    signed,
)
from bitreel.search.code_table import NOT_ALLOWED
from bitreel.search.compiled import kernel, popcount

# Up to this share of a scan is spent in the hope that the end is near. More, up to a whole scan,
# where the queries before saved as much.
_IN_HOPE = 0.08

# And up to this share where the end is in sight: the k-th best so far bounds the steps to come.
_IN_SIGHT = 1.1

# A slice of the queries has this share of its scans to lose, and lives on what it saves. Once it
# has lost so many scans more, its other queries are not tried.
_TO_LOSE, _LOST = 0.05, 0.5

# Covered where every code was seen.
_ALL = 1 << 30


@kernel
def _price(look_ups: int, buckets: float, codes: float, costs: NDArray[np.float64]) -> float:
    price: float = costs[0] * look_ups + costs[1] * buckets + costs[2] * codes
    return price


@kernel
def _start(
    query: NDArray[np.uint64],
    places: NDArray[np.int64],
    firsts: NDArray[np.int64],
    offsets: NDArray[np.uint32],
    offset_firsts: NDArray[np.int64],
    costs: NDArray[np.float64],
    substrings: NDArray[np.int64],
    levels: NDArray[np.int64],
    ahead: NDArray[np.float64],
) -> None:
    """The query's key in each table, and what its own bucket will cost."""
    for t in range(len(substrings)):
        key = key_of(query, places[firsts[t] : firsts[t + 1]])
        at = offset_firsts[t] + key
        substrings[t], levels[t] = key, 0
        ahead[t] = _price(1, 1, signed(offsets[at + 1]) - signed(offsets[at]), costs)


@kernel
def _affordable(
    spent: float, ahead: NDArray[np.float64], nearest: int, steps: int, scan: float, saved: float
) -> bool:
    """Whether the next step is worth its price. steps: enough to finish, as far as is known."""
    if spent + ahead[nearest] <= max(_IN_HOPE * scan, min(scan, saved)):
        return True
    if steps > len(ahead):
        return False
    enough: bool = spent + steps * ahead.max() <= _IN_SIGHT * scan
    return enough


@kernel
def _next(
    table: int,
    met: int,
    covered: int,
    look_ups: NDArray[np.int64],
    growth: NDArray[np.float64],
    costs: NDArray[np.float64],
    levels: NDArray[np.int64],
    ahead: NDArray[np.float64],
) -> int:
    """A table was looked up one level deeper and showed so many codes: what is covered now."""
    level = levels[table] + 1
    levels[table] = level
    if level == look_ups.shape[1]:
        ahead[table] = np.inf
        return covered + 1
    count = look_ups[table, level]
    if count == 0:  # the level would need more bits than the table has: it has shown every code
        return _ALL
    codes = growth[table, level - 1] * (met + 1.0)
    ahead[table] = _price(count, min(count, codes), codes, costs)
    return covered + 1


@kernel
def nearest_in_buckets(
    queries: NDArray[np.uint64],
    keys: NDArray[np.int64],
    places: NDArray[np.int64],
    firsts: NDArray[np.int64],
    offsets: NDArray[np.uint32],
    offset_firsts: NDArray[np.int64],
    entries: NDArray[np.uint32],
    codes: NDArray[np.uint64],
    masks: NDArray[np.uint32],
    mask_firsts: NDArray[np.int64],
    look_ups: NDArray[np.int64],
    growth: NDArray[np.float64],
    costs: NDArray[np.float64],
    distances: NDArray[np.int32],
    kept: NDArray[np.int64],
    positions: NDArray[np.int64],
    certain: NDArray[np.bool_],
) -> float:
    """The k nearest of each query [Q,W] by (distance, key), where `certain` [Q] ends as true.

    Table t looked up to level l, all keys at most l bits from the query's, has shown every code
    whose bits there differ in at most l. With levels l_t looked up, a code not yet seen differs in
    l_t + 1 bits or more of each table's, so in the sum of them at least. (Multi-index hashing looks
    at the first a+1 tables one level deeper than at the others; any choice of the tables covers as
    much, and here the cheapest comes next, as Qin et al., ICDE 2018, have thresholds differ.)
    Once the k-th best is nearer than that, nothing unseen can change the answer, ties included.

    keys: int64 [U], or [0] where all codes are allowed. masks: uint32, those with l bits from
    mask_firsts[l] on, of which a table of few bits uses the first look_ups[t,l]. growth: float64
    [T,levels], how many times the codes of a level the next one has. costs: float64 [4], as
    `Costs`. distances, kept, positions: [Q,k], written, k >= 1. Gives what was spent.
    """
    tables, size, k = len(firsts) - 1, len(entries) // (len(firsts) - 1), distances.shape[1]
    in_place = queries.shape[1] == 1
    substrings, levels = np.empty(tables, np.int64), np.empty(tables, np.int64)
    ahead = np.empty(tables, np.float64)
    buckets, room = np.empty((2, look_ups.max()), np.int64), np.empty(4096, np.uint32)
    seen = np.zeros(0 if in_place else (size >> 6) + 1, np.uint64)
    total, saved = 0.0, _TO_LOSE * len(queries) * costs[3]
    for q in range(len(queries)):
        certain[q] = False
        if saved < -_LOST * costs[3]:
            continue
        query, best, best_keys, best_positions = queries[q], distances[q], kept[q], positions[q]
        _start(query, places, firsts, offsets, offset_firsts, costs, substrings, levels, ahead)
        held, spent, covered, count = 0, 0.0, -1, 0
        while held < k or best[k - 1] > covered:
            t = signed(np.argmin(ahead))
            level = levels[t]
            steps = signed(best[k - 1]) - covered if held == k else tables + 1
            if covered == _ALL or level == look_ups.shape[1]:
                break
            if not _affordable(spent, ahead, t, steps, costs[3], saved):
                break
            own = offsets[offset_firsts[t] : offset_firsts[t + 1]]
            tried = masks[mask_firsts[level] : mask_firsts[level] + look_ups[t, level]]
            mine = entries[t * size : (t + 1) * size]
            if in_place:
                inside = codes[t * size : (t + 1) * size]
                full, met = look_up(own, substrings[t], tried, inside, buckets)
                met_buckets = buckets[:, :full]
                held = compare_in_place(
                    met_buckets, query, inside, mine, keys, best, best_keys, best_positions, held
                )
            else:
                full, met = look_up(own, substrings[t], tried, mine, buckets)
                if count + met > len(room):
                    wider = np.empty(2 * (count + met), np.uint32)
                    wider[:count] = room[:count]
                    room = wider
                before = count
                count = listed(buckets[:, :full], mine, codes, len(query), seen, room, count)
                held = compare_listed(
                    room[before:count], query, codes, keys, best, best_keys, best_positions, held
                )
            spent += _price(len(tried), full, met, costs)
            covered = _next(t, met, covered, look_ups, growth, costs, levels, ahead)
        for i in range(count):
            seen[room[i] >> np.uint32(6)] = 0
        certain[q] = held == k and best[k - 1] <= covered
        saved += (costs[3] if certain[q] else 0.0) - spent
        total += spent
    return total


@kernel
def within_in_buckets(
    queries: NDArray[np.uint64],
    radius_bits: int,
    keys: NDArray[np.int64],
    places: NDArray[np.int64],
    firsts: NDArray[np.int64],
    offsets: NDArray[np.uint32],
    offset_firsts: NDArray[np.int64],
    entries: NDArray[np.uint32],
    codes: NDArray[np.uint64],
    masks: NDArray[np.uint32],
    mask_firsts: NDArray[np.int64],
    look_ups: NDArray[np.int64],
    growth: NDArray[np.float64],
    costs: NDArray[np.float64],
    certain: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """All allowed codes within the radius of each query [Q,W] where `certain` [Q] ends as true.

    int64 [3,M], (query, position, distance), unordered; a code once for each table that shows it.
    The rest as for `nearest_in_buckets`.
    """
    tables, size = len(firsts) - 1, len(entries) // (len(firsts) - 1)
    in_place = queries.shape[1] == 1
    substrings, levels = np.empty(tables, np.int64), np.empty(tables, np.int64)
    ahead = np.empty(tables, np.float64)
    buckets = np.empty((2, look_ups.max()), np.int64)
    found, count = np.empty((3, 1024), np.int64), 0
    for q in range(len(queries)):
        query, before = queries[q], count
        _start(query, places, firsts, offsets, offset_firsts, costs, substrings, levels, ahead)
        spent, covered = 0.0, -1
        while covered < radius_bits:
            t = signed(np.argmin(ahead))
            level = levels[t]
            if level == look_ups.shape[1]:
                break
            if not _affordable(spent, ahead, t, radius_bits - covered, costs[3], 0.0):
                break
            own = offsets[offset_firsts[t] : offset_firsts[t + 1]]
            tried = masks[mask_firsts[level] : mask_firsts[level] + look_ups[t, level]]
            mine = entries[t * size : (t + 1) * size]
            full, met = look_up(own, substrings[t], tried, mine, buckets)
            if count + met > found.shape[1]:
                wider = np.empty((3, 2 * (count + met)), np.int64)
                wider[:, :count] = found[:, :count]
                found = wider
            for b in range(full):
                for i in range(buckets[0, b], buckets[1, b]):
                    position = signed(mine[i])
                    if in_place:
                        distance = popcount(codes[t * size + i] ^ query[0])
                    else:
                        distance = distance_of(codes, position, query)
                    if distance > radius_bits:
                        continue
                    if len(keys) == 0 or keys[position] != NOT_ALLOWED:
                        found[0, count], found[1, count], found[2, count] = q, position, distance
                        count += 1
            spent += _price(len(tried), full, met, costs)
            covered = _next(t, met, covered, look_ups, growth, costs, levels, ahead)
        certain[q] = covered >= radius_bits
        if not certain[q]:
            count = before
    return found[:, :count].copy()
