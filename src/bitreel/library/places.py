"""From the segments nearest to a query to the places that people see.

1. The nearest segment of the library that is in no place yet opens one.
2. The segments beside it in its video join, to both sides, as long as one follows the other without
   a gap and is at most `bits // 16` bits further than the nearest: the same thing goes on.
3. What overlaps a place without being so near is left out: it shows the same moments.
4. To a query of several segments, a place is as far as the mean, over the query's segments, of the
   distance to the nearest segment of the place. The best of one segment would put every video with
   the same title or a black frame first. In what order they come is not asked for: an action may be
   done faster, or twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes, hamming
from bitreel.library.catalogue import SegmentsOfVideo
from bitreel.library.engine import AnyCatalogue, AnySearched
from bitreel.library.results import Hit
from bitreel.library.searched_codes import Near

_SAME_SHARE = 16  # of the bits: what codes of one scene differ by
_GAP_SECONDS = 1e-6  # of rounding
# To a query of several segments the order changes with the mean: more places are looked at.
_POOL, _POOL_TIMES = 30, 3
_CELLS = 100_000  # of a query's segments times answers, held at once


def find_places(
    catalogue: AnyCatalogue,
    searched: AnySearched,
    relaxed: NDArray[np.float32],
    k: int,
    *,
    own: set[int],
    allowed: Any,
    recall: float,
    rerank: bool,
) -> tuple[Hit, ...]:
    """The k places nearest to a query of relaxed bits [Q,K], none with a segment in `own`.

    allowed: the segments of the videos that may be answered, int64 [M]; all when None. To be called
    within a transaction. Raises LibraryError.
    """
    total = catalogue.segments() if allowed is None else len(allowed)

    wanted = k if len(relaxed) == 1 else max(_POOL, _POOL_TIMES * k)
    depth = wanted + len(own)
    while k:
        near = _each_once(
            searched.nearest(some, depth, recall=recall, rerank=rerank, allowed=allowed)
            for some in _batches(relaxed, 10 * depth if rerank else depth)
        )
        gathered = _Places(catalogue, relaxed, own, rerank=rerank)
        places = gathered.gather(near, wanted)
        if len(places) == wanted or depth >= total:
            ranked = sorted(places, key=_Place.rank) if len(relaxed) > 1 else places
            return tuple(
                place.hit(rank, relaxed.shape[1]) for rank, place in enumerate(ranked[:k], start=1)
            )
        depth = min(total, 4 * depth)
    return ()


def _batches(relaxed: NDArray[np.float32], looked_at: int) -> Iterator[NDArray[np.float32]]:
    """Of a query's segments, for each of which so many answers are looked at."""
    at_once = max(1, _CELLS // looked_at)
    for first in range(0, len(relaxed), at_once):
        yield relaxed[first : first + at_once]


def _each_once(found: Iterable[Iterable[Iterable[Near]]]) -> list[Near]:
    """The segments nearest to any segment of a query, nearest first."""
    best: dict[int, Near] = {}
    for one in chain.from_iterable(chain.from_iterable(found)):
        known = best.get(one.segment_id)
        if known is None or _order(one) < _order(known):
            best[one.segment_id] = one
    return sorted(best.values(), key=_order)


def _order(near: Near) -> tuple[float, int, int]:
    asymmetric = near.distance_bits if near.asymmetric_bits is None else near.asymmetric_bits
    return asymmetric, near.distance_bits, near.segment_id


@dataclass(frozen=True)
class _Place:
    """A hit without its rank. The distances are not rounded."""

    path: Path
    start_seconds: float
    end_seconds: float
    label: str | None
    segment_id: int
    video_id: int
    distance_bits: float
    asymmetric_bits: float | None

    @property
    def distance(self) -> float:
        """The one that ranks."""
        return self.distance_bits if self.asymmetric_bits is None else self.asymmetric_bits

    def rank(self) -> tuple[float, float, int]:
        return self.distance, self.distance_bits, self.segment_id

    def hit(self, rank: int, bits: int) -> Hit:
        return Hit(
            rank=rank,
            path=self.path,
            start_seconds=self.start_seconds,
            end_seconds=self.end_seconds,
            distance_bits=int(self.distance_bits + 0.5),
            similarity=1 - self.distance / bits,
            label=self.label,
            segment_id=self.segment_id,
            video_id=self.video_id,
            asymmetric_bits=self.asymmetric_bits,
        )


class _Places:
    """Gathers segments into places, nearest first."""

    def __init__(
        self, catalogue: AnyCatalogue, relaxed: NDArray[np.float32], own: set[int], *, rerank: bool
    ) -> None:
        self.catalogue, self.own, self.rerank = catalogue, own, rerank
        self.relaxed = relaxed
        self.codes = BinaryCodes.from_relaxed(relaxed)
        self.taken: defaultdict[Path, list[tuple[float, float]]] = defaultdict(list)

    def gather(self, near: Iterable[Near], wanted: int) -> list[_Place]:
        places: list[_Place] = []
        for one in near:
            if len(places) == wanted:
                break
            if one.segment_id in self.own:
                continue
            segment, label = self.catalogue.segment(one.segment_id)
            if not self._overlaps(segment.path, segment.start_seconds, segment.end_seconds):
                places.append(self._open(one, segment.path, label))
        return places

    def _overlaps(self, path: Path, start_seconds: float, end_seconds: float) -> bool:
        return any(
            start_seconds < end - _GAP_SECONDS and end_seconds > start + _GAP_SECONDS
            for start, end in self.taken[path]
        )

    def _open(self, near: Near, path: Path, label: str | None) -> _Place:
        video = self.catalogue.neighbours(near.segment_id, bits=self.codes.bits)
        distances = hamming(self.codes, video.codes)
        members = self._members(path, video, distances.min(axis=0), near.segment_id)
        start = float(video.starts_seconds[members].min())
        end = float(video.ends_seconds[members].max())
        self.taken[path].append((start, end))
        distance: float = near.distance_bits
        asymmetric = near.asymmetric_bits
        if len(self.relaxed) > 1:
            distance = _mean_of_nearest(distances[:, members])
            if self.rerank:
                asymmetric = _mean_of_nearest(self._asymmetric(video.codes[members]))
        return _Place(
            path, start, end, label, near.segment_id, video.video_id, distance, asymmetric
        )

    def _members(
        self, path: Path, video: SegmentsOfVideo, distances: NDArray[np.int32], nearest_id: int
    ) -> slice:
        """The segments of the place around the nearest, in the order of time."""
        at = int(np.flatnonzero(video.ids == nearest_id)[0])
        most = distances[at] + self.codes.bits // _SAME_SHARE
        first = last = at
        starts, ends = video.starts_seconds, video.ends_seconds
        while (
            last + 1 < len(starts)
            and distances[last + 1] <= most
            and starts[last + 1] <= ends[first : last + 1].max() + _GAP_SECONDS
            and not self._overlaps(path, starts[last + 1], ends[last + 1])
        ):
            last += 1
        while (
            first > 0
            and distances[first - 1] <= most
            and ends[first - 1] >= starts[first] - _GAP_SECONDS
            and not self._overlaps(path, starts[first - 1], ends[first - 1])
        ):
            first -= 1
        return slice(first, last + 1)

    def _asymmetric(self, codes: BinaryCodes) -> NDArray[np.float32]:
        """From the query's relaxed bits: float32 [Q,M] (see `AsymmetricReranker`)."""
        stored = codes.unpack().astype(np.float32)
        rows = [((bits - stored) ** 2).sum(axis=1) for bits in self.relaxed]
        return np.stack(rows).astype(np.float32)


def _mean_of_nearest(distances: NDArray[np.generic]) -> float:
    """Of distances [Q,M]: each query's to its nearest, on average."""
    return float(distances.min(axis=1).mean())
