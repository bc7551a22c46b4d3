"""Whether a store answers as the embedded one does: the same videos in both, the same questions."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from bitreel.clip import Segment
from bitreel.codes import BinaryCodes
from bitreel.library.catalogue import Catalogue
from bitreel.library.listing import VideoFilter
from bitreel.library.records import CodedSegment, FileState, VideoRecord
from bitreel.library.searched_codes import Near, SearchedCodes
from bitreel.library.store.embedded import EmbeddedStore
from bitreel.library.store.store import Store
from bitreel.progress import Progress, Step

SEGMENTS, BITS = 20_000, 256
_SEGMENTS_OF_VIDEO, _SECONDS = 4, 2.0
_QUERIES, _WRITERS, _AT_ONCE = 20, 4, 500
_LABELS = ("run", "jump", "swim", "")

Key = tuple[Path, float]


@dataclass(frozen=True)
class Check:
    """One question. wrong: what came out otherwise, None where all was the same."""

    name: str
    wrong: str | None


def made_videos(segments: int, bits: int, seed: int) -> list[VideoRecord]:
    """Videos with codes that lie in clusters, so that many distances are equal."""
    generator = np.random.default_rng(seed)
    centres = generator.integers(0, 2, (max(1, segments // 50), bits), np.uint8)
    bit_rows = centres[generator.integers(0, len(centres), segments)]
    bit_rows ^= generator.random((segments, bits)) < 0.05
    codes = np.packbits(bit_rows, axis=1)
    return [
        _video(number, codes[first : first + _SEGMENTS_OF_VIDEO])
        for number, first in enumerate(range(0, segments, _SEGMENTS_OF_VIDEO))
    ]


def _video(number: int, codes: NDArray[np.uint8]) -> VideoRecord:
    label = _LABELS[number % len(_LABELS)]
    path = Path(f"/verified/{label or 'unknown'}/{number:07}.mp4")
    segments = [
        CodedSegment(Segment(path, row * _SECONDS, (row + 1) * _SECONDS), code.tobytes())
        for row, code in enumerate(codes)
    ]
    state = FileState(number, number)
    return VideoRecord(path, state, label or None, len(segments) * _SECONDS, segments)


def verify(
    store: Store, *, segments: int = SEGMENTS, seed: int = 0, progress: Progress
) -> Iterator[Check]:
    """Fill an empty store and an embedded one alike, change both alike, and compare.

    The store holds what was made for this afterwards: the caller throws it away. Raises
    LibraryError where it can not be asked at all.
    """
    videos = made_videos(segments, store.bits, seed)
    with embedded(store.bits) as twin:
        pair = _Pair(store, twin, videos, seed)
        yield from pair.fill(progress)
        yield from pair.compare("as filled")
        yield from pair.change()
        yield from pair.compare("after deletions and rewriting")


@contextmanager
def embedded(bits: int) -> Iterator[EmbeddedStore]:
    """An empty store in a folder that goes."""
    with TemporaryDirectory() as folder:
        catalogue = Catalogue(Path(folder) / "catalogue.sqlite", create=True)
        try:
            catalogue.lay_out(bits=bits, fingerprint="verified", segmenting="{}")
            searched = SearchedCodes(Path(folder), catalogue, bits=bits, fingerprint="verified")
            yield EmbeddedStore(catalogue, searched, bits)
        finally:
            catalogue.close()


class _Pair:
    """The store that is verified and its twin."""

    def __init__(
        self, store: Store, twin: EmbeddedStore, videos: Sequence[VideoRecord], seed: int
    ) -> None:
        self.store, self.twin, self.videos = store, twin, list(videos)
        self.chance = random.Random(seed)
        self.keys: dict[str, dict[int, Key]] = {}

    def fill(self, progress: Progress) -> Iterator[Check]:
        """Several writers at once, which also write the same videos."""
        parts = [
            self.videos[first : first + _AT_ONCE] for first in range(0, len(self.videos), _AT_ONCE)
        ]
        twice = parts + self.chance.sample(parts, (len(parts) + 3) // 4)
        with ThreadPoolExecutor(_WRITERS) as pool:
            for done, _ in enumerate(pool.map(self.store.add, twice), 1):
                progress(Step("filling", done, len(twice)))
        self.twin.add(self.videos)
        yield self._same("four writers at once, a quarter written twice", self._content)

    def change(self) -> Iterator[Check]:
        gone = self.chance.sample(self.videos, len(self.videos) // 10)
        paths = [video.path for video in gone]
        yield self._same("deletions", lambda store: store.delete(paths))
        yield self._same("deletions of what is gone", lambda store: store.delete(paths))
        codes = [coded.code for video in self.videos for coded in video.segments]
        self.chance.shuffle(codes)
        again = [self._shorter(video, codes) for video in self.videos[: len(self.videos) // 10]]
        for store in (self.store, self.twin):
            store.add(again)
            store.add(gone[: len(gone) // 2])
        yield self._same("videos written anew with fewer segments", self._content)

    def compare(self, when: str) -> Iterator[Check]:
        self.store.flush()
        self.keys = {name: _keys(store) for name, store in self._both()}
        queries = self._queries()
        filters = {
            "": None,
            ", of one label": VideoFilter(label=_LABELS[0]),
            ", below a folder": VideoFilter(folder=Path("/verified/jump")),
            ", by text": VideoFilter(text="SWIM/00000"),
            ", by length": VideoFilter(max_seconds=2 * _SECONDS),
        }
        for what, wanted in filters.items():
            for k in (1, 10, 100) if wanted is None else (10,):
                yield self._searched(f"{when}: the {k} nearest{what}", queries, k, wanted)
            yield self._ranged(f"{when}: all within {self._radius} bits{what}", queries, wanted)
            yield self._counted(f"{when}: the number{what}", wanted)
        few = VideoFilter(text="/0000001")
        more = 10 + self.twin.count(few)
        yield self._searched(f"{when}: more than there are", queries, more, few)

    @property
    def _radius(self) -> int:
        return self.store.bits // 8

    def _both(self) -> list[tuple[str, Store]]:
        return [("store", self.store), ("twin", self.twin)]

    def _queries(self) -> BinaryCodes:
        chosen = self.chance.sample(self.videos, min(_QUERIES, len(self.videos)))
        packed = np.frombuffer(b"".join(v.segments[0].code for v in chosen), np.uint8)
        return BinaryCodes(packed.reshape(len(chosen), -1).copy(), self.store.bits)

    def _shorter(self, video: VideoRecord, codes: list[bytes]) -> VideoRecord:
        segments = [CodedSegment(coded.segment, codes.pop()) for coded in video.segments[:2]]
        state = FileState(video.state.size_bytes + 1, video.state.mtime_ns)
        return VideoRecord(video.path, state, video.label, 2 * _SECONDS, segments)

    def _searched(
        self, name: str, queries: BinaryCodes, k: int, wanted: VideoFilter | None
    ) -> Check:
        found = {side: store.search(queries, k, wanted) for side, store in self._both()}
        for row, (ours, theirs) in enumerate(zip(found["store"], found["twin"], strict=True)):
            if [n.distance_bits for n in ours] != [n.distance_bits for n in theirs]:
                return Check(name, f"query {row}: other distances")
            if ours != sorted(ours, key=lambda n: (n.distance_bits, n.segment_id)):
                return Check(name, f"query {row}: equal distances not in the order of ids")
            if not ours:
                continue
            last = ours[-1].distance_bits  # of those that are as far k may have cut off some
            if self._named("store", ours, last) != self._named("twin", theirs, last):
                return Check(name, f"query {row}: other segments")
            as_far = {n.segment_id for n in ours if n.distance_bits == last}
            within = self.twin.range(queries[[row]], last, wanted)[0]
            allowed = {self.keys["twin"][n.segment_id] for n in within}
            if not {self.keys["store"].get(one) for one in as_far} <= allowed:
                return Check(name, f"query {row}: segments that are not so near")
        return Check(name, None)

    def _named(self, side: str, found: Sequence[Near], below: int) -> set[tuple[int, Key | None]]:
        keys = self.keys[side]
        return {(n.distance_bits, keys.get(n.segment_id)) for n in found if n.distance_bits < below}

    def _ranged(self, name: str, queries: BinaryCodes, wanted: VideoFilter | None) -> Check:
        found = {
            side: [
                self._named(side, near, self._radius + 1)
                for near in store.range(queries, self._radius, wanted)
            ]
            for side, store in self._both()
        }
        return Check(name, None if found["store"] == found["twin"] else "other segments")

    def _counted(self, name: str, wanted: VideoFilter | None) -> Check:
        return self._same(name, lambda store: store.count(wanted))

    def _content(self, store: Store) -> dict[tuple[Path, float, float], bytes]:
        found: dict[tuple[Path, float, float], bytes] = {}
        for part in store.iterate():
            rows = zip(
                part.paths, part.starts_seconds, part.ends_seconds, part.codes.packed, strict=True
            )
            found |= {(path, float(a), float(b)): code.tobytes() for path, a, b, code in rows}
        return found | {(Path("segments"), 0.0, 0.0): str(store.count()).encode()}

    def _same(self, name: str, ask: Callable[[Store], object]) -> Check:
        self.store.flush()
        ours, theirs = ask(self.store), ask(self.twin)
        if ours == theirs:
            return Check(name, None)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            return Check(name, f"{len(ours.items() ^ theirs.items())} segments are not the same")
        return Check(name, f"{ours} in place of {theirs}")


def _keys(store: Store) -> dict[int, Key]:
    return {
        int(one): (path, float(start))
        for part in store.iterate()
        for one, path, start in zip(part.ids, part.paths, part.starts_seconds, strict=True)
    }
