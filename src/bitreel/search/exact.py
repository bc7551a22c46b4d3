"""Exact k-nearest by comparing each query with every distinct code."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from bitreel.search.code_table import CodeTable
from bitreel.search.finder import Finder
from bitreel.search.index import Index
from bitreel.search.scan import Scan


class ExactIndex(Index):
    """A scan: every answer is the true one, in a time that no data changes much."""

    kind = "exact"

    @classmethod
    def finder_from(cls, table: CodeTable, arrays: dict[str, NDArray[Any]]) -> Finder:
        return Scan(table)

    def _finder(self, table: CodeTable) -> Finder:
        return Scan(table)
