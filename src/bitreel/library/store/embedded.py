"""The store of a library in a folder: its catalogue, searched by bitreel's own index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.library.catalogue import Catalogue
from bitreel.library.listing import VideoFilter
from bitreel.library.records import VideoRecord
from bitreel.library.searched_codes import Near, SearchedCodes
from bitreel.library.store.store import StoredSegments
from bitreel.search import Neighbours


class EmbeddedStore:
    """See `Store`. bits: of the codes. Threads may share one, and processes a folder."""

    def __init__(self, catalogue: Catalogue, searched: SearchedCodes, bits: int) -> None:
        self.catalogue, self.searched, self._bits = catalogue, searched, bits

    @property
    def bits(self) -> int:
        return self._bits

    def add(self, videos: Sequence[VideoRecord]) -> None:
        self.catalogue.put_all(videos, again=True)

    def delete(self, paths: Iterable[Path]) -> int:
        return self.catalogue.remove(paths)

    def search(
        self, queries: BinaryCodes, k: int, wanted: VideoFilter | None = None
    ) -> list[list[Near]]:
        with self.catalogue.transaction():
            index = self.searched.index()
            return _near(index.search(queries, k, allowed=self._allowed(wanted)))

    def range(
        self, queries: BinaryCodes, radius_bits: int, wanted: VideoFilter | None = None
    ) -> list[list[Near]]:
        with self.catalogue.transaction():
            index, allowed = self.searched.index(), self._allowed(wanted)
            found = index.within(queries, radius_bits, allowed=allowed)
        pairs = list(zip(found.ids.tolist(), found.distances_bits.tolist(), strict=True))
        bounds = found.offsets.tolist()
        return [[Near(*pair) for pair in pairs[a:b]] for a, b in pairwise(bounds)]

    def count(self, wanted: VideoFilter | None = None) -> int:
        allowed = self._allowed(wanted)
        return self.catalogue.segments() if allowed is None else len(allowed)

    def iterate(self, batch: int = 10_000) -> Iterator[StoredSegments]:
        after = 0
        while True:
            with self.catalogue.transaction():
                part = self.catalogue.segment_columns(bits=self.bits, after=after, limit=batch)
                paths = {
                    one: self.catalogue.video(one).path for one in set(part.video_ids.tolist())
                }
            if not len(part):
                return
            yield StoredSegments(
                part.ids,
                [paths[one] for one in part.video_ids.tolist()],
                part.starts_seconds,
                part.ends_seconds,
                part.codes,
            )
            after = int(part.ids[-1])

    def flush(self) -> None:
        """Every transaction is on disk when it ends."""

    def close(self) -> None:
        self.catalogue.close()

    def _allowed(self, wanted: VideoFilter | None) -> NDArray[np.int64] | None:
        if wanted is None or wanted == VideoFilter():
            return None
        return self.searched.allowed(wanted, set())


def _near(found: Neighbours) -> list[list[Near]]:
    rows = zip(found.ids.tolist(), found.distances_bits.tolist(), strict=True)
    return [[Near(*pair) for pair in zip(ids, bits, strict=True)] for ids, bits in rows]
