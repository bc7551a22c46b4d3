"""Multi-index hashing: the exact nearest codes from a look at few of them.

Two codes r bits apart differ in at most r/m of their bits in one of m groups. So the near ones of a
query are found by its bits in each group, looked up in a table of buckets, with a few bits flipped
(Norouzi, Punjani & Fleet, CVPR 2012 and TPAMI 2014). That is far less work than a scan where the
nearest are near, as those of learned codes are, and more where all codes are equally far. Which of
the two it is gets measured when the tables are made, and again while each query is answered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitreel.search.best import Best, fixed
from bitreel.search.buckets import MOST_CODES, Buckets, complete
from bitreel.search.code_table import NOT_ALLOWED, CodeTable
from bitreel.search.multi_index_kernels import nearest_in_buckets, within_in_buckets
from bitreel.search.multi_index_tuning import (
    LEVELS,
    STEPS_OF_K,
    Costs,
    Probe,
    choose_groups,
    growth,
    look_ups,
    masks,
    timed,
    timing_queries,
)
from bitreel.search.scan import Scan
from bitreel.search.threads import in_threads, slices

# Below this a scan takes some microseconds: nothing to gain.
_FEWEST_CODES = 4096

# The best are kept in order, one by one: for very many a scan is better at it.
_MOST_NEIGHBOURS = 1000

_QUERIES_OF_A_THREAD = 8

# Of a filter so many keys show how much it leaves.
_KEYS_LOOKED_AT = 4096


# For arguments that come as a tuple.
_nearest: Callable[..., Any] = nearest_in_buckets
_within: Callable[..., Any] = within_in_buckets

_ALWAYS = np.ones(len(STEPS_OF_K), bool)


@dataclass(frozen=True, eq=False)
class MultiIndexHashing:
    """Tables over the codes of `table`, and a scan for the queries that they can not answer.

    growth: float64 [T,levels], as `multi_index_tuning.growth`. pays: bool [3], whether the tables
    beat the scan for 1, 10 and 100 neighbours.
    """

    table: CodeTable
    buckets: Buckets
    growth: NDArray[np.float64]
    costs: Costs
    pays: NDArray[np.bool_]

    @classmethod
    def of(cls, table: CodeTable, *, tables: int | None = None) -> MultiIndexHashing:
        """Choose the groups of bits, fill the tables, and measure what they cost.

        tables: how many, used for every query whatever they cost; chosen by the data when not
        given, with none at all for data that a scan answers sooner.
        """
        few = _FEWEST_CODES if tables is None else 2
        if not few <= len(table) <= MOST_CODES:
            return cls._without_tables(table)
        probe = Probe.of(table)
        groups = choose_groups(probe, tables)
        if not groups:
            return cls._without_tables(table)
        made = cls(table, Buckets.of(table, groups), growth(probe, groups), probe.costs, _ALWAYS)
        if tables is not None:
            return replace(made, costs=replace(probe.costs, scan=np.inf))
        made = made._measured(probe)
        return made if made.pays.any() else cls._without_tables(table)

    @classmethod
    def _without_tables(cls, table: CodeTable) -> MultiIndexHashing:
        none = Buckets.of(table, [])
        return cls(table, none, np.empty((0, LEVELS)), Costs(0.0, 0.0, 0.0, 0.0), ~_ALWAYS)

    def _measured(self, probe: Probe) -> MultiIndexHashing:
        """The same with the costs that it really has, and a verdict for each number of neighbours.

        A query of the probe is a code of the table: of its k + 1 nearest it is one itself.
        """
        keys, scan = self._keys(self.table.view.keys), probe.costs.scan
        queries = [fixed(timing_queries(self.table, number)) for number in range(4)]
        self._look_up(queries[0], 11, keys)  # compiles, and wakes the memory
        measured = [timed(partial(self._look_up, some, 11, keys)) for some in queries[1:]]
        cost = min(seconds * 1e9 / max(guessed, 1.0) for (_, _, guessed), seconds in measured)
        made = replace(self, costs=probe.costs.scaled(cost))
        pays = []
        for some, k in zip(queries[1:], STEPS_OF_K, strict=True):
            (_, certain, _), seconds = timed(partial(made._look_up, some, k + 1, keys))
            scans = np.count_nonzero(~certain)
            pays.append(seconds * 1e9 < (0.9 * len(some) - scans) * scan)
        return replace(made, pays=np.array(pays))

    def nearest(
        self,
        queries: NDArray[np.uint64],
        k: int,
        view_keys: NDArray[np.int64],
        relaxed: NDArray[np.float32] | None,
        threads: int,
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """As Finder says. The relaxed bits have no say in an exact answer."""
        if not self._worth_a_try(k, view_keys):
            return self._scan.nearest(queries, k, view_keys, relaxed, threads)
        asked, keys = fixed(queries.T), self._keys(view_keys)
        cuts = slices(len(asked), max(1, min(threads, len(asked) // _QUERIES_OF_A_THREAD)))
        parts = in_threads(lambda cut: self._look_up(asked[cut[0] : cut[1]], k, keys), cuts)
        best = Best.stacked([part[0] for part in parts])
        certain = np.concatenate([part[1] for part in parts])
        return complete(self._scan, best, certain, queries, k, view_keys, threads)

    def within(
        self,
        queries: NDArray[np.uint64],
        radius_bits: int,
        view_keys: NDArray[np.int64],
        threads: int,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
        """As Finder says."""
        if not self.pays.any():
            return self._scan.within(queries, radius_bits, view_keys, threads)
        asked, keys = fixed(queries.T), self._keys(view_keys)

        def look_up(cut: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
            certain = np.empty(cut[1] - cut[0], bool)
            rows = asked[cut[0] : cut[1]]
            found: NDArray[np.int64] = _within(
                rows, radius_bits, keys, *self._kernel_arrays, certain
            )
            found[0] += cut[0]
            return found, certain

        cuts = slices(len(asked), max(1, min(threads, len(asked) // _QUERIES_OF_A_THREAD)))
        parts = in_threads(look_up, cuts)
        query, position, distance = np.concatenate([part[0] for part in parts], axis=1)
        _, once = np.unique(query * len(self.table) + position, return_index=True)
        left = np.flatnonzero(~np.concatenate([part[1] for part in parts]))
        scanned = self._scan.within(queries[:, left], radius_bits, view_keys, threads)
        query = np.concatenate([query[once], np.repeat(left, np.diff(scanned[0]))])
        order = np.argsort(query, kind="stable")
        offsets = np.zeros(len(asked) + 1, np.int64)
        np.cumsum(np.bincount(query, minlength=len(asked)), out=offsets[1:])
        positions = np.concatenate([position[once], scanned[1]])[order]
        distances = np.concatenate([distance[once].astype(np.int32), scanned[2]])[order]
        return offsets, positions, distances

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The tables and what was measured."""
        measured = {"growth": self.growth, "costs": self.costs.array(), "pays": self.pays}
        return {**self.buckets.arrays(), **measured}

    @classmethod
    def from_arrays(cls, table: CodeTable, arrays: dict[str, NDArray[Any]]) -> MultiIndexHashing:
        """What `arrays` was taken from."""
        costs = Costs(*np.asarray(arrays["costs"], np.float64).tolist())
        return cls(
            table,
            Buckets.from_arrays(arrays),
            np.asarray(arrays["growth"], np.float64),
            costs,
            np.asarray(arrays["pays"], np.bool_),
        )

    @cached_property
    def _scan(self) -> Scan:
        return Scan(self.table)

    @cached_property
    def _kernel_arrays(self) -> tuple[NDArray[Any], ...]:
        """What the kernels want of the tables, in their order."""
        buckets = self.buckets
        flips, flip_firsts = masks(int(buckets.widths.max()))
        return (
            buckets.places,
            buckets.firsts,
            buckets.offsets,
            buckets.offset_firsts,
            buckets.entries,
            buckets.codes,
            fixed(flips),
            fixed(flip_firsts),
            fixed(look_ups(buckets.widths)),
            fixed(self.growth),
            fixed(self.costs.array()),
        )

    def _keys(self, view_keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """What the kernels want: none where all codes are allowed, as the positions do."""
        return fixed(view_keys[:0] if view_keys is self.table.view.keys else view_keys)

    def _worth_a_try(self, k: int, view_keys: NDArray[np.int64]) -> bool:
        """Whether the tables are likely to beat the scan: as for k by the share that is allowed."""
        if k > _MOST_NEIGHBOURS:
            return False
        if view_keys is not self.table.view.keys:
            some = view_keys[:: max(1, len(view_keys) // _KEYS_LOOKED_AT)]
            k = k * len(some) // max(1, int(np.count_nonzero(some != NOT_ALLOWED)))
        step = min(int(np.searchsorted(STEPS_OF_K, k)), len(STEPS_OF_K) - 1)
        return bool(self.pays[step])

    def _look_up(
        self, queries: NDArray[np.uint64], k: int, keys: NDArray[np.int64]
    ) -> tuple[Best, NDArray[np.bool_], float]:
        """The nearest of queries [Q,W], for which of them they are certain, and what it cost."""
        best, certain = Best.room(len(queries), k), np.empty(len(queries), bool)
        spent: float = _nearest(
            queries,
            keys,
            *self._kernel_arrays,
            best.distances,
            best.keys,
            best.positions,
            certain,
        )
        return best, certain, spent
