"""The index that answers by locality-sensitive hashing: bit sampling with several look-ups."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.errors import ConfigError
from bitreel.search.bit_sampling import RECALL, BitSampling, SamplingParameters
from bitreel.search.code_table import CodeTable
from bitreel.search.finder import Finder
from bitreel.search.index import Index
from bitreel.search.scan import Scan


class LSHIndex(Index):
    """Approximate answers by bit sampling, with a recall that is stated and was checked.

    codes, ids, threads: as for every index. recall: the share of the true nearest that an
    answer is to hold. Raises ConfigError for a recall that
    is not above 0 and below 1.
    """

    def __init__(
        self,
        codes: BinaryCodes,
        ids: NDArray[np.int64] | None = None,
        *,
        threads: int | None = None,
        recall: float = RECALL,
    ) -> None:
        if not 0 < recall < 1:
            raise ConfigError(
                f"Bit sampling finds a share between 0 and 1 of the nearest codes, got "
                f"recall={recall}: take an exact index for all of them."
            )
        self._recall = recall
        super().__init__(codes, ids, threads=threads)

    kind = "lsh"

    @property
    def options(self) -> dict[str, Any]:
        return {"recall": self._recall}

    @classmethod
    def finder_from(cls, table: CodeTable, arrays: dict[str, NDArray[Any]]) -> Finder:
        return BitSampling.from_arrays(table, arrays) if arrays else Scan(table)

    def _tuned(self, table: CodeTable) -> Finder:
        return BitSampling.of(table, self._recall)

    @property
    def stated_recall(self) -> float:
        """What was asked for."""
        return self._recall

    @property
    def measured_recall(self) -> float:
        """For 10 neighbours of held-out codes, over all parts of the index, by their size."""
        parts = self._parts
        missed = [
            len(part) * (1 - part.finder.measured_recall)
            for part in parts.parts
            if isinstance(part.finder, BitSampling)
        ]
        return 1 - sum(missed) / max(1, len(parts))

    @property
    def parameters(self) -> SamplingParameters:
        """What was chosen for the largest part of the index."""
        finders = [part.finder for part in sorted(self._parts.parts, key=len)]
        if finders and isinstance(finders[-1], BitSampling):
            return finders[-1].parameters
        return SamplingParameters(0, 0, 0)
