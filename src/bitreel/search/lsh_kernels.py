"""Bit sampling: the loop over tables and flipped keys, without a promise to have seen enough."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitreel.search.bucket_kernels import (
    compare_in_place,
    compare_listed,
    key_of,
    listed,
    look_up,
    signed,
)
from bitreel.search.compiled import kernel

# A slice of the queries of which more than this many, and so many more for each, had to be left to
# the scan is left to it altogether: they are of another kind than the codes.
_FAILURES, _FAILURES_A_QUERY = 2, 0.25


@kernel
def _order_by_doubt(
    sureness: NDArray[np.float32], bits: NDArray[np.int64], order: NDArray[np.int64]
) -> None:
    """The places in `bits` by how sure the query is of each, the least sure first."""
    for j in range(len(bits)):
        sure, place = sureness[bits[j]], j
        while place > 0 and sureness[bits[order[place - 1]]] > sure:
            order[place] = order[place - 1]
            place -= 1
        order[place] = j


@kernel
def _flip_by_doubt(
    ranks: NDArray[np.uint32], order: NDArray[np.int64], flips: NDArray[np.uint32]
) -> None:
    """Masks over the bits of a key from masks over their ranks in the order of doubt."""
    for i in range(len(flips)):
        mask, rank, left = signed(0), 0, signed(ranks[i])
        while left:
            mask |= (left & 1) << signed(order[rank])
            rank, left = rank + 1, left >> 1
        flips[i] = mask


@kernel
def _next_look_ups(done: int, held: int, best: NDArray[np.int32], needed: NDArray[np.int64]) -> int:
    """Up to how many look-ups to go on; `done` for no further.

    Twice as many as so far: with them the k-th best gets nearer, and then fewer are needed.
    """
    enough = signed(needed[best[-1]]) if held == len(best) else signed(needed[-1])
    return done if enough <= done else min(enough, 2 * done)


@kernel
def near_in_buckets(
    queries: NDArray[np.uint64],
    sureness: NDArray[np.float32],
    keys: NDArray[np.int64],
    bits: NDArray[np.int64],
    places: NDArray[np.int64],
    firsts: NDArray[np.int64],
    offsets: NDArray[np.uint32],
    offset_firsts: NDArray[np.int64],
    entries: NDArray[np.uint32],
    codes: NDArray[np.uint64],
    flips: NDArray[np.uint32],
    ranked_flips: NDArray[np.uint32],
    needed: NDArray[np.int64],
    distances: NDArray[np.int32],
    kept: NDArray[np.int64],
    positions: NDArray[np.int64],
    enough: NDArray[np.bool_],
) -> None:
    """The k best of what each query [Q,W] meets, by (distance, key), where `enough` [Q] is true.

    needed: int64 [bits+1], how many look-ups in each table show a code so far away with the wanted
    probability, more than P where no number does. A query goes on until that holds for its k-th
    best; where it never does, its row is not written to the end. sureness: float32 [Q,bits], or
    [0,bits] where it is not known. flips: uint32 [T,P], each table's masks in the order of what
    pays. ranked_flips: uint32 [P], masks over the bits by rank of doubt, tried instead where the
    sureness is known. The rest as for `multi_index_kernels.nearest_in_buckets`.
    """
    tables, most, k = flips.shape[0], flips.shape[1], distances.shape[1]
    size, in_place = len(entries) // tables, queries.shape[1] == 1
    buckets, room = np.empty((2, most), np.int64), np.empty(4096, np.uint32)
    seen = np.zeros(0 if in_place else (size >> 6) + 1, np.uint64)
    order, own_flips = np.empty(64, np.int64), np.empty(most, np.uint32)
    failed = 0
    for q in range(len(queries)):
        enough[q] = False
        if failed > _FAILURES + _FAILURES_A_QUERY * q:
            continue
        query, best, best_keys, best_positions = queries[q], distances[q], kept[q], positions[q]
        held, count, done, more = 0, 0, 0, 1
        while done < more:
            for t in range(tables):
                own = offsets[offset_firsts[t] : offset_firsts[t + 1]]
                mine = entries[t * size : (t + 1) * size]
                tried = own_flips[: more - done]
                tried[:] = flips[t, done:more]
                if len(sureness) > 0:
                    _order_by_doubt(sureness[q], bits[firsts[t] : firsts[t + 1]], order)
                    _flip_by_doubt(ranked_flips[done:more], order, tried)
                key = key_of(query, places[firsts[t] : firsts[t + 1]])
                if in_place:
                    inside = codes[t * size : (t + 1) * size]
                    full, met = look_up(own, key, tried, inside, buckets)
                    met_buckets = buckets[:, :full]
                    held = compare_in_place(
                        met_buckets,
                        query,
                        inside,
                        mine,
                        keys,
                        best,
                        best_keys,
                        best_positions,
                        held,
                    )
                else:
                    full, met = look_up(own, key, tried, mine, buckets)
                    if count + met > len(room):
                        wider = np.empty(2 * (count + met), np.uint32)
                        wider[:count] = room[:count]
                        room = wider
                    before, met_buckets = count, buckets[:, :full]
                    count = listed(met_buckets, mine, codes, len(query), seen, room, count)
                    found = room[before:count]
                    held = compare_listed(
                        found, query, codes, keys, best, best_keys, best_positions, held
                    )
            done = more
            more = min(most, _next_look_ups(done, held, best, needed))
        enough[q] = held == k and needed[best[k - 1]] <= done
        failed += 1 - enough[q]
        for i in range(count):
            seen[room[i] >> np.uint32(6)] = 0
