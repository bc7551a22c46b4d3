"""How many bits, tables and look-ups a wanted recall takes, learned from the codes.

Codes of the database stand for queries, each left out of its own answer together with its copies.
How surely a neighbour is met depends on how far it is and in which bits, so that is what is learned
from pairs of near codes, distance by distance: it holds for queries that are farther from their
neighbours than the codes are from each other, too, as those of new videos are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bitreel.search.bucket_kernels import keys_of
from bitreel.search.code_table import CodeTable
from bitreel.search.lsh_samples import Differences, K, Samples
from bitreel.search.multi_index_tuning import masks
from bitreel.search.substrings import (
    decorrelated_groups,
    places_of,
    sampled_words,
    squared_correlations,
)

# The recall must hold for each of these numbers of neighbours. One alone is missed more easily than
# one of ten, whose place another at its distance takes: fewer than K have a rule of their own.
_FEW, _MANY = (1,), (K, 100)

# Aimed at above the wanted recall: what it is in one sample it may miss in the next.
_MARGIN = 0.01

_CODES, _MOST_TABLES, _MOST_LOOK_UPS = 8192, 16, 1024

# Of being met at the distance of the k-th best: tried until the recall is the wanted one.
_CHANCES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.99, 0.999)

# Above this share of a scan, look-ups are left for one.
_MOST_OF_A_SCAN = 0.5

# Nanoseconds that no look-ups take.
_DEAR = 1e12

UNREACHED = 1 << 40
"""The look-ups needed where no number is enough."""


@dataclass(frozen=True, eq=False)
class Sampling:
    """Which bits to sample, and which keys near a query's to look up.

    groups: the bits of each of T tables, none where a scan is faster. flips: uint32 [T,P], the
    masks of each table, those that pay most first. needed: int64 [2,bits+1], how many of them are
    enough once the k-th best is so far away, UNREACHED where a scan is better; for fewer than K
    neighbours and for K or more.
    """

    groups: list[NDArray[np.int64]]
    flips: NDArray[np.uint32]
    needed: NDArray[np.int64]


def choose_sampling(table: CodeTable, wanted_recall: float, *, forced: bool = False) -> Sampling:
    """The cheapest for the sample, by a count in it.

    forced: of those with tables, however fast a scan is.
    """
    samples = Samples.of(table, seed=1)
    if forced:
        samples = replace(samples, costs=replace(samples.costs, scan=_DEAR))
    differences = Differences.of(samples)
    squared = squared_correlations(sampled_words(table), table.bits)
    best = Sampling([], np.empty((0, 0), np.uint32), np.empty((2, 0), np.int64))
    least, even = samples.costs.scan, max(1, int(np.log2(len(table))))
    widths = {min(table.bits, max(1, width)) for width in range(even - 8, min(25, even + 4), 2)}
    for width in sorted(widths):
        trial = _Trial.of(samples, differences, _groups(squared, width))
        for tables in range(1, len(trial.groups) + 1):
            needed = trial.enough(tables, min(wanted_recall + _MARGIN, 0.999))
            cost = trial.cost(tables, needed[1])
            if cost < least:
                best, least = trial.sampling(tables, needed), cost
    return best


def ranked_masks(width: int, count: int) -> NDArray[np.uint32]:
    """The first `count` sets of ranks of doubt, as masks, those with the least sum of ranks first.

    The multi-probe order for bits whose doubt falls evenly from rank to rank (Lv et al., VLDB
    2007): it is the same for all queries, and need not be worked out for each.
    """
    flips, _ = masks(width)
    sums = bits_of_masks(flips, width) @ np.arange(1, width + 1)
    return flips[np.argsort(sums, kind="stable")][:count]


def bits_of_masks(flips: NDArray[np.uint32], width: int) -> NDArray[np.int64]:
    """The bits [P,width] of masks [P], 0 or 1."""
    return (flips[:, None] >> np.arange(width, dtype=np.uint32) & np.uint32(1)).astype(np.int64)


def _groups(squared: NDArray[np.float32], width: int) -> list[NDArray[np.int64]]:
    """Up to _MOST_TABLES groups of `width` bits, disjoint as long as the bits last, then anew."""
    bits, random = len(squared), np.random.default_rng(width)
    groups = list[NDArray[np.int64]]()
    while len(groups) < _MOST_TABLES:
        whole = decorrelated_groups(squared, max(1, bits // width), random.permutation(bits))
        groups += [np.sort(random.permutation(group)[:width]) for group in whole]
        if width == bits:
            break
    return groups[:_MOST_TABLES]


@dataclass(frozen=True, eq=False)
class _Trial:
    """Tables of one width, tried on the samples.

    ranks: int32 [T,D], at which look-up each table shows codes with each difference; near: int32
    [T,Q,K'], the same for the samples' neighbours. met: float64 [T,P+1], how many codes a query
    meets in so many look-ups.
    """

    samples: Samples
    differences: Differences
    groups: list[NDArray[np.int64]]
    flips: NDArray[np.uint32]
    ranks: NDArray[np.int32]
    near: NDArray[np.int32]
    met: NDArray[np.float64]

    @classmethod
    def of(
        cls, samples: Samples, differences: Differences, groups: list[NDArray[np.int64]]
    ) -> _Trial:
        width, few = len(groups[0]), np.ascontiguousarray(samples.words[:, ::4])
        every, _ = masks(width)
        bits = bits_of_masks(every, width).astype(np.float64)
        sample = sampled_words(samples.table, _CODES, seed=2)
        scale = len(samples.table) / (few.shape[1] * sample.shape[1])
        neighbours = np.ascontiguousarray(samples.table.words[:, samples.positions.ravel()])
        flips, ranks, near, met = [], [], [], []
        for group in groups:
            order = np.argsort(bits @ differences.surprise[group], kind="stable")[:_MOST_LOOK_UPS]
            flips.append(every[order])
            rank_of = np.full(1 << width, len(order), np.int32)
            rank_of[flips[-1]] = np.arange(len(order))
            ranks.append(rank_of[_keys(differences.words, group)])
            keys = _keys(neighbours, group).reshape(samples.positions.shape)
            near.append(rank_of[_keys(samples.words, group)[:, None] ^ keys])
            others = rank_of[_keys(few, group)[:, None] ^ _keys(sample, group)].ravel()
            counts = np.bincount(others, minlength=len(order) + 1)[: len(order)]
            met.append(np.concatenate([[0.0], np.cumsum(counts)]) * scale)
        stacked = (np.stack(each) for each in (flips, ranks, near, met))
        return cls(samples, differences, groups, *stacked)

    def enough(self, tables: int, recall: float) -> NDArray[np.int64]:
        """As `Sampling.needed`: the least that find this share of the samples' neighbours.

        It is less than what shows a code at the k-th best's distance with that probability, as most
        neighbours are nearer, and where one at that distance is missed another often takes its
        place.
        """
        first = self.ranks[:tables].min(axis=0)
        first = first[np.lexsort((first, self.differences.distances))]
        found = []
        for numbers in (_FEW, _MANY):
            for chance in _CHANCES:
                needed = self._needed(tables, first, chance)
                if all(self._recall(tables, needed, k) >= recall for k in numbers):
                    break
            found.append(needed)
        return np.stack(found)

    def _needed(self, tables: int, first: NDArray[np.int32], chance: float) -> NDArray[np.int64]:
        """The look-ups that show codes of each distance with this probability, never decreasing.

        first: at which look-up each difference is met, in the order of distance and then of this.
        """
        counts = np.bincount(self.differences.distances)
        last = np.cumsum(counts) - counts + np.ceil(chance * counts).astype(np.int64) - 1
        look_ups = first[last].astype(np.int64) + 1
        dear = np.searchsorted(self._prices(tables), _MOST_OF_A_SCAN * self.samples.costs.scan)
        look_ups[look_ups >= min(dear, self.flips.shape[1] + 1)] = UNREACHED
        return np.asarray(np.maximum.accumulate(look_ups), np.int64)

    def _recall(self, tables: int, needed: NDArray[np.int64], k: int) -> float:
        """The share of answers no farther than the true k-th neighbour; that of a scan is 1."""
        farthest = self.samples.distances[:, k - 1 : k]
        met = self.near[:tables].min(axis=0) < needed[farthest]
        hits = np.count_nonzero(met & (self.samples.distances <= farthest), axis=1)
        return float(np.minimum(hits, k).mean() / k)

    def cost(self, tables: int, needed: NDArray[np.int64]) -> float:
        """Of a query for K neighbours, in nanoseconds: a scan after all for those not reached."""
        prices, scan = self._prices(tables), self.samples.costs.scan
        look_ups = needed[self.samples.distances[:, K - 1]]
        reached = look_ups < UNREACHED
        spent = prices[np.where(reached, look_ups, 0)]
        return float(np.where(reached, spent, (1 + _MOST_OF_A_SCAN) * scan).mean())

    def sampling(self, tables: int, needed: NDArray[np.int64]) -> Sampling:
        reached = needed[needed < UNREACHED]
        most = min(self.flips.shape[1], 2 * int(reached.max(initial=1)))
        return Sampling(self.groups[:tables], self.flips[:tables, :most], needed)

    def _prices(self, tables: int) -> NDArray[np.float64]:
        """What so many look-ups in each table cost, [P+1]."""
        look_ups, costs = np.arange(self.met.shape[1]), self.samples.costs
        met = self.met[:tables]
        buckets = np.minimum(met, look_ups)
        each = costs.look_up * look_ups + costs.bucket * buckets + costs.code * met
        return np.asarray(each.sum(axis=0), np.float64)


def _keys(words: NDArray[np.uint64], group: NDArray[np.int64]) -> NDArray[np.uint32]:
    keys = np.empty(words.shape[1], np.uint32)
    keys_of(words, places_of(group), keys)
    return keys
