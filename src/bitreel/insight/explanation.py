"""Why a clip is a hit: the bits that agree, what the distance says of labels, and which frames of
the query weigh most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitreel.clip import Clip, Segment
from bitreel.codes import BinaryCodes, hamming
from bitreel.errors import ConfigError, VideoError
from bitreel.insight.compared_bits import ComparedBits
from bitreel.insight.distance_calibration import SharedLabel, Unknown
from bitreel.insight.frame_weights import FrameWeights, weigh_frames
from bitreel.insight.labelled_sample import LibraryCalibration
from bitreel.library.query import query_of
from bitreel.library.reading import read_clips
from bitreel.library.records import FileState, printable, resolved
from bitreel.video import WHOLE_VIDEOS

if TYPE_CHECKING:
    from bitreel.library import Hit, Library
    from bitreel.library.engine import AnyOpened
    from bitreel.model import Model


@dataclass(frozen=True, eq=False)
class Explanation:
    """Of one hit of a query.

    query: the segment of it that is nearest to the hit, which is the whole of a short query. hit:
    the hit's nearest segment. shared_label: how often clips that far apart have the same label.
    frames: the query's, by how much each brings it near to the hit's code.
    """

    query: Segment
    hit: Segment
    hit_segment_id: int
    hit_label: str | None
    bits: ComparedBits
    shared_label: SharedLabel | Unknown
    frames: FrameWeights | Unknown

    @property
    def distance_bits(self) -> int:
        return self.bits.distance_bits


class Explainer:
    """Explains hits of a library, which has to stay open. Threads may share one, and its second
    explanation does not count the library's labels again."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._calibration = LibraryCalibration(library)

    def explain(
        self,
        query: Path | str | Clip,
        hit: Hit | int,
        *,
        start_seconds: float = 0.0,
        end_seconds: float | None = None,
    ) -> Explanation:
        """Why a hit, or a segment of that id, was found by a query that `Library.search` was given.

        The video is read once more, in a process of its own. Raises VideoError where it can not be,
        NotInLibrary for a segment that is not there, ConfigError as `search` does, LibraryError.
        """

        def ask(opened: AnyOpened) -> Explanation:
            segment, label, code = _stored(opened, _id_of(hit))
            model, read = opened.model(), self._library._guarded_reader().read_segments
            if isinstance(query, Clip):
                query_of(model, opened.facts.segmenting, query, start_seconds, end_seconds, read)
                clips: Iterable[Clip] = [query]
            else:
                clips = read_clips(
                    model,
                    Path(query).absolute(),
                    opened.facts.segmenting,
                    read=read,
                    start_seconds=start_seconds,
                    end_seconds=end_seconds,
                )
            nearest = min((_Encoded.of(model, clip, code) for clip in clips), key=_distance)
            bits = ComparedBits(nearest.code.unpack()[0], code.unpack()[0], nearest.relaxed)
            return Explanation(
                nearest.clip.segment,
                segment,
                _id_of(hit),
                label,
                bits,
                self._calibration.at(bits.distance_bits),
                weigh_frames(model, nearest.clip, code, nearest.features),
            )

        return self._library._ask(ask)

    def explain_stored(self, segment_ids: Sequence[int], hit: Hit | int) -> Explanation:
        """Why a hit was found by segments of a video of the library, as `Library.similar` asks.

        Its bits are those that are stored. How sure they are, and what its frames weigh, is worked
        out from its file, and not known where that is gone or another. Raises NotInLibrary for a
        segment that is not there, ConfigError for none to ask with, LibraryError.
        """
        if not segment_ids:
            raise ConfigError("To be asked with is at least one segment.")

        def ask(opened: AnyOpened) -> Explanation:
            segment, label, code = _stored(opened, _id_of(hit))
            asked = [(one, *_stored(opened, one)) for one in segment_ids]
            segment_id, query, _, own = min(asked, key=lambda one: int(hamming(one[3], code)[0, 0]))
            again = self._again(opened, segment_id, query, code)
            relaxed: NDArray[np.float32] | None = None
            if isinstance(again, Unknown):
                frames: FrameWeights | Unknown = again
            else:
                relaxed = again.relaxed
                frames = weigh_frames(opened.model(), again.clip, code, again.features)
            bits = ComparedBits(own.unpack()[0], code.unpack()[0], relaxed)
            return Explanation(
                query,
                segment,
                _id_of(hit),
                label,
                bits,
                self._calibration.at(bits.distance_bits),
                frames,
            )

        return self._library._ask(ask)

    def _again(
        self, opened: AnyOpened, segment_id: int, segment: Segment, code: BinaryCodes
    ) -> _Encoded | Unknown:
        """A stored segment, read from its file once more."""
        catalogue = opened.catalogue
        (listed,) = catalogue.segments_of_ids([segment_id])
        video = catalogue.video(listed.video_id)
        if FileState.of(video.path) != video.state or resolved(video.path) != video.path:
            return Unknown(f"the file of {printable(video.path.name)} is gone, or is another now")
        model = opened.model()
        try:
            clips = read_clips(
                model,
                video.path,
                WHOLE_VIDEOS,
                read=self._library._guarded_reader().read_segments,
                start_seconds=segment.start_seconds,
                end_seconds=segment.end_seconds,
            )
            (clip,) = clips
        except VideoError as error:
            return Unknown(str(error))
        return _Encoded.of(model, clip, code)


def explain(
    library: Library,
    query: Path | str | Clip,
    hit: Hit | int,
    *,
    start_seconds: float = 0.0,
    end_seconds: float | None = None,
) -> Explanation:
    """One explanation. Whoever wants several keeps an `Explainer`, which has more on it."""
    explainer = Explainer(library)
    return explainer.explain(query, hit, start_seconds=start_seconds, end_seconds=end_seconds)


@dataclass(frozen=True, eq=False)
class _Encoded:
    """A clip of the query. relaxed: float32 [K]. distance_bits: from the hit."""

    clip: Clip
    features: list[NDArray[np.float32]]
    relaxed: NDArray[np.float32]
    code: BinaryCodes
    distance_bits: int

    @classmethod
    def of(cls, model: Model, clip: Clip, hit: BinaryCodes) -> _Encoded:
        features = model.features(clip)
        relaxed = model.relaxed_bits([part[None] for part in features])
        code = BinaryCodes.from_relaxed(relaxed)
        return cls(clip, features, relaxed[0], code, int(hamming(code, hit)[0, 0]))


def _distance(encoded: _Encoded) -> int:
    return encoded.distance_bits


def _id_of(hit: Hit | int) -> int:
    return hit if isinstance(hit, int) else hit.segment_id


def _stored(opened: AnyOpened, segment_id: int) -> tuple[Segment, str | None, BinaryCodes]:
    """A segment of the library, its label and its code. Raises NotInLibrary."""
    catalogue = opened.catalogue
    with catalogue.transaction():
        catalogue.segments_of_ids([segment_id])  # NotInLibrary, where it is not there
        segment, label = catalogue.segment(segment_id)
        codes = catalogue.codes_of(np.array([segment_id], np.int64), bits=opened.facts.bits)
        return segment, label, codes
