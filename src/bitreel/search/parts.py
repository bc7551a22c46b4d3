"""The parts that an index is made of, as they are between two changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bitreel.search.code_table import NOT_ALLOWED, CodeTable, View
from bitreel.search.finder import Finder
from bitreel.search.scan import Scan

Allowed = NDArray[np.bool_] | NDArray[np.int64]

MakeFinder = Callable[[CodeTable], Finder]

# A filter that leaves one distinct code in this many is answered by a scan of those alone.
_FEW = 8


@dataclass(frozen=True, eq=False)
class Part:
    """A finder of a table, and which of the table's ids are still there.

    alive: bool [N], in the order of the table's ids; all are when None.
    """

    finder: Finder
    alive: NDArray[np.bool_] | None = None

    @property
    def table(self) -> CodeTable:
        return self.finder.table

    @cached_property
    def view(self) -> View:
        """What was not removed."""
        return self.table.view if self.alive is None else self.table.view_of(self.alive)

    def __len__(self) -> int:
        """The number of ids that were not removed."""
        return len(self.view)

    def places(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where in the table's ids these stand, int64 [M]; -1 for one that is not (or no more)."""
        places = self.table.places_of(ids)
        if self.alive is not None:
            places[(places >= 0) & ~self.alive[places]] = -1
        return places

    def without(self, ids: NDArray[np.int64]) -> Part:
        """This part less those of the ids that it holds."""
        places = self.places(ids)
        places = places[places >= 0]
        if not len(places):
            return self
        alive = np.ones(len(self.table.ids), bool) if self.alive is None else self.alive.copy()
        alive[places] = False
        return Part(self.finder, alive)


@dataclass(frozen=True, eq=False)
class Parts:
    """All parts of an index, the oldest first. A change gives new ones and leaves these."""

    parts: tuple[Part, ...]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    @cached_property
    def ids(self) -> NDArray[np.int64]:
        """The ids that are there, rising: int64 [N]."""
        ids = np.concatenate([part.view.ids for part in self.parts] or [np.empty(0, np.int64)])
        if np.any(ids[1:] < ids[:-1]):
            ids.sort()
        ids.flags.writeable = False
        return ids

    @cached_property
    def _ranks(self) -> list[NDArray[np.int64] | slice]:
        """For each part where each of its table's ids stands in `ids`; N for one not there."""
        if len(self.parts) == 1 and self.parts[0].alive is None and self.parts[0].view.one_each:
            return [slice(len(self))]
        ranks: list[NDArray[np.int64] | slice] = []
        for part in self.parts:
            rank = np.searchsorted(self.ids, part.table.ids)
            if part.alive is not None:
                rank[~part.alive] = len(self.ids)
            ranks.append(rank)
        return ranks

    def holds(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these ids are there: bool [M]."""
        held = np.zeros(len(ids), bool)
        for part in self.parts:
            held |= part.places(ids) >= 0
        return held

    def with_part(self, table: CodeTable, make_finder: MakeFinder) -> Parts:
        """These and a new part, merged with those before it that are at most twice as large."""
        kept, sizes = list(self.parts), len(table.ids)
        merged = [table.spelled_out(table.view)]
        while kept and 2 * sizes >= len(kept[-1]):
            part = kept.pop()
            sizes += len(part)
            merged.insert(0, part.table.spelled_out(part.view))
        if len(merged) > 1:
            words, ids = zip(*merged, strict=True)
            table = CodeTable.of_words(
                np.concatenate(words, axis=1), np.concatenate(ids), table.bits
            )
        return Parts((*kept, Part(make_finder(table))))

    def without(self, ids: NDArray[np.int64], make_finder: MakeFinder) -> Parts:
        """These less some ids. A part of which less than half is left is made anew."""
        left = []
        for part in (part.without(ids) for part in self.parts):
            if 2 * len(part) >= len(part.table.ids):
                left.append(part)
            elif len(part):
                left.append(Part(make_finder(part.table.only(part.view))))
        return Parts(tuple(left))

    def answering(self, allowed: Allowed | None) -> list[tuple[Finder, View]]:
        """A finder and a view for each part of which anything is allowed.

        allowed: bool [N], in the order of `ids`, or int64 [M], ids.
        """
        if allowed is None:
            return [(part.finder, part.view) for part in self.parts if len(part)]
        views = []
        for part, some in zip(self.parts, self._allowed_places(allowed), strict=True):
            view = part.table.view_of(some)
            if len(view):
                views.append(_fewer(part.finder, view))
        return views

    def _allowed_places(self, allowed: Allowed) -> list[NDArray[np.bool_]]:
        """For each part which of its table's ids are there and allowed."""
        if allowed.dtype == bool:
            padded = np.append(allowed, False)
            return [padded[rank] for rank in self._ranks]
        found, ids = [], np.asarray(allowed, np.int64)
        for part in self.parts:
            places = part.places(ids)
            found.append(np.zeros(len(part.table.ids), bool))
            found[-1][places[places >= 0]] = True
        return found


def _fewer(finder: Finder, view: View) -> tuple[Finder, View]:
    """Another finder, of what the view allows, where that is little of the table."""
    table = finder.table
    if _FEW * np.count_nonzero(view.keys != NOT_ALLOWED) > len(table):
        return finder, view
    small = table.only(view)
    return Scan(small), small.view
