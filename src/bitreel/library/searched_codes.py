"""What a search of a library runs on: an index that follows the catalogue.

LIBRARY/index/   the index that was planned, mapped when a search wants it

The catalogue is the truth and the index is made from it: where its files are missing, damaged, of
another version or of another library, it is made anew, and where the catalogue went on, it takes
the difference.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.errors import CodesError, LibraryError
from bitreel.library.catalogue import Catalogue
from bitreel.progress import Progress, Step
from bitreel.search import (
    AsymmetricReranker,
    ExactIndex,
    Index,
    Plan,
    Wish,
    open_index,
    plan_index,
    save_index,
)

INDEX = "index"
PLANNED_FROM = 100_000  # segments: below, all codes are read and compared in no time
SHORTLIST = 100  # segments to re-rank, where ten for each hit are fewer


@dataclass(frozen=True)
class Near:
    """A segment near to a query."""

    segment_id: int
    distance_bits: int
    asymmetric_bits: float | None = None


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
        self._changing = RLock()

    def nearest(
        self, relaxed: NDArray[np.float32], k: int, *, recall: float, rerank: bool
    ) -> list[Near]:
        """The k nearest of one query's relaxed bits [1,K]."""
        index = self.index(recall)
        query = BinaryCodes.from_relaxed(relaxed)
        if not rerank:
            plain = index.search(query, k, relaxed=relaxed)
            pairs = zip(plain.ids[0].tolist(), plain.distances_bits[0].tolist(), strict=True)
            return [Near(*pair) for pair in pairs]
        shortlist = index.search(query, max(SHORTLIST, 10 * k), relaxed=relaxed)
        ids = np.sort(shortlist.ids[0])
        reranker = AsymmetricReranker(self._catalogue.codes_of(ids, bits=self._bits), ids)
        best = reranker.rerank(relaxed, shortlist, k)
        fields = (best.ids, best.distances_bits, best.asymmetric_bits)
        return [Near(*one) for one in zip(*(field[0].tolist() for field in fields), strict=True)]

    def index(self, recall: float = 1.0) -> Index:
        """The index as the catalogue stands now, one that grants the recall."""
        with self._changing:
            revision = self._catalogue.revision()
            if self._index is None:
                self._open()
            assert self._index is not None
            if self._revision != revision:
                self._follow(self._index)
                self._exact, self._revision = None, revision
            if self._index.stated_recall >= recall:
                return self._index
            self._exact = self._exact or ExactIndex.sharing(self._index)
            return self._exact

    def plan(self, wish: Wish, progress: Progress) -> Plan:
        """Measure which index is the best, keep it, and write it beside the catalogue."""
        with self._catalogue.transaction():
            revision = self._catalogue.revision()
            ids, codes = self._catalogue.codes(bits=self._bits)
        progress(Step("planning", 0, 1))
        index, plan = plan_index(codes, ids, wish, progress=progress)
        self._save(index, revision, plan, self._sample(ids, codes))
        with self._changing:
            self._index, self._exact, self._revision = index, None, revision
        return plan

    def is_plan_due(self) -> bool:
        """Whether there are enough segments for a planned index, and twice as many as at the last
        plan."""
        segments = self._catalogue.segments()
        if segments < PLANNED_FROM:
            return False
        facts = self.planned()
        return facts is None or 2 * facts["plan"]["codes"] <= segments

    def planned(self) -> dict[str, Any] | None:
        """The facts of the index that is saved, and None where there is none of use."""
        found = self._saved()
        return None if found is None else found[1]

    def _open(self) -> None:
        found = self._saved()
        if found is not None:
            self._index, facts = found
            self._revision = facts["revision"]
            return
        none = BinaryCodes(np.empty((0, (self._bits + 7) // 8), np.uint8), self._bits)
        self._index, self._revision = ExactIndex(none), None

    def _follow(self, index: Index) -> None:
        """Take what was added to the catalogue since, and forget what was taken from it."""
        last = int(index.ids[-1]) if len(index) else 0
        ids, codes = self._catalogue.codes(bits=self._bits, after=last)
        if len(index) + len(ids) != self._catalogue.segments():
            index.remove(np.setdiff1d(index.ids, self._catalogue.ids(), assume_unique=True))
        index.add(codes, ids)

    def _saved(self) -> tuple[Index, dict[str, Any]] | None:
        try:
            index, facts = open_index(self.folder)
        except CodesError:
            return None
        if (index.bits, facts.get("fingerprint")) != (self._bits, self._fingerprint):
            return None
        # A catalogue that was put back to an earlier state gives out the same ids again.
        if facts["revision"] > self._catalogue.revision() or not self._agrees(facts["sample"]):
            return None
        return index, facts

    def _sample(self, ids: NDArray[np.int64], codes: BinaryCodes) -> dict[str, str]:
        """Some codes by their ids, the last ones among them."""
        rows = np.unique(np.r_[np.linspace(0, len(ids) - 1, 50), np.arange(-50, 0) + len(ids)])
        rows = rows[rows >= 0].astype(int) if len(ids) else np.empty(0, int)
        return {str(ids[row]): codes.packed[row].tobytes().hex() for row in rows}

    def _agrees(self, sample: dict[str, str]) -> bool:
        """Whether the catalogue holds no other codes under these ids."""
        for segment_id, code in sample.items():
            with suppress(LibraryError):  # one that is gone
                stored = self._catalogue.codes_of(np.array([int(segment_id)]), bits=self._bits)
                if stored.packed[0].tobytes().hex() != code:
                    return False
        return True

    def _save(self, index: Index, revision: int, plan: Plan, sample: dict[str, str]) -> None:
        facts = {
            "fingerprint": self._fingerprint,
            "revision": revision,
            "plan": asdict(plan),
            "sample": sample,
        }
        try:
            save_index(index, self.folder, facts)
        except OSError as error:
            raise LibraryError(
                f"The index can not be written to {self.folder} ({error.strerror}): the library is "
                f"as it was, and searches compare every code."
            ) from error
