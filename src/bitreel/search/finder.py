"""What finds the nearest codes of one table: the part in which the indexes differ."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bitreel.search.code_table import CodeTable


class Finder(Protocol):
    """Finds distinct codes of its table. Never changes, so that threads may share it.

    queries: uint64 [W,Q]. view_keys: int64 [U], the key of each distinct code, NOT_ALLOWED where it
    may not be answered. Positions are those of the table's codes.
    """

    @property
    def table(self) -> CodeTable: ...

    def nearest(
        self,
        queries: NDArray[np.uint64],
        k: int,
        view_keys: NDArray[np.int64],
        relaxed: NDArray[np.float32] | None,
        threads: int,
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Positions [Q,k'] and distances in bits [Q,k'] of the nearest, by (distance, key).

        k' = min(k, allowed codes). k >= 1.
        """

    def within(
        self,
        queries: NDArray[np.uint64],
        radius_bits: int,
        view_keys: NDArray[np.int64],
        threads: int,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
        """Offsets [Q+1], positions [M] and distances [M] of all codes within the radius.

        Query q's are entries offsets[q] to offsets[q+1], in any order.
        """

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What `from_arrays` of its class, given the table too, makes it from again."""
