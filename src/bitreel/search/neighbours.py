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
