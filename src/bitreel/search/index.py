"""What every index does: take codes and ids, additions, deletions and filters, and give ids back.

An index is a few parts, each a table of distinct codes with its own finder. What is added becomes a
small part; where it is at least half as large as the part before it, the two are merged, so that an
id moves O(log N) times and an addition rarely touches the whole. What is removed is marked.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy
from threading import Lock
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes, check_same_width
from bitreel.errors import CodesError, ConfigError
from bitreel.search.best import Best
from bitreel.search.code_table import NOT_ALLOWED, CodeTable
from bitreel.search.finder import Finder
from bitreel.search.neighbours import Neighbours, NeighboursWithin
from bitreel.search.parts import Allowed, Part, Parts
from bitreel.search.postings import all_ids, nearest_ids
from bitreel.search.scan import Scan
from bitreel.search.threads import available_threads

# A part of fewer distinct codes is compared one by one in some twenty microseconds: tables have
# nothing to gain, and an addition need not wait for them.
TUNED_FROM = 50_000


class Index(ABC):
    """Codes with ids, and the nearest of them to a query. The base of all indexes.

    codes: N codes. ids: int64 [N], one for each code, no two the same, below 2**63 - 1; 0 to N-1
    when not given. threads: how many a search may use, all processors when not given. The codes are
    copied. A search answers for what the index held when it began, so threads may search while one
    adds or removes. Raises CodesError where the ids do not fit the codes, ConfigError for
    threads < 1.
    """

    def __init__(
        self,
        codes: BinaryCodes,
        ids: NDArray[np.int64] | None = None,
        *,
        threads: int | None = None,
    ) -> None:
        if threads is not None and threads < 1:
            raise ConfigError(f"A search runs in 1 thread or more, got threads={threads}.")
        self._threads = threads or available_threads()
        self._none = BinaryCodes(np.empty((0, codes.packed.shape[1]), np.uint8), codes.bits)
        self._changing = Lock()
        self._parts = Parts(())
        self.add(codes, np.arange(len(codes), dtype=np.int64) if ids is None else ids)

    kind: ClassVar[str]
    """The one word by which people choose this index."""

    @abstractmethod
    def _tuned(self, table: CodeTable) -> Finder:
        """What finds the codes of a new part of TUNED_FROM distinct codes or more."""

    def _finder(self, table: CodeTable) -> Finder:
        """What finds the codes of a new part."""
        return self._tuned(table) if len(table) >= TUNED_FROM else Scan(table)

    @classmethod
    def finder_from(cls, table: CodeTable, arrays: dict[str, NDArray[Any]]) -> Finder:
        """The finder of a part from what its `arrays` gave, which may be mapped since.

        A scan gives none.
        """
        return Scan(table)

    @property
    def options(self) -> dict[str, Any]:
        """What else than codes, ids and threads the index was made with: JSON values."""
        return {}

    @property
    def stated_recall(self) -> float:
        """The share of the nearest that a search is to find: all of them, in an exact index."""
        return 1.0

    @property
    def parts(self) -> tuple[Part, ...]:
        """What the index consists of now, the oldest part first."""
        return self._parts.parts

    def with_parts(self, parts: Parts) -> Self:
        """An index with the options of this one that holds other parts."""
        other = copy(self)
        other._changing, other._parts = Lock(), parts
        return other

    def snapshot(self) -> Self:
        """The index as it is now: what this one takes or forgets later does not change it.

        It costs nothing, since the two share all that they hold.
        """
        return self.with_parts(self._parts)

    @property
    def bits(self) -> int:
        return self._none.bits

    @property
    def ids(self) -> NDArray[np.int64]:
        """The ids that the index holds, rising: int64 [N], read-only."""
        return self._parts.ids

    @property
    def distinct(self) -> int:
        """The number of distinct codes; one that stands in two parts counts twice."""
        return sum(len(part.table) for part in self.parts)

    def __len__(self) -> int:
        return len(self._parts)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} x {self.bits} bits)"

    def add(self, codes: BinaryCodes, ids: NDArray[np.int64]) -> None:
        """Take more codes, each with an id [N] of its own, in any order.

        Raises CodesError for codes of another width, and for ids that do not fit or are held.
        """
        check_same_width(codes, self._none)
        ids = _checked_ids(ids, len(codes))
        with self._changing:
            held = self._parts.holds(ids)
            if held.any():
                raise CodesError(
                    f"The index already holds id {ids[held][0]}: remove it first, or give the code "
                    f"one id of its own."
                )
            if len(ids):
                self._parts = self._parts.with_part(CodeTable.of(codes, ids), self._finder)

    def remove(self, ids: NDArray[np.int64]) -> None:
        """Forget the codes with these ids [M]. Raises CodesError for an id that is not held."""
        ids = np.unique(ids)
        with self._changing:
            missing = ids[~self._parts.holds(ids)]
            if len(missing):
                raise CodesError(f"The index does not hold id {missing[0]}: it can not be removed.")
            self._parts = self._parts.without(ids, self._finder)

    def search(
        self,
        queries: BinaryCodes,
        k: int,
        *,
        allowed: Allowed | None = None,
        relaxed: NDArray[np.float32] | None = None,
    ) -> Neighbours:
        """The min(k, N allowed) nearest codes of each of the Q queries.

        Equal distances stand in the order of their ids, also where k cuts through them. k = 0 gives
        empty rows. allowed: what may be answered, all when not given. Either int64 [M], ids in any
        order, of which those that the index does not hold are passed over. Or bool [N], in the
        order of `ids`: the quicker one for many, and for an index that stays as it is. Where others
        add or remove meanwhile, take a `snapshot`, and ask it for both its ids and the answer.
        relaxed: float32 [Q,bits] in [0,1], what the queries were made of, for an index that asks
        how sure each bit is. Raises CodesError for arrays that do not fit, ConfigError for k < 0.
        """
        parts = self._parts
        self._check(parts, queries, allowed, relaxed)
        if k < 0:
            raise ConfigError(f"The number of neighbours must be 0 or more, got k={k}.")
        words = queries.words()
        answering = parts.answering(allowed)
        k = min(k, sum(len(view) for _, view in answering))
        if not k or not len(queries):
            best = Best.room(len(queries), k)
            return Neighbours(best.keys, best.distances)
        found = []
        for finder, view in answering:
            most = min(k, len(view))
            near = finder.nearest(words, most, view.keys, relaxed, self._threads)
            found.append(nearest_ids(*near, view, most))
        best = Best.merged(found, k)
        return Neighbours(best.keys, best.distances)

    def within(
        self,
        queries: BinaryCodes,
        radius_bits: int,
        *,
        allowed: Allowed | None = None,
    ) -> NeighboursWithin:
        """All codes at most `radius_bits` away from each of the Q queries.

        allowed: as for `search`. Raises CodesError for arrays that do not fit, ConfigError for a
        radius below 0.
        """
        parts = self._parts
        self._check(parts, queries, allowed, None)
        if radius_bits < 0:
            raise ConfigError(f"A radius has 0 bits or more, got radius_bits={radius_bits}.")
        words, radius_bits = queries.words(), min(radius_bits, self.bits)
        found = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int32))]
        for finder, view in parts.answering(allowed) if len(queries) else []:
            near = finder.within(words, radius_bits, view.keys, self._threads)
            found.append(all_ids(*near, view))
        query, ids, distances = (np.concatenate(each) for each in zip(*found, strict=True))
        order = np.lexsort((ids, distances, query))
        offsets = np.zeros(len(queries) + 1, np.int64)
        np.cumsum(np.bincount(query, minlength=len(queries)), out=offsets[1:])
        return NeighboursWithin(offsets, ids[order], distances[order])

    def _check(
        self,
        parts: Parts,
        queries: BinaryCodes,
        allowed: Allowed | None,
        relaxed: NDArray[np.float32] | None,
    ) -> None:
        check_same_width(queries, self._none)
        if allowed is not None and not _fits(allowed, len(parts)):
            raise CodesError(
                f"Expected a filter of booleans [{len(parts)}], one for each id of the index in "
                f"rising order, or of ids int64 [M], got {allowed.dtype} {list(allowed.shape)}."
            )
        if relaxed is not None and relaxed.shape != (len(queries), self.bits):
            raise CodesError(
                f"Expected the queries' relaxed bits [{len(queries)},{self.bits}], "
                f"got {list(relaxed.shape)}."
            )


def _fits(allowed: Allowed, ids: int) -> bool:
    if allowed.dtype == bool:
        return allowed.shape == (ids,)
    return allowed.dtype == np.int64 and allowed.ndim == 1


def _checked_ids(ids: NDArray[np.int64], codes: int) -> NDArray[np.int64]:
    """A copy of the ids, once they fit."""
    if ids.dtype != np.int64 or ids.shape != (codes,):
        raise CodesError(
            f"Expected ids int64 [{codes}], one for each code, got {ids.dtype} {list(ids.shape)}."
        )
    rising = ids if np.all(ids[1:] > ids[:-1]) else np.sort(ids)
    if np.any(rising[1:] == rising[:-1]):
        raise CodesError("Two codes have one id: give each code its own.")
    if codes and rising[-1] == NOT_ALLOWED:
        raise CodesError(f"{NOT_ALLOWED} can not be an id: take a smaller number.")
    return ids.copy()
