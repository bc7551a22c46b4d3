"""What a search of a library runs on: its codes in memory, as they were at one revision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.search import AsymmetricReranker, ExactIndex

SHORTLIST = 100  # segments to re-rank, where ten for each hit are fewer


@dataclass(frozen=True)
class Near:
    """A segment near to a query."""

    segment_id: int
    distance_bits: int
    asymmetric_bits: float | None = None


class SearchedCodes:
    """The codes of one revision: ids int64 [N], rising, and N codes."""

    def __init__(self, revision: int, ids: NDArray[np.int64], codes: BinaryCodes) -> None:
        self.revision, self.ids, self.codes = revision, ids, codes
        self._exact = ExactIndex(codes, ids)

    def __len__(self) -> int:
        return len(self.ids)

    def nearest(self, relaxed: NDArray[np.float32], k: int, *, rerank: bool) -> list[Near]:
        """The k nearest of one query's relaxed bits [1,K]."""
        query = BinaryCodes.from_relaxed(relaxed)
        if not rerank:
            plain = self._exact.search(query, k)
            pairs = zip(plain.ids[0].tolist(), plain.distances_bits[0].tolist(), strict=True)
            return [Near(*pair) for pair in pairs]
        shortlist = self._exact.search(query, max(SHORTLIST, 10 * k))
        rows = np.searchsorted(self.ids, np.sort(shortlist.ids[0]))
        reranker = AsymmetricReranker(self.codes[rows], self.ids[rows])
        best = reranker.rerank(relaxed, shortlist, k)
        fields = (best.ids, best.distances_bits, best.asymmetric_bits)
        return [Near(*one) for one in zip(*(field[0].tolist() for field in fields), strict=True)]
