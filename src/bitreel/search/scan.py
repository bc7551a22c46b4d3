"""The finder that compares a query with every distinct code."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitreel.search.best import Best, fixed, rows_in_one_piece
from bitreel.search.code_table import CodeTable
from bitreel.search.kernels import GROUP
from bitreel.search.scan_kernels import scan_nearest, scan_within
from bitreel.search.threads import in_threads, slices

# A thread is worth starting for this many comparisons of a word, some twenty microseconds.
_WORDS_OF_A_THREAD = 1 << 18

_Range = tuple[int, int]


class Scan:
    """All codes of a table, by all threads: slices of the queries, or of the codes for a few."""

    def __init__(self, table: CodeTable) -> None:
        self._table = table
        self._words, self._first_ids = rows_in_one_piece(table.words), fixed(table.view.keys)

    @property
    def table(self) -> CodeTable:
        return self._table

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Nothing: the table is all it needs."""
        return {}

    @classmethod
    def from_arrays(cls, table: CodeTable, arrays: dict[str, NDArray[np.generic]]) -> Scan:
        return cls(table)

    def nearest(
        self,
        queries: NDArray[np.uint64],
        k: int,
        view_keys: NDArray[np.int64],
        relaxed: NDArray[np.float32] | None,
        threads: int,
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """As Finder says. The relaxed bits have no say in an exact answer."""
        k = min(k, len(self._table))
        asked, keys = fixed(queries.T), fixed(view_keys)

        def scan(cut: tuple[_Range, _Range]) -> Best:
            (top, bottom), (start, stop) = cut
            best = Best.room(bottom - top, k)
            held = scan_nearest(
                self._words,
                self._first_ids,
                keys,
                asked[top:bottom],
                view_keys is self._table.view.keys,
                start,
                stop,
                best.distances,
                best.keys,
                best.positions,
            )
            return best.first(held)

        cuts = self._cuts(len(asked), threads)
        parts = in_threads(scan, cuts)
        same_queries = cuts[0][0] == cuts[-1][0]
        best = Best.merged(parts, k) if same_queries else Best.stacked(parts)
        return best.positions, best.distances

    def within(
        self,
        queries: NDArray[np.uint64],
        radius_bits: int,
        view_keys: NDArray[np.int64],
        threads: int,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
        """As Finder says."""
        asked, keys = fixed(queries.T), fixed(view_keys)

        def scan(cut: tuple[_Range, _Range]) -> NDArray[np.int64]:
            (top, bottom), (start, stop) = cut
            found = scan_within(self._words, keys, asked[top:bottom], radius_bits, start, stop)
            found[0] += top
            return found

        found = in_threads(scan, self._cuts(len(asked), threads))
        query, position, distance = np.concatenate(found, axis=1)
        order = np.argsort(query, kind="stable")
        offsets = np.zeros(len(asked) + 1, np.int64)
        np.cumsum(np.bincount(query, minlength=len(asked)), out=offsets[1:])
        return offsets, position[order], distance[order].astype(np.int32)

    def _cuts(self, queries: int, threads: int) -> list[tuple[_Range, _Range]]:
        """Each thread's queries and codes, from and to.

        The queries are cut where there are enough: cutting the codes costs a merge, and each thread
        looks at the near ones of its own slice.
        """
        useful = self._table.words.size * queries // _WORDS_OF_A_THREAD
        threads = max(1, min(threads, useful))
        codes = len(self._table)
        if queries >= 4 * threads:
            return [(rows, (0, codes)) for rows in slices(queries, threads)]
        return [((0, queries), part) for part in slices(codes, threads, GROUP)]
