"""What keeps the codes of a library: one protocol, whatever engine is behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.library.listing import VideoFilter
from bitreel.library.records import VideoRecord
from bitreel.library.searched_codes import Near


@dataclass(frozen=True, eq=False)
class StoredSegments:
    """N segments as they are stored. ids: int64 [N], which hold in this store only. paths: of their
    videos. starts_seconds, ends_seconds: float64 [N]. codes: N of them."""

    ids: NDArray[np.int64]
    paths: Sequence[Path]
    starts_seconds: NDArray[np.float64]
    ends_seconds: NDArray[np.float64]
    codes: BinaryCodes

    def __len__(self) -> int:
        return len(self.ids)


class Store(Protocol):
    """Videos with their segments and codes. Every method raises LibraryError.

    What `add` and `delete` have returned from is kept, whoever is killed. Distances are in bits;
    equal ones are answered in the order of segment ids.
    """

    @property
    def bits(self) -> int: ...

    def add(self, videos: Sequence[VideoRecord]) -> None:
        """Write videos with all their segments, in place of what was there of them. To do it again
        changes nothing."""
        ...

    def delete(self, paths: Iterable[Path]) -> int:
        """Forget videos. How many of them were there with segments."""
        ...

    def search(
        self, queries: BinaryCodes, k: int, wanted: VideoFilter | None = None
    ) -> list[list[Near]]:
        """Of each query the k nearest segments of videos that fit, all where there are fewer."""
        ...

    def range(
        self, queries: BinaryCodes, radius_bits: int, wanted: VideoFilter | None = None
    ) -> list[list[Near]]:
        """Of each query all segments at most so far away."""
        ...

    def count(self, wanted: VideoFilter | None = None) -> int:
        """How many segments the videos that fit have together."""
        ...

    def iterate(self, batch: int = 10_000) -> Iterator[StoredSegments]:
        """All segments in the rising order of ids, so many at a time."""
        ...

    def flush(self) -> None:
        """Return when all that was added is on disk and seen by everyone."""
        ...

    def close(self) -> None: ...
