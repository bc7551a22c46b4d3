"""What an index answers: the nearest codes of each query."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Neighbours:
    """For each of Q queries its nearest codes, nearest first, equal distances by rising id.

    ids: int64 [Q,k']. distances_bits: int32 [Q,k'], never decreasing along a row.
    """

    ids: NDArray[np.int64]
    distances_bits: NDArray[np.int32]

    def __post_init__(self) -> None:
        ids, distances = self.ids, self.distances_bits
        if ids.dtype != np.int64 or distances.dtype != np.int32 or ids.ndim != 2:
            raise ValueError(
                f"expected ids int64 [Q,k] and distances int32 [Q,k], "
                f"got {ids.dtype} {list(ids.shape)} and {distances.dtype} {list(distances.shape)}"
            )
        if ids.shape != distances.shape:
            raise ValueError(
                f"expected a distance for each id, "
                f"got {list(distances.shape)} for {list(ids.shape)}"
            )
        if np.any(np.diff(distances, axis=1) < 0):
            raise ValueError("expected distances that never decrease along a row")

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"Neighbours({self.ids.shape[0]} queries x {self.ids.shape[1]})"


@dataclass(frozen=True, eq=False)
class NeighboursWithin:
    """For each of Q queries all codes within a radius, nearest first, equal distances by rising id.

    offsets: int64 [Q+1]: the answers of query q are entries offsets[q] to offsets[q+1].
    ids: int64 [M]. distances_bits: int32 [M].
    """

    offsets: NDArray[np.int64]
    ids: NDArray[np.int64]
    distances_bits: NDArray[np.int32]

    def __post_init__(self) -> None:
        fields = (self.offsets, self.ids, self.distances_bits)
        if [str(field.dtype) for field in fields] != ["int64", "int64", "int32"]:
            raise ValueError(
                f"expected offsets and ids int64 and distances int32, "
                f"got {', '.join(str(field.dtype) for field in fields)}"
            )
        if self.ids.ndim != 1 or self.ids.shape != self.distances_bits.shape:
            raise ValueError(
                f"expected a distance for each id, "
                f"got {list(self.distances_bits.shape)} for {list(self.ids.shape)}"
            )
        if not len(self.offsets) or self.offsets[0] != 0 or self.offsets[-1] != len(self.ids):
            raise ValueError(f"expected offsets from 0 to {len(self.ids)}")
        if np.any(np.diff(self.offsets) < 0):
            raise ValueError("expected offsets that never decrease")

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        return f"NeighboursWithin({len(self)} queries, {len(self.ids)} codes)"

    def of(self, query: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """The ids and the distances in bits of one query."""
        answers = slice(self.offsets[query], self.offsets[query + 1])
        return self.ids[answers], self.distances_bits[answers]
