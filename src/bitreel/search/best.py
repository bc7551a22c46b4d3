"""The best so far of several queries, as the kernels write it, and how such lists are merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitreel.search.top_k import merge


@dataclass(frozen=True, eq=False)
class Best:
    """Distances int32 [Q,k], keys int64 [Q,k], positions int64 [Q,k]: rows by (distance, key)."""

    distances: NDArray[np.int32]
    keys: NDArray[np.int64]
    positions: NDArray[np.int64]

    @classmethod
    def room(cls, queries: int, k: int) -> Best:
        """Not yet written."""
        shape = (queries, k)
        return cls(np.empty(shape, np.int32), np.empty(shape, np.int64), np.empty(shape, np.int64))

    @classmethod
    def stacked(cls, parts: Sequence[Best]) -> Best:
        """The lists of other queries below each other."""
        if len(parts) == 1:
            return parts[0]
        return cls(*(np.concatenate(fields) for fields in zip(*map(_fields, parts), strict=True)))

    @classmethod
    def merged(cls, parts: Sequence[Best], k: int) -> Best:
        """The k best of several lists of the same queries."""
        if len(parts) == 1 and parts[0].keys.shape[1] <= k:
            return parts[0]
        fields = [np.concatenate(each, axis=1) for each in zip(*map(_fields, parts), strict=True)]
        best = cls.room(len(fields[0]), min(k, fields[0].shape[1]))
        distances, keys, positions = map(fixed, fields)
        merge(distances, keys, positions, best.distances, best.keys, best.positions)
        return best

    def first(self, columns: int) -> Best:
        """The first columns of each row."""
        if columns == self.keys.shape[1]:
            return self
        return Best(*(field[:, :columns] for field in _fields(self)))


def fixed(array: NDArray[Any]) -> NDArray[Any]:
    """The array in one piece and read-only: a kernel is compiled once, for memory maps too."""
    view = np.ascontiguousarray(array).view(np.ndarray)
    view.flags.writeable = False
    return view


def rows_in_one_piece(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Rows [W,U] as a kernel takes them: with the gaps between them, if any, made part of them.

    The last row's gap may lie outside the array: a kernel is told where the codes end.
    """
    width, item = words.strides[0] // words.itemsize, words.itemsize
    if words.strides != (width * item, item) or width < words.shape[1]:
        return fixed(words)
    shape = (len(words), width)
    return fixed(np.lib.stride_tricks.as_strided(words, shape, words.strides, writeable=False))


def _fields(best: Best) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    return best.distances, best.keys, best.positions
