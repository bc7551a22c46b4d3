"""Loops over buckets: fill them, look them up, compare the codes in them with a query.

A table of buckets sorts the codes by some of their bits, its key. offsets uint32 [2**b + 1]: the
codes with key v are entries[offsets[v]:offsets[v+1]], uint32. The look-ups of one query wait for
memory, not for arithmetic. So they come in two passes, the first of which only notes which buckets
hold anything and asks for their memory ahead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np import arrayobj
from numpy.typing import NDArray

from bitreel.search.code_table import NOT_ALLOWED
from bitreel.search.compiled import kernel, popcount

_make_array: Any = arrayobj.make_array
_get_or_insert_function: Any = cgutils.get_or_insert_function

signed = cast(Callable[[Any], int], np.int64)
"""Of an unsigned number: numba makes a float of what mixes signed and unsigned integers."""


def _prefetch(typing_context: Any, array: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = _make_array(signature.args[0])(context, builder, arguments[0])
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        entry = builder.bitcast(builder.gep(made.data, [arguments[1]]), byte)
        called = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = _get_or_insert_function(builder.module, called, "llvm.prefetch.p0")
        # To be read, to stay in every cache, as data.
        builder.call(function, [entry, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


prefetch = cast(Callable[[NDArray[Any], int], None], intrinsic(_prefetch))
"""Ask for the cache line of an array's entry without waiting for it."""


@kernel
def keys_of(words: NDArray[np.uint64], places: NDArray[np.int64], keys: NDArray[np.uint32]) -> None:
    """The key of every code [W,U]: bit j of it is the code's bit at places[j]."""
    keys[:] = 0
    for j in range(len(places)):
        word, shift = words[places[j] >> 6], np.uint64(places[j] & 63)
        for i in range(len(keys)):
            keys[i] |= np.uint32(((word[i] >> shift) & np.uint64(1)) << np.uint64(j))


@kernel
def key_of(query: NDArray[np.uint64], places: NDArray[np.int64]) -> int:
    """The key of one query [W]."""
    key = 0
    for j in range(len(places)):
        bit = (query[places[j] >> 6] >> np.uint64(places[j] & 63)) & np.uint64(1)
        key |= signed(bit) << j
    return key


@kernel
def fill(
    keys: NDArray[np.uint32],
    word: NDArray[np.uint64],
    offsets: NDArray[np.uint32],
    entries: NDArray[np.uint32],
    codes: NDArray[np.uint64],
) -> None:
    """Sort codes by key into zeroed offsets [2**b + 1] and entries [U], positions rising.

    codes: [U] gets the first words [U] in the order of the entries; of length 0 where not wanted.
    """
    for key in keys:
        offsets[key] += np.uint32(1)
    total = np.uint32(0)
    for v in range(len(offsets)):
        total += offsets[v]
        offsets[v] = total
    for i in range(len(keys) - 1, -1, -1):  # each bucket from its end: offsets end as its start
        place = offsets[keys[i]] - np.uint32(1)
        offsets[keys[i]] = place
        entries[place] = i
        if len(codes) > 0:
            codes[place] = word[i]


@kernel
def look_up(
    offsets: NDArray[np.uint32],
    key: int,
    masks: NDArray[np.uint32],
    memory: NDArray[Any],
    buckets: NDArray[np.int64],
) -> tuple[int, int]:
    """Note the buckets at key XOR mask that hold anything in buckets [2,*], from and to.

    memory: what the caller will read first at these places. Gives the number of buckets and of the
    codes in them.
    """
    count, codes = 0, 0
    for mask in masks:
        v = key ^ signed(mask)
        start, stop = signed(offsets[v]), signed(offsets[v + 1])
        if start < stop:
            prefetch(memory, start)
            buckets[0, count], buckets[1, count] = start, stop
            count += 1
            codes += stop - start
    return count, codes


@kernel
def keep(
    distances: NDArray[np.int32],
    kept: NDArray[np.int64],
    positions: NDArray[np.int64],
    held: int,
    distance: int,
    key: int,
    position: int,
) -> int:
    """Put a pair in its place among the `held` best, in order, unless it is there. New `held`.

    A code is met in several tables. What is held is met again at its own place, and what was
    pushed out can not come back: no record of the codes seen is needed.
    """
    place = held
    while place > 0 and (
        distances[place - 1] > distance
        or (distances[place - 1] == distance and kept[place - 1] > key)
    ):
        place -= 1
    if place > 0 and distances[place - 1] == distance and kept[place - 1] == key:
        return held
    if held < len(distances):
        held += 1
    for i in range(held - 1, place, -1):
        distances[i], kept[i], positions[i] = distances[i - 1], kept[i - 1], positions[i - 1]
    if place < held:
        distances[place], kept[place], positions[place] = distance, key, position
    return held


@kernel
def compare_in_place(
    buckets: NDArray[np.int64],
    query: NDArray[np.uint64],
    codes: NDArray[np.uint64],
    entries: NDArray[np.uint32],
    keys: NDArray[np.int64],
    distances: NDArray[np.int32],
    kept: NDArray[np.int64],
    positions: NDArray[np.int64],
    held: int,
) -> int:
    """Offer the codes of buckets [2,B]: one word each, in the order of the entries. New `held`.

    keys: int64 [U], or [0] where all codes are allowed: their positions are in the order of their
    keys, and each key left unread is memory not waited for.
    """
    asked, last = query[0], len(distances) - 1
    limit = signed(distances[last]) if held > last else 1 << 30
    for b in range(buckets.shape[1]):
        for i in range(buckets[0, b], buckets[1, b]):
            distance = popcount(codes[i] ^ asked)
            if distance <= limit:
                position = signed(entries[i])
                key = keys[position] if len(keys) > 0 else position
                if key != NOT_ALLOWED:
                    held = keep(distances, kept, positions, held, distance, key, position)
                    if held > last:
                        limit = signed(distances[last])
    return held


@kernel
def listed(
    buckets: NDArray[np.int64],
    entries: NDArray[np.uint32],
    rows: NDArray[np.uint64],
    width: int,
    seen: NDArray[np.uint64],
    room: NDArray[np.uint32],
    count: int,
) -> int:
    """Append the positions in buckets [2,B] that were not seen to `room`, and ask for their codes.

    seen: a bit a code, set here. Where a code has to be fetched, knowing that it was compared
    before saves more than that takes, as long as no branch hangs on it. Gives the new count.
    """
    for b in range(buckets.shape[1]):
        for i in range(buckets[0, b], buckets[1, b]):
            position = signed(entries[i])
            word, bit = seen[position >> 6], np.uint64(position & 63)
            room[count] = entries[i]
            prefetch(rows, position * width)
            count += 1 - signed((word >> bit) & np.uint64(1))
            seen[position >> 6] = word | (np.uint64(1) << bit)
    return count


@kernel
def distance_of(rows: NDArray[np.uint64], position: int, query: NDArray[np.uint64]) -> int:
    """Bits between a code in rows [U*W], code by code, and a query [W]."""
    width, distance = len(query), 0
    for w in range(width):
        distance += popcount(rows[position * width + w] ^ query[w])
    return distance


@kernel
def compare_listed(
    found: NDArray[np.uint32],
    query: NDArray[np.uint64],
    rows: NDArray[np.uint64],
    keys: NDArray[np.int64],
    distances: NDArray[np.int32],
    kept: NDArray[np.int64],
    positions: NDArray[np.int64],
    held: int,
) -> int:
    """Offer the codes of any width at the positions found, else as `compare_in_place`."""
    last = len(distances) - 1
    limit = signed(distances[last]) if held > last else 1 << 30
    for i in range(len(found)):
        position = signed(found[i])
        distance = distance_of(rows, position, query)
        if distance <= limit:
            key = keys[position] if len(keys) > 0 else position
            if key != NOT_ALLOWED:
                held = keep(distances, kept, positions, held, distance, key, position)
                if held > last:
                    limit = signed(distances[last])
    return held
