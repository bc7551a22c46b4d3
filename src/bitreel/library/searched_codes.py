"""What a search of a library runs on: an index that follows the catalogue.

LIBRARY/index/   the index that was planned, mapped when a search wants it

The catalogue is the truth and the index is made from it: where its files are missing, damaged, of
another version or of another library, all codes are compared one by one, and where the catalogue
went on, the index takes the difference. What a search took from the catalogue so is written beside
it once that is a good part of the whole: no other search need take it again.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock, RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.errors import CodesError, LibraryError
from bitreel.library.catalogue import Catalogue
from bitreel.library.listing import VideoFilter
from bitreel.progress import Progress, Step
from bitreel.search import (
    AsymmetricNeighbours,
    AsymmetricReranker,
    ExactIndex,
    Index,
    Neighbours,
    Plan,
    Wish,
    open_index,
    plan_index,
    save_index,
    saved_facts,
)

INDEX = "index"
PLANNED_FROM = 100_000  # segments: below, all codes are read and compared in no time
WRITTEN_FROM = 0.1  # of the segments that a search had to take from the catalogue
SHORTLIST = 100  # segments to re-rank, where ten for each hit are fewer
_FILTERS = 4  # whose segments are remembered, 8 bytes each

Facts = dict[str, Any]


@dataclass(frozen=True)
class Near:
    """A segment near to a query."""

    segment_id: int
    distance_bits: int
    asymmetric_bits: float | None = None


def near_of(found: Neighbours | AsymmetricNeighbours) -> list[list[Near]]:
    """Of each query."""
    fields: list[NDArray[Any]] = [found.ids, found.distances_bits]
    if isinstance(found, AsymmetricNeighbours):
        fields.append(found.asymmetric_bits)
    columns = [field.tolist() for field in fields]
    return [[Near(*one) for one in zip(*row, strict=True)] for row in zip(*columns, strict=True)]


def _without(ids: NDArray[np.int64], some: set[int]) -> NDArray[np.int64]:
    """Both rise. Few are left out of many: no need to sort them all again."""
    if not len(ids) or not some:
        return ids
    left_out = np.array(sorted(some), np.int64)
    places = np.searchsorted(ids, left_out).clip(max=len(ids) - 1)
    return np.delete(ids, places[ids[places] == left_out])


class SearchedCodes:
    """The codes of a library, ready to be searched.

    bits, fingerprint: of the library. Threads may share one.
    """

    def __init__(self, folder: Path, catalogue: Catalogue, *, bits: int, fingerprint: str) -> None:
        self.folder = folder / INDEX
        self._catalogue, self._bits, self._fingerprint = catalogue, bits, fingerprint
        self._revision: int | None = None
        self._index: Index | None = None  # the planned one
        self._exact: Index | None = None  # the same codes for who wants more than it grants
        self._facts: Facts | None = None  # of the planned one, as they stood on the disk
        self._plan: Facts = {}
        self._unwritten = 0  # segments that it took or forgot since
        self._changing = RLock()
        self._filtered: dict[VideoFilter, tuple[int, NDArray[np.int64]]] = {}
        self._remembering = Lock()

    def allowed(self, wanted: VideoFilter, own: set[int]) -> NDArray[np.int64]:
        """The segments of videos that fit, without the query's own: int64 [M], rising."""
        return _without(self._fitting(wanted), own)

    def _fitting(self, wanted: VideoFilter) -> NDArray[np.int64]:
        """Who filters asks again and again: the last answers are remembered."""
        with self._catalogue.transaction():
            revision = self._catalogue.revision()
            with self._remembering:
                known = self._filtered.get(wanted)
            if known is not None and known[0] == revision:
                return known[1]
            fitting = self._catalogue.segment_ids_of(wanted)
        fitting.flags.writeable = False  # all who ask the same share it
        with self._remembering:
            self._filtered.pop(wanted, None)
            self._filtered[wanted] = revision, fitting
            if len(self._filtered) > _FILTERS:
                del self._filtered[next(iter(self._filtered))]
        return fitting

    def nearest(
        self,
        relaxed: NDArray[np.float32],
        k: int,
        *,
        recall: float,
        rerank: bool,
        allowed: NDArray[np.int64] | None = None,
    ) -> list[list[Near]]:
        """Of each query's relaxed bits [Q,K] the k nearest. allowed: int64 [M], the ids that may be
        answered; all when None."""
        index = self.index(recall)
        queries = BinaryCodes.from_relaxed(relaxed)
        most = max(SHORTLIST, 10 * k) if rerank else k
        found = index.search(queries, most, allowed=allowed, relaxed=relaxed)
        if rerank:
            ids = np.unique(found.ids)
            codes = self._catalogue.codes_of(ids, bits=self._bits)
            return near_of(AsymmetricReranker(codes, ids).rerank(relaxed, found, k))
        return near_of(found)

    def index(self, recall: float = 1.0) -> Index:
        """The index as the catalogue stands now, one that grants the recall."""
        with self._catalogue.transaction(), self._changing:
            revision = self._catalogue.revision()
            if self._index is None:
                self._open()
            assert self._index is not None
            if self._revision != revision:
                self._unwritten += self._follow(self._index)
                self._exact, self._revision = None, revision
                self._write_if_due(self._index)
            if self._index.stated_recall >= recall:
                return self._index
            self._exact = self._exact or ExactIndex.sharing(self._index)
            return self._exact

    def plan(self, wish: Wish, progress: Progress) -> Plan:
        """Measure which index is the best, keep it, and write it beside the catalogue."""
        with self._catalogue.transaction():
            revision = self._catalogue.revision()
            ids, codes = self._catalogue.codes(bits=self._bits)
            facts = self._facts_of(ids, revision)
        progress(Step("planning", 0, 1))
        index, plan = plan_index(codes, ids, wish, progress=progress)
        with self._changing:
            try:
                self._write(index, facts, asdict(plan))
            except OSError as error:
                raise LibraryError(
                    f"The index can not be written to {self.folder} ({error.strerror}): the "
                    f"library is as it was, and searches compare every code."
                ) from error
            self._index, self._exact, self._revision = index, None, revision
        return plan

    def replan(self, progress: Progress) -> Plan:
        """Plan again for what was wished for the last time."""
        facts = self.planned()
        return self.plan(Wish(**facts["plan"]["wish"]) if facts else Wish(), progress)

    def is_plan_due(self) -> bool:
        """Whether there are enough segments for a planned index, and twice as many as at the last
        plan."""
        segments = self._catalogue.segments()
        if segments < PLANNED_FROM:
            return False
        facts = self.planned()
        return facts is None or 2 * facts["plan"]["codes"] <= segments

    def planned(self) -> Facts | None:
        """The facts of the index that is saved, None where it is of no use. Looks at no code."""
        with suppress(CodesError):
            facts = saved_facts(self.folder)
            return facts if self._is_ours(facts) else None
        return None

    def _open(self) -> None:
        """The index that is saved, an empty one where it can not be used."""
        with suppress(CodesError):
            index, facts = open_index(self.folder)
            if index.bits == self._bits and self._is_ours(facts):
                self._index, self._revision = index, facts["revision"]
                self._facts, self._plan = facts, facts["plan"]
                return
        none = BinaryCodes(np.empty((0, (self._bits + 7) // 8), np.uint8), self._bits)
        self._index, self._facts, self._revision = ExactIndex(none), self.planned(), None
        # Of an index that can not be used its wish is left, and another plan is due at once.
        wish = Wish(**self._facts["plan"]["wish"]) if self._facts else Wish()
        self._plan = asdict(Plan("exact", wish, 0, 0, "the index that was planned is lost"))

    def _follow(self, index: Index) -> int:
        """Take what was added to the catalogue since, and forget what was taken from it.

        Gives how many segments that were.
        """
        last = int(index.ids[-1]) if len(index) else 0
        ids, codes = self._catalogue.codes(bits=self._bits, after=last)
        gone = np.empty(0, np.int64)
        if len(index) + len(ids) != self._catalogue.segments():
            gone = np.setdiff1d(index.ids, self._catalogue.ids(), assume_unique=True)
            index.remove(gone)
        index.add(codes, ids)
        return len(ids) + len(gone)

    def _write_if_due(self, index: Index) -> None:
        """Save other searches the trouble, where the disk lets us and no one put another index
        there meanwhile."""
        if len(index) < PLANNED_FROM or self._unwritten < WRITTEN_FROM * len(index):
            return
        assert self._revision is not None
        if self.planned() == self._facts:
            with suppress(OSError):
                self._write(index, self._facts_of(index.ids, self._revision), self._plan)

    def _write(self, index: Index, facts: Facts, plan: Facts) -> None:
        facts = facts | {"plan": plan}
        save_index(index, self.folder, facts)
        self._facts, self._plan, self._unwritten = json.loads(json.dumps(facts)), plan, 0

    def _facts_of(self, ids: NDArray[np.int64], revision: int) -> Facts:
        """What tells whether an index of these segments fits a catalogue."""
        rows = np.unique(np.r_[np.linspace(0, len(ids) - 1, 50), np.arange(-50, 0) + len(ids)])
        some = ids[rows[rows >= 0].astype(int)] if len(ids) else ids
        packed = self._catalogue.codes_of(some, bits=self._bits).packed
        return {
            "fingerprint": self._fingerprint,
            "revision": revision,
            "sample": {
                str(one): code.tobytes().hex() for one, code in zip(some, packed, strict=True)
            },
        }

    def _is_ours(self, facts: Facts) -> bool:
        """Whether the index was made from this catalogue. One that was put back to an earlier state
        gives out the same ids again."""
        if facts.get("fingerprint") != self._fingerprint:
            return False
        return facts["revision"] <= self._catalogue.revision() and self._agrees(facts["sample"])

    def _agrees(self, sample: dict[str, str]) -> bool:
        """Whether the catalogue holds no other codes under these ids."""
        for segment_id, code in sample.items():
            with suppress(LibraryError):  # one that is gone
                stored = self._catalogue.codes_of(np.array([int(segment_id)]), bits=self._bits)
                if stored.packed[0].tobytes().hex() != code:
                    return False
        return True
