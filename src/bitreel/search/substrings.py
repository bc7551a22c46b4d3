"""Which bits to look codes up by: groups of bits that say as different things as they can.

The bits of learned codes are correlated: classes share them. Bits in one group that say the same
leave its buckets few and full. Squared correlations within a group are what can be made small in a
moment, and on published codes doing so halves the codes that a search has to compare.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from bitreel.search.code_table import CodeTable

# So many codes show the correlations, and how full the buckets get.
_SAMPLE = 1 << 14


def sampled_positions(table: CodeTable, most: int, seed: int = 0) -> NDArray[np.int64]:
    """Rising positions of at most so many distinct codes, drawn evenly, the same ones each time."""
    codes = len(table)
    drawn = np.random.default_rng(seed).choice(codes, min(codes, most), replace=False)
    return np.sort(drawn).astype(np.int64)


def sampled_words(table: CodeTable, most: int = _SAMPLE, seed: int = 0) -> NDArray[np.uint64]:
    """The words [W,S] of some of the table's codes."""
    return np.ascontiguousarray(table.words[:, sampled_positions(table, most, seed)])


def bits_of(words: NDArray[np.uint64], bits: int) -> NDArray[np.bool_]:
    """The bits [S,bits] of codes given as words [W,S], as `BinaryCodes.unpack` gives them."""
    packed = np.ascontiguousarray(words.T).view(np.uint8).reshape(words.shape[1], -1)
    return np.unpackbits(packed, axis=1, count=bits).astype(bool)


def places_of(bits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where bits of a code stand in its words: 64 · word + shift."""
    byte = bits // 8
    in_word = byte % 8 if sys.byteorder == "little" else 7 - byte % 8
    return np.asarray(byte // 8 * 64 + in_word * 8 + 7 - bits % 8, np.int64)


def squared_correlations(words: NDArray[np.uint64], bits: int) -> NDArray[np.float32]:
    """Of each two bits [bits,bits] over a sample of codes [W,S]. 0 between a bit and itself.

    Bits that never change say nothing: they count as fully correlated with each other.
    """
    centred = bits_of(words, bits).astype(np.float32)
    centred -= centred.mean(axis=0)
    spread = np.sqrt(np.square(centred).mean(axis=0))
    constant = spread < 1e-6
    scaled = centred / np.where(constant, np.float32(1), spread)
    squared = np.square(scaled.T @ scaled / np.float32(len(scaled)))
    squared[np.ix_(constant, constant)] = 1
    np.fill_diagonal(squared, 0)
    return np.asarray(squared, np.float32)


def decorrelated_groups(
    squared: NDArray[np.float32], groups: int, start: NDArray[np.int64] | None = None
) -> list[NDArray[np.int64]]:
    """Put each bit in one of so many groups, equally large or but one bit apart.

    Goes over the bits again and again, and swaps each with the bit of another group that lowers the
    sum of the squared correlations [bits,bits] within groups the most, until none does. start: an
    order of the bits to begin from, as they stand when not given; other starts end in other groups.
    """
    bits = len(squared)
    group = np.empty(bits, np.int64)
    group[np.arange(bits) if start is None else start] = np.arange(bits) * groups // bits
    rows = np.arange(bits)
    to_group = np.stack([squared[:, group == g].sum(axis=1) for g in range(groups)], axis=1)
    since_swap, one = 0, 0
    while since_swap < bits:
        mine = group[one]
        # What leaves a group gives up its correlations there and takes those of the other's.
        change = to_group[one, group] - to_group[one, mine] - 2 * squared[one]
        change += to_group[:, mine] - to_group[rows, group]
        change[group == mine] = 0
        other = int(np.argmin(change))
        since_swap += 1
        if change[other] < -1e-5:
            moved = squared[:, other] - squared[:, one]
            to_group[:, mine] += moved
            to_group[:, group[other]] -= moved
            group[one], group[other] = group[other], mine
            since_swap = 0
        one = (one + 1) % bits
    return [np.flatnonzero(group == g).astype(np.int64) for g in range(groups)]
