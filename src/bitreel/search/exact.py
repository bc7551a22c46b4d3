"""Exact k-nearest by comparing each query with every distinct code."""

from __future__ import annotations

import numpy as np

from bitreel.codes import BinaryCodes
from bitreel.search.code_table import CodeTable
from bitreel.search.finder import Finder
from bitreel.search.index import Index
from bitreel.search.parts import Part, Parts
from bitreel.search.scan import Scan


class ExactIndex(Index):
    """A scan: every answer is the true one, in a time that no data changes much."""

    kind = "exact"

    @classmethod
    def sharing(cls, index: Index) -> ExactIndex:
        """An exact index of the codes that another holds now, without a copy of them."""
        parts = tuple(Part(Scan(part.table), part.alive) for part in index.parts)
        none = BinaryCodes(np.empty((0, (index.bits + 7) // 8), np.uint8), index.bits)
        return cls(none, threads=index._threads).with_parts(Parts(parts))

    def _tuned(self, table: CodeTable) -> Finder:
        return Scan(table)
