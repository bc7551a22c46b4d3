"""The index that answers by multi-index hashing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.errors import ConfigError
from bitreel.search.code_table import CodeTable
from bitreel.search.finder import Finder
from bitreel.search.index import Index
from bitreel.search.multi_index_hashing import MultiIndexHashing
from bitreel.search.multi_index_tuning import BITS_OF_A_KEY
from bitreel.search.scan import Scan


class MultiIndex(Index):
    """Exact answers by multi-index hashing, and by a scan where that is faster.

    codes, ids, threads: as for every index. tables: how many tables of buckets over each part of
    TUNED_FROM distinct codes or more; chosen by the codes when not given. Raises ConfigError for
    tables whose keys would have no bits or too many.
    """

    def __init__(
        self,
        codes: BinaryCodes,
        ids: NDArray[np.int64] | None = None,
        *,
        threads: int | None = None,
        tables: int | None = None,
    ) -> None:
        fewest = -(-codes.bits // BITS_OF_A_KEY)
        if tables is not None and not fewest <= tables <= codes.bits:
            raise ConfigError(
                f"Multi-index hashing of {codes.bits} bits takes {fewest} to {codes.bits} tables, "
                f"got tables={tables}."
            )
        self._tables = tables
        super().__init__(codes, ids, threads=threads)

    kind = "mih"

    @property
    def options(self) -> dict[str, Any]:
        return {"tables": self._tables}

    @classmethod
    def finder_from(cls, table: CodeTable, arrays: dict[str, NDArray[Any]]) -> Finder:
        return MultiIndexHashing.from_arrays(table, arrays) if arrays else Scan(table)

    def _tuned(self, table: CodeTable) -> Finder:
        return MultiIndexHashing.of(table, tables=self._tables)
