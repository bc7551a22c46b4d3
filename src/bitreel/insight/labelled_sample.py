"""What a library's labels tell about its distances: a sample of its labelled segments."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitreel.insight.distance_calibration import DistanceCalibration, SharedLabel, Unknown
from bitreel.read_ahead import in_groups

if TYPE_CHECKING:
    from bitreel.library import Library
    from bitreel.library.engine import AnyOpened

SEGMENTS = 2000  # labelled ones that are compared with each other: two million pairs
LOOKS = 3 * SEGMENTS  # segments that are looked at for that, where many have no label
_SEED, _AT_ONCE = 0, 1000


@dataclass(frozen=True)
class _State:
    """Of a library: as long as it is the same, what its labels tell is the same."""

    fingerprint: str
    revision: int
    labels: tuple[tuple[str, int], ...]


class LibraryCalibration:
    """How often clips of a library share the label, by their distance. Threads may share one.

    It is worked out from at most `SEGMENTS` labelled segments, drawn with a fixed seed from all
    alike, so that a million segments take no longer than that; and again after the library changed.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._turn = threading.Lock()
        self._state: _State | None = None
        self._known: DistanceCalibration | Unknown = Unknown("nothing was looked at")

    def at(self, distance_bits: int) -> SharedLabel | Unknown:
        """Raises LibraryError."""
        with self._turn:
            self._library._ask(self._follow)
            known = self._known
            return known if isinstance(known, Unknown) else known.at(distance_bits)

    def _follow(self, opened: AnyOpened) -> None:
        catalogue = opened.catalogue
        with catalogue.transaction():
            state = _State(
                opened.facts.fingerprint,
                catalogue.revision(),
                tuple(sorted(catalogue.labels().items())),
            )
            if state != self._state:
                self._known = _calibrate(opened)
                self._state = state


def _calibrate(opened: AnyOpened) -> DistanceCalibration | Unknown:
    catalogue, bits = opened.catalogue, opened.facts.bits
    order = np.random.default_rng(_SEED).permutation(catalogue.ids())[:LOOKS]
    ids, labels, videos = list[int](), list[str](), list[Path]()
    for some in in_groups(order.tolist(), _AT_ONCE):
        for segment_id, (segment, label) in zip(some, catalogue.segments_by(some), strict=True):
            if label is not None and len(ids) < SEGMENTS:
                ids.append(segment_id)
                labels.append(label)
                videos.append(segment.path)
        if len(ids) == SEGMENTS:
            break
    if not ids:
        return Unknown("the library's videos have no labels")
    codes = catalogue.codes_of(np.array(ids, np.int64), bits=bits)
    return DistanceCalibration(codes, _numbered(labels), _numbered(videos))


def _numbered(values: Sequence[Hashable]) -> NDArray[np.int64]:
    """A number for each value, the same for the same."""
    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(value, len(known)) for value in values], np.int64)
