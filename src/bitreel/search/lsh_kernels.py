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

# Bits that a query is less sure of than this are in doubt: relaxed bits of .25 to .75.
_UNSURE = 0.25

# So many keys are looked up in each table for the query's own doubts.
DOUBTS = 3


@kernel
def _doubted(
    sureness: NDArray[np.float32], bits: NDArray[np.int64], order: NDArray[np.int64]
) -> int:
    """The places in `bits` that the query is unsure of, the least sure first, and how many."""
    count = 0
    for j in range(len(bits)):
        sure, place = sureness[bits[j]], count
        if sure >= _UNSURE:
            continue
        while place > 0 and sureness[bits[order[place - 1]]] > sure:
            order[place] = order[place - 1]
            place -= 1
        order[place] = j
        count += 1
    return count


@kernel
def _flip_doubted(
    ranks: NDArray[np.uint32],
    sureness: NDArray[np.float32],
    bits: NDArray[np.int64],
    order: NDArray[np.int64],
    flips: NDArray[np.uint32],
) -> int:
    """Masks over the bits of a key from masks over ranks of doubt, those in doubt alone. How many.

    A query that doubts nothing, as one of saturated relaxed bits, has none.
    """
    doubted, count = _doubted(sureness, bits, order), 0
    for i in range(len(ranks)):
        mask, rank, left = signed(0), 0, signed(ranks[i])
        if left >> doubted:
            continue
        while left:
            mask |= (left & 1) << signed(order[rank])
            rank, left = rank + 1, left >> 1
        flips[count] = mask
        count += 1
    return count


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
    doubts: NDArray[np.uint32],
    needed: NDArray[np.int64],
    distances: NDArray[np.int32],
    kept: NDArray[np.int64],
    positions: NDArray[np.int64],
    enough: NDArray[np.bool_],
) -> None:
    """The k best of what each query [Q,W] meets, by (distance, key), where `enough` [Q] is true.

    needed: int64 [bits+1], how many look-ups in each table show a code so far away with the wanted
    probability, more than P where no number does. A query goes on until that holds for its k-th
    best; where it never does, its row is not written to the end. flips: uint32 [T,P], each table's
    masks in the order of what pays. sureness: float32 [Q,bits], or [0,bits] where it is not known.
    doubts: uint32 [D], masks over the bits by rank of doubt, tried before all others where the
    sureness is known. They come on top: what the look-ups in `flips` promise holds however little
    the relaxed bits say, and where they say much the k-th best is near sooner and fewer follow.
    No answer depends on the other queries. The rest as for
    `multi_index_kernels.nearest_in_buckets`.
    """
    tables, most, k = flips.shape[0], flips.shape[1], distances.shape[1]
    size, in_place = len(entries) // tables, queries.shape[1] == 1
    buckets, room = np.empty((2, most + len(doubts)), np.int64), np.empty(4096, np.uint32)
    seen = np.zeros(0 if in_place else (size >> 6) + 1, np.uint64)
    order, own_flips = np.empty(64, np.int64), np.empty(most + len(doubts), np.uint32)
    for q in range(len(queries)):
        query, best, best_keys, best_positions = queries[q], distances[q], kept[q], positions[q]
        held, count, done, more = 0, 0, 0, 1
        while done < more:
            for t in range(tables):
                own = offsets[offset_firsts[t] : offset_firsts[t + 1]]
                mine = entries[t * size : (t + 1) * size]
                tried = flips[t, done:more]
                if done == 0 and len(sureness) > 0:
                    own_bits = bits[firsts[t] : firsts[t + 1]]
                    extra = _flip_doubted(doubts, sureness[q], own_bits, order, own_flips[1:])
                    own_flips[0], tried = tried[0], own_flips[: 1 + extra]
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
        for i in range(count):
            seen[room[i] >> np.uint32(6)] = 0
