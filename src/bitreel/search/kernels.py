"""The loops that read every word of the codes: XOR, popcount, and the least of each group.

A group's distances are never written down: the loop does nothing but keep the least of them, which
the compiler makes eight codes an instruction. `scan_kernels` then looks at the few groups whose
least is near enough. Widths of 64, 128, 256 and 512 bits have a loop of their own, since a loop
over the words inside would double the time.

Arrays: words uint64 [W,at least U] as a CodeTable has them, queries uint64 [Q,W].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitreel.search.compiled import kernel
from bitreel.search.compiled import vector_popcount as popcount

# Codes of which one least is kept: enough to hide what a group costs, few enough to look at.
GROUP = 256

# Words of the codes that all queries meet before the next are read: half of a small L1 cache.
_BLOCK_WORDS = 2048

# Above every distance.
FAR = int(np.iinfo(np.int32).max)


@kernel
def _leasts_1(
    words: NDArray[np.uint64],
    queries: NDArray[np.uint64],
    top: int,
    bottom: int,
    leasts: NDArray[np.int32],
) -> None:
    for number in range(len(queries)):
        p = queries[number, 0]
        for group in range(leasts.shape[1]):
            start = top + group * GROUP
            a = words[0, start : min(start + GROUP, bottom)]
            least = FAR
            for i in range(len(a)):
                least = min(least, popcount(a[i] ^ p))
            leasts[number, group] = least


@kernel
def _leasts_2(
    words: NDArray[np.uint64],
    queries: NDArray[np.uint64],
    top: int,
    bottom: int,
    leasts: NDArray[np.int32],
) -> None:
    for number in range(len(queries)):
        p, q = queries[number, 0], queries[number, 1]
        for group in range(leasts.shape[1]):
            start = top + group * GROUP
            stop = min(start + GROUP, bottom)
            a, b = words[0, start:stop], words[1, start:stop]
            least = FAR
            for i in range(len(a)):
                least = min(least, popcount(a[i] ^ p) + popcount(b[i] ^ q))
            leasts[number, group] = least


@kernel
def _leasts_4(
    words: NDArray[np.uint64],
    queries: NDArray[np.uint64],
    top: int,
    bottom: int,
    leasts: NDArray[np.int32],
) -> None:
    for number in range(len(queries)):
        p, q = queries[number, 0], queries[number, 1]
        r, s = queries[number, 2], queries[number, 3]
        for group in range(leasts.shape[1]):
            start = top + group * GROUP
            stop = min(start + GROUP, bottom)
            a, b = words[0, start:stop], words[1, start:stop]
            c, d = words[2, start:stop], words[3, start:stop]
            least = FAR
            for i in range(len(a)):
                near = popcount(a[i] ^ p) + popcount(b[i] ^ q)
                least = min(least, near + popcount(c[i] ^ r) + popcount(d[i] ^ s))
            leasts[number, group] = least


@kernel
def _leasts_8(
    words: NDArray[np.uint64],
    queries: NDArray[np.uint64],
    top: int,
    bottom: int,
    leasts: NDArray[np.int32],
) -> None:
    for number in range(len(queries)):
        p, q = queries[number, 0], queries[number, 1]
        r, s = queries[number, 2], queries[number, 3]
        t, u = queries[number, 4], queries[number, 5]
        v, w = queries[number, 6], queries[number, 7]
        for group in range(leasts.shape[1]):
            start = top + group * GROUP
            stop = min(start + GROUP, bottom)
            a, b = words[0, start:stop], words[1, start:stop]
            c, d = words[2, start:stop], words[3, start:stop]
            e, f = words[4, start:stop], words[5, start:stop]
            g, h = words[6, start:stop], words[7, start:stop]
            least = FAR
            for i in range(len(a)):
                near = popcount(a[i] ^ p) + popcount(b[i] ^ q)
                near += popcount(c[i] ^ r) + popcount(d[i] ^ s)
                near += popcount(e[i] ^ t) + popcount(f[i] ^ u)
                least = min(least, near + popcount(g[i] ^ v) + popcount(h[i] ^ w))
            leasts[number, group] = least


@kernel
def _leasts_any(
    words: NDArray[np.uint64],
    queries: NDArray[np.uint64],
    top: int,
    bottom: int,
    leasts: NDArray[np.int32],
) -> None:
    room = np.empty(GROUP, np.int64)
    for number in range(len(queries)):
        for group in range(leasts.shape[1]):
            start = top + group * GROUP
            stop = min(start + GROUP, bottom)
            measure(words, queries[number], start, stop, room)
            least = FAR
            for i in range(stop - start):
                least = min(least, room[i])
            leasts[number, group] = least


@kernel
def measure(
    words: NDArray[np.uint64],
    query: NDArray[np.uint64],
    start: int,
    stop: int,
    distances: NDArray[np.int64],
) -> None:
    """Distances in bits of codes `start` to `stop` to one query [W], any W, into `distances`."""
    found = distances[: stop - start]
    word, asked = words[0, start:stop], query[0]
    for i in range(len(found)):
        found[i] = popcount(word[i] ^ asked)
    for number in range(1, len(query)):
        word, asked = words[number, start:stop], query[number]
        for i in range(len(found)):
            found[i] += popcount(word[i] ^ asked)


@kernel
def least_of_groups(
    words: NDArray[np.uint64],
    queries: NDArray[np.uint64],
    start: int,
    stop: int,
    leasts: NDArray[np.int32],
) -> None:
    """The least distance of each group from code `start` to `stop` to each query, int32 [Q,G].

    Block by block, so that all queries find a block in the cache.
    """
    width = queries.shape[1]
    groups = max(1, _BLOCK_WORDS // (width * GROUP))
    for first in range(0, leasts.shape[1], groups):
        top = start + first * GROUP
        bottom = min(top + groups * GROUP, stop)
        out = leasts[:, first : first + groups]
        if width == 1:
            _leasts_1(words, queries, top, bottom, out)
        elif width == 2:
            _leasts_2(words, queries, top, bottom, out)
        elif width == 4:
            _leasts_4(words, queries, top, bottom, out)
        elif width == 8:
            _leasts_8(words, queries, top, bottom, out)
        else:
            _leasts_any(words, queries, top, bottom, out)
