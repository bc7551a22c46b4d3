"""Two codes, bit by bit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ComparedBits:
    """The codes of a query and of a hit, bit by bit.

    query, hit: bool [K]. relaxed: float32 [K] in [0,1], how sure the model was of each bit of the
    query: at 0.5 it might as well have been the other; None where the query is known by its stored
    code alone.
    """

    query: NDArray[np.bool_]
    hit: NDArray[np.bool_]
    relaxed: NDArray[np.float32] | None

    def __post_init__(self) -> None:
        shapes = {part.shape for part in (self.query, self.hit, self.relaxed) if part is not None}
        if len(shapes) != 1 or self.query.ndim != 1:
            raise ValueError(f"expected bits [K] of one width, got {sorted(shapes)}")

    @property
    def agree(self) -> NDArray[np.bool_]:
        """bool [K]."""
        same: NDArray[np.bool_] = self.query == self.hit
        return same

    @property
    def distance_bits(self) -> int:
        """In how many they differ."""
        return int(np.count_nonzero(~self.agree))

    def __repr__(self) -> str:
        return f"ComparedBits({self.distance_bits} of {len(self.query)} differ)"
