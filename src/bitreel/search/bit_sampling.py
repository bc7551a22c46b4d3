"""Locality-sensitive hashing by bit sampling: most of the nearest codes, for less.

A table looks codes up by some of their bits (Indyk & Motwani, STOC 1998; Gionis et al., VLDB 1999).
Near codes agree in them more often than others do, and in one of several tables almost surely.
Keys that differ a little from the query's are looked up too: those most likely to be a neighbour's,
as learned from the codes, or those in whose bits the query itself is least sure (multi-probe: Lv et
al., VLDB 2007), which needs far fewer tables.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitreel.search.best import Best, fixed
from bitreel.search.buckets import MOST_CODES, Buckets, complete
from bitreel.search.code_table import CodeTable
from bitreel.search.lsh_kernels import DOUBTS, near_in_buckets
from bitreel.search.lsh_samples import K, Samples
from bitreel.search.lsh_tuning import UNREACHED, choose_sampling, ranked_masks
from bitreel.search.multi_index_tuning import timed
from bitreel.search.scan import Scan
from bitreel.search.threads import in_threads, slices

RECALL = 0.95

_FEWEST_CODES = 4096
_QUERIES_OF_A_THREAD = 8

# The best are kept in order, one by one: for very many a scan is better at it.
_MOST_NEIGHBOURS = 1000

# What the share of two thousand neighbours may be off by from sample to sample.
_SAMPLING_ERROR = 0.01
_CHECKS = 6


@dataclass(frozen=True)
class SamplingParameters:
    """bits: of a table's key. tables: how many. look_ups: in each, for a usual query.

    No tables: the scan answers, with recall 1.
    """

    bits: int
    tables: int
    look_ups: int


@dataclass(frozen=True, eq=False)
class BitSampling:
    """Tables over the codes of `table`, and a scan for queries to which they do not show enough.

    flips: uint32 [T,P] and needed: int64 [2,bits+1], as `Sampling`. stated_recall: what was wanted.
    measured_recall: the share of answers no farther than the true 10th neighbour, over codes that
    had no part in the choice, each left out of its own answer. usual: how far the 10th neighbour of
    half of those was, in bits.
    """

    table: CodeTable
    buckets: Buckets
    flips: NDArray[np.uint32]
    needed: NDArray[np.int64]
    stated_recall: float
    measured_recall: float
    usual: int

    @classmethod
    def of(cls, table: CodeTable, recall: float = RECALL, *, forced: bool = False) -> BitSampling:
        """Choose bits, tables and look-ups for a recall, and check it on other codes.

        forced: take tables however fast a scan is, for more than 300 codes.
        """
        sampling = None
        if forced or _FEWEST_CODES <= len(table) <= MOST_CODES:
            sampling = choose_sampling(table, recall, forced=forced)
        if sampling is None or not sampling.groups:
            return cls._without_tables(table, recall)
        buckets, flips = Buckets.of(table, sampling.groups), fixed(sampling.flips)
        made = cls(table, buckets, flips, fixed(sampling.needed), recall, 0.0, 0)
        for seed in range(2, 2 + _CHECKS):
            samples = Samples.of(table, seed)
            usual = int(np.median(samples.distances[:, K - 1]))
            made = replace(made, measured_recall=made._recall(samples), usual=usual)
            if made.measured_recall >= recall - _SAMPLING_ERROR:
                break
            more = np.where(made.needed < UNREACHED, made.needed * 5 // 4 + 1, UNREACHED)
            made = replace(made, needed=fixed(more))
        else:
            return cls._without_tables(table, recall)  # what it finds can not be vouched for
        _, seconds = timed(lambda: made._recall(samples))
        if not forced and seconds * 1e9 > len(samples.own) * samples.costs.scan:
            return cls._without_tables(table, recall)
        return made

    @classmethod
    def _without_tables(cls, table: CodeTable, recall: float) -> BitSampling:
        flips, needed = np.empty((0, 0), np.uint32), np.empty((2, 0), np.int64)
        return cls(table, Buckets.of(table, []), flips, needed, recall, 1.0, 0)

    @property
    def parameters(self) -> SamplingParameters:
        """What was chosen."""
        if not self.buckets.tables:
            return SamplingParameters(0, 0, 0)
        bits, look_ups = int(self.buckets.widths[0]), int(self.needed[1, self.usual])
        return SamplingParameters(bits, self.buckets.tables, min(look_ups, self.flips.shape[1]))

    def _recall(self, samples: Samples) -> float:
        """The share of answers no farther than the true 10th neighbour, own codes left out."""
        positions, distances = self.nearest(samples.words, K + 1, self.table.view.keys, None, 1)
        others = positions != samples.own[:, None]
        near = distances <= samples.distances[:, K - 1 : K]
        return float(np.minimum(np.count_nonzero(others & near, axis=1), K).mean() / K)

    def nearest(
        self,
        queries: NDArray[np.uint64],
        k: int,
        view_keys: NDArray[np.int64],
        relaxed: NDArray[np.float32] | None,
        threads: int,
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """As Finder says, but of the nearest codes some may be missed for farther ones."""
        if not self.buckets.tables or k > _MOST_NEIGHBOURS:
            return self._scan.nearest(queries, k, view_keys, relaxed, threads)
        asked = fixed(queries.T)
        keys = fixed(view_keys[:0] if view_keys is self.table.view.keys else view_keys)
        best, enough = Best.room(len(asked), k), np.empty(len(asked), bool)
        sureness = np.empty((0, self.table.bits), np.float32)
        if relaxed is not None:
            sureness = np.abs(relaxed - 0.5).astype(np.float32)

        def look_up(cut: tuple[int, int]) -> None:
            rows = slice(*cut)
            near_in_buckets(
                asked[rows],
                fixed(sureness[rows]),
                keys,
                self.buckets.bits,
                self.buckets.places,
                self.buckets.firsts,
                self.buckets.offsets,
                self.buckets.offset_firsts,
                self.buckets.entries,
                self.buckets.codes,
                self.flips,
                self._doubts,
                self.needed[int(k >= K)],
                best.distances[rows],
                best.keys[rows],
                best.positions[rows],
                enough[rows],
            )

        in_threads(
            look_up, slices(len(asked), max(1, min(threads, len(asked) // _QUERIES_OF_A_THREAD)))
        )
        return complete(self._scan, best, enough, queries, k, view_keys, threads)

    def within(
        self,
        queries: NDArray[np.uint64],
        radius_bits: int,
        view_keys: NDArray[np.int64],
        threads: int,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
        """As Finder says, by the scan: who asks for all codes gets all."""
        return self._scan.within(queries, radius_bits, view_keys, threads)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The tables and what was chosen."""
        measured = np.array([self.stated_recall, self.measured_recall, self.usual])
        chosen: dict[str, NDArray[Any]] = {
            "flips": self.flips,
            "needed": self.needed,
            "measured": measured,
        }
        return {**self.buckets.arrays(), **chosen}

    @classmethod
    def from_arrays(cls, table: CodeTable, arrays: dict[str, NDArray[Any]]) -> BitSampling:
        """What `arrays` was taken from."""
        stated, measured, usual = np.asarray(arrays["measured"], np.float64).tolist()
        flips = fixed(np.asarray(arrays["flips"], np.uint32))
        needed = fixed(np.asarray(arrays["needed"], np.int64))
        buckets = Buckets.from_arrays(arrays)
        return cls(table, buckets, flips, needed, stated, measured, int(usual))

    @cached_property
    def _scan(self) -> Scan:
        return Scan(self.table)

    @cached_property
    def _doubts(self) -> NDArray[np.uint32]:
        return fixed(ranked_masks(int(self.buckets.widths[0]), 1 + DOUBTS)[1:])
