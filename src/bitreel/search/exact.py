"""Exact k-nearest by comparing each query with every code."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes, check_same_width, hamming_words
from bitreel.errors import CodesError, ConfigError
from bitreel.search.neighbours import Neighbours

# Queries are answered in blocks of about this many distances, four bytes each.
_BLOCK_DISTANCES = 1 << 22


class ExactIndex:
    """A scan over all codes: every answer is the true one, equal distances in the order of ids.

    codes: N codes. ids: int64 [N], one for each code and no two the same; 0 to N-1 when not given.
    The codes are copied. A search changes nothing, so threads may share one index.
    Raises CodesError where the ids do not fit the codes.
    """

    def __init__(self, codes: BinaryCodes, ids: NDArray[np.int64] | None = None) -> None:
        # In the order of ids, "ties by id" is "ties by position", which a stable selection keeps.
        if ids is not None:
            ids = _checked_ids(ids, len(codes))
            order = np.argsort(ids)
            codes, ids = codes[order], ids[order]
        self._empty = codes[:0]
        self._ids = np.arange(len(codes), dtype=np.int64) if ids is None else ids
        self._words = codes.words()

    @property
    def bits(self) -> int:
        return self._empty.bits

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        return f"ExactIndex({len(self)} x {self.bits} bits)"

    def search(self, queries: BinaryCodes, k: int) -> Neighbours:
        """The min(k, N) nearest codes of each of the Q queries.

        Equal distances stand in the order of their ids, also where k cuts through them. k = 0 gives
        empty rows. Raises CodesError for queries of another width, ConfigError for k < 0.
        """
        check_same_width(queries, self._empty)
        if k < 0:
            raise ConfigError(f"The number of neighbours must be 0 or more, got k={k}.")
        k = min(k, len(self))
        positions = np.empty((len(queries), k), np.int64)
        distances_bits = np.empty((len(queries), k), np.int32)
        query_words = queries.words()
        rows = max(1, _BLOCK_DISTANCES // max(1, len(self)))
        for top in range(0, len(queries) if k else 0, rows):
            block = hamming_words(query_words[:, top : top + rows], self._words)
            for row, distances in enumerate(block, start=top):
                positions[row] = _nearest(distances, k)
                distances_bits[row] = distances[positions[row]]
        return Neighbours(self._ids[positions], distances_bits)


def _nearest(distances: NDArray[np.int32], k: int) -> NDArray[np.intp]:
    """Positions [k] of the k least of [N], 1 <= k <= N: by distance, then by position."""
    farthest = np.partition(distances, k - 1)[k - 1]
    nearer = np.flatnonzero(distances < farthest)
    level = np.flatnonzero(distances == farthest)[: k - len(nearer)]
    return np.concatenate([nearer[np.argsort(distances[nearer], kind="stable")], level])


def _checked_ids(ids: NDArray[np.int64], codes: int) -> NDArray[np.int64]:
    if ids.dtype != np.int64 or ids.shape != (codes,):
        raise CodesError(
            f"Expected ids int64 [{codes}], one for each code, got {ids.dtype} {list(ids.shape)}."
        )
    if len(np.unique(ids)) != codes:
        raise CodesError("Two codes have one id: give each code its own.")
    return ids
