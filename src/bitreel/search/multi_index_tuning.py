"""What multi-index hashing learns from the codes: which substrings, what they cost, if they pay.

For queries it has codes of the database, drawn evenly and each left out of its own answer. Only
speed depends on what is measured here, no answer does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import comb
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bitreel.search.bucket_kernels import keys_of
from bitreel.search.code_table import CodeTable
from bitreel.search.scan import Scan
from bitreel.search.substrings import (
    decorrelated_groups,
    places_of,
    sampled_positions,
    sampled_words,
    squared_correlations,
)

Result = TypeVar("Result")

# A table is looked up to keys of at most this many flipped bits: some ten thousand look-ups.
LEVELS = 5

# Verdicts are made for these numbers of neighbours.
STEPS_OF_K = (1, 10, 100)

# First guesses of the costs, for codes that stand in their buckets and for codes to be fetched.
_IN_PLACE, _FETCHED = (6.0, 50.0, 2.0), (6.0, 30.0, 20.0)

# A table has 2 to the power of this many buckets at the most.
BITS_OF_A_KEY = 24

_QUERIES, _TIMING_QUERIES, _CODES = 48, 256, 8192


@dataclass(frozen=True)
class Costs:
    """In nanoseconds: a look-up, a bucket that holds codes, each code in it, a scan of all."""

    look_up: float
    bucket: float
    code: float
    scan: float

    def scaled(self, factor: float) -> Costs:
        """With other costs of the tables beside the same scan."""
        return Costs(factor * self.look_up, factor * self.bucket, factor * self.code, self.scan)

    def array(self) -> NDArray[np.float64]:
        """The four numbers."""
        return np.array([self.look_up, self.bucket, self.code, self.scan])


def guessed_costs(width: int, scan: float) -> Costs:
    """What look-ups cost in codes of `width` words, before anything was measured."""
    return Costs(*(_IN_PLACE if width == 1 else _FETCHED), scan=scan)


@dataclass(frozen=True, eq=False)
class Probe:
    """Some of the table's codes as queries [W,Q], how far their k-th other codes are, and costs.

    distances: int32 [Q,K], of the nearest other codes.
    """

    table: CodeTable
    words: NDArray[np.uint64]
    distances: NDArray[np.int32]
    costs: Costs

    @classmethod
    def of(cls, table: CodeTable) -> Probe:
        """By a timed scan. The table has two codes or more."""
        words = np.ascontiguousarray(table.words[:, sampled_positions(table, _QUERIES, seed=1)])
        scan, keys, most = Scan(table), table.view.keys, STEPS_OF_K[-1] + 1
        distances = scan.nearest(words, most, keys, None, 1)[1]
        seconds = min(timed(lambda: scan.nearest(words, 10, keys, None, 1))[1] for _ in range(3))
        costs = guessed_costs(len(words), seconds * 1e9 / words.shape[1])
        return cls(table, words, distances[:, 1:], costs)

    def radius(self, k: int) -> NDArray[np.int32]:
        """How far the k-th nearest other code of each query is, [Q]."""
        return self.distances[:, min(k, self.distances.shape[1]) - 1]

    @cached_property
    def sample(self) -> NDArray[np.uint64]:
        """Codes to count in, [W,S]."""
        return sampled_words(self.table, _CODES, seed=2)

    def met(self, group: NDArray[np.int64]) -> NDArray[np.float64]:
        """About how many codes each query meets at each level of a table by these bits.

        float64 [Q,LEVELS].
        """
        places, keys = places_of(group), []
        for words in (self.words, self.sample):
            keys.append(np.empty(words.shape[1], np.uint32))
            keys_of(words, places, keys[-1])
        differing = np.bitwise_count(keys[0][:, None] ^ keys[1])
        counts = [np.count_nonzero(differing == level, axis=1) for level in range(LEVELS)]
        return np.stack(counts, axis=1) * (len(self.table) / len(keys[1]))


def look_ups(widths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The keys that differ in l of a table's bits from a given one, [T,LEVELS]."""
    return np.array([[comb(int(width), level) for level in range(LEVELS)] for width in widths])


def masks(width: int) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """All masks of `width` bits with fewer than LEVELS set, and where each level begins.

    Within a level they rise, so that those of fewer bits come first.
    """
    ones = np.uint32(1) << np.arange(width, dtype=np.uint32)
    levels = [np.zeros(1, np.uint32)]
    for level in range(1, LEVELS):
        more = levels[-1][:, None] | ones
        levels.append(np.unique(more[np.bitwise_count(more) == level]))
    return np.concatenate(levels), np.cumsum([0, *map(len, levels)]).astype(np.int64)


def choose_groups(probe: Probe, tables: int | None = None) -> list[NDArray[np.int64]]:
    """The groups of bits that make the probe's queries cheapest, by a count in a sample.

    tables: how many; what is cheapest when not given, and none where a scan is cheaper still.
    """
    squared = squared_correlations(sampled_words(probe.table), probe.table.bits)
    if tables is not None:
        return decorrelated_groups(squared, tables)
    best, least = list[NDArray[np.int64]](), probe.costs.scan
    for count in _counts(len(probe.table), probe.table.bits):
        groups = decorrelated_groups(squared, count)
        met = np.stack([probe.met(group) for group in groups], axis=1)
        widths = np.array([len(group) for group in groups])
        costs = [_expected(probe, met, widths, k) for k in STEPS_OF_K[:2]]
        if sum(costs) / 2 < least:
            best, least = groups, sum(costs) / 2
    return best


def growth(probe: Probe, groups: list[NDArray[np.int64]]) -> NDArray[np.float64]:
    """How many times as many codes are met at the next level as at each, [T,LEVELS]."""
    met = np.stack([probe.met(group).mean(axis=0) for group in groups]) + 0.5
    widths = np.array([[len(group)] for group in groups])
    levels = np.arange(LEVELS)
    evenly = (widths - levels) / (levels + 1)
    grown = np.maximum(met[:, 1:] / met[:, :-1], 0.05)
    return np.concatenate([grown, evenly[:, -1:]], axis=1)


def timing_queries(table: CodeTable, number: int) -> NDArray[np.uint64]:
    """Some of the table's codes as queries [Q,W], others for another number.

    Queries answered twice find their codes in the processor's cache, as no user's will.
    """
    words = table.words[:, sampled_positions(table, _TIMING_QUERIES, seed=3 + number)]
    return np.ascontiguousarray(words.T)


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """What this thread's work gives, and its seconds of processor time."""
    start = time.thread_time()
    result = work()
    return result, time.thread_time() - start


def _counts(codes: int, bits: int) -> list[int]:
    """Numbers of tables worth a try: buckets that hold from a half to some sixty codes evenly."""
    even = max(1, int(np.log2(codes)))
    widths = range(min(even + 2, BITS_OF_A_KEY, bits), max(1, even - 6) - 1, -1)
    counts = sorted({-(-bits // width) for width in widths})
    return counts[:: max(1, -(-len(counts) // 8))]


def _expected(probe: Probe, met: NDArray[np.float64], widths: NDArray[np.int64], k: int) -> float:
    """What a query costs in tables that show `met` [Q,T,LEVELS] codes, a scan at the most."""
    asked, costs = look_ups(widths), probe.costs
    price = costs.look_up * asked + costs.bucket * np.minimum(asked, met) + costs.code * met
    up_to = np.concatenate([np.zeros((*met.shape[:2], 1)), np.cumsum(price, axis=2)], axis=2)
    tables = len(widths)
    # Steps radius + 1, dealt out to the tables in turn: the first ones get one level more.
    levels = (probe.radius(k)[:, None] + tables - np.arange(tables)) // tables
    most = up_to.shape[2] - 1
    spent = np.take_along_axis(up_to, np.minimum(levels, most)[:, :, None], axis=2).sum(axis=(1, 2))
    failed = np.any(levels > most, axis=1) | (spent > costs.scan)
    return float(np.where(failed, 1.25 * costs.scan, spent).mean())
