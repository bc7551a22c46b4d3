"""Why a hit was found, over HTTP."""

from __future__ import annotations

import threading
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from pydantic import BaseModel, Field

from bitreel.errors import ConfigError, NotInLibrary
from bitreel.insight.distance_calibration import SharedLabel, Unknown
from bitreel.insight.explanation import Explainer, Explanation
from bitreel.insight.frame_weights import FrameWeights
from bitreel.library.records import printable
from bitreel.server.asking import PROBLEMS, Searching, Seconds, known_id, range_of, video_of

router = APIRouter(prefix="/api", responses=PROBLEMS)  # type: ignore[arg-type]
_making = threading.Lock()


class BitItem(BaseModel):
    """One bit of two codes. relaxed: in [0,1], how sure the query's is; null where not known."""

    query: bool
    hit: bool
    relaxed: float | None


class SharedLabelItem(BaseModel):
    """How often clips of different videos, low_bits to high_bits apart, have one label.

    low, high: an interval for the share at that level, which knows that pairs of one video are no
    independent evidence. base_share: of all pairs, whatever their distance.
    """

    share: float
    low: float
    high: float
    level: float
    low_bits: int
    high_bits: int
    pairs: int
    videos: int
    base_share: float
    base_pairs: int

    @classmethod
    def of(cls, shared: SharedLabel) -> SharedLabelItem:
        return cls(
            share=shared.share,
            low=shared.interval.low,
            high=shared.interval.high,
            level=shared.interval.level,
            low_bits=shared.low_bits,
            high_bits=shared.high_bits,
            pairs=shared.pairs,
            videos=shared.videos,
            base_share=shared.base_share,
            base_pairs=shared.base_pairs,
        )


class FrameItem(BaseModel):
    """A frame of the query. weight_bits: how much further it would be from the hit without it."""

    time_seconds: float
    weight_bits: float


class ExplanationItem(BaseModel):
    """Why a hit was found: what compares is a segment of the query and one of the library."""

    query_start_seconds: float
    query_end_seconds: float
    hit_segment_id: int
    hit_start_seconds: float
    hit_end_seconds: float
    hit_label: str | None
    distance_bits: int
    bits: list[BitItem]
    shared_label: SharedLabelItem | None
    shared_label_unknown: str | None = Field(description="Why there is none.")
    frames: list[FrameItem]
    frames_unknown: str | None = Field(description="Why there are none.")

    @classmethod
    def of(cls, found: Explanation) -> ExplanationItem:
        shared, frames = found.shared_label, found.frames
        return cls(
            query_start_seconds=found.query.start_seconds,
            query_end_seconds=found.query.end_seconds,
            hit_segment_id=found.hit_segment_id,
            hit_start_seconds=found.hit.start_seconds,
            hit_end_seconds=found.hit.end_seconds,
            hit_label=None if found.hit_label is None else printable(found.hit_label),
            distance_bits=found.distance_bits,
            bits=_bits(found),
            shared_label=None if isinstance(shared, Unknown) else SharedLabelItem.of(shared),
            shared_label_unknown=shared.reason if isinstance(shared, Unknown) else None,
            frames=[] if isinstance(frames, Unknown) else _frames(frames),
            frames_unknown=frames.reason if isinstance(frames, Unknown) else None,
        )


def _bits(found: Explanation) -> list[BitItem]:
    bits = found.bits
    relaxed = [None] * len(bits.query) if bits.relaxed is None else bits.relaxed.tolist()
    rows = zip(bits.query.tolist(), bits.hit.tolist(), relaxed, strict=True)
    return [BitItem(query=query, hit=hit, relaxed=sure) for query, hit, sure in rows]


def _frames(frames: FrameWeights) -> list[FrameItem]:
    rows = zip(frames.times_seconds.tolist(), frames.weights_bits.tolist(), strict=True)
    return [FrameItem(time_seconds=time, weight_bits=weight) for time, weight in rows]


def _explainer(request: Request, state: Searching) -> Explainer:
    """One for the app: what the labels tell is counted once."""
    with _making:
        if not hasattr(request.app.state, "explainer"):
            request.app.state.explainer = Explainer(state.library)
    explainer: Explainer = request.app.state.explainer
    return explainer


Explaining = Annotated[Explainer, Depends(_explainer)]
HitId = Annotated[int, Query(description="The segment that was found.")]


@router.get("/segments/{segment_id}/explanation")
def of_segment(explainer: Explaining, segment_id: int, hit: HitId) -> ExplanationItem:
    """Why a segment was found by another one of the library."""
    return ExplanationItem.of(explainer.explain_stored([known_id(segment_id)], known_id(hit)))


@router.get("/videos/{video_id}/explanation")
def of_video(
    state: Searching,
    explainer: Explaining,
    video_id: int,
    hit: HitId,
    start: Seconds = None,
    end: Seconds = None,
) -> ExplanationItem:
    """Why a segment was found by a video of the library, or by a range of it."""
    found, segments = video_of(state, video_id)
    begin, stop = range_of(found, start, end)
    asked = [s.id for s in segments if s.start_seconds < stop and s.end_seconds > begin]
    if not asked:
        raise NotInLibrary(
            f"{printable(found.path.name)} has no segment from {begin:g} to {stop:g} s."
        )
    return ExplanationItem.of(explainer.explain_stored(asked, known_id(hit)))


@router.post("/explain")
def of_upload(
    state: Searching,
    explainer: Explaining,
    file: Annotated[UploadFile, File(description="The video that was searched with.")],
    hit: Annotated[int, Form(description="The segment that was found.")],
    start: Annotated[float, Form(ge=0, le=1e9, allow_inf_nan=False)] = 0.0,
    end: Annotated[float | None, Form(ge=0, le=1e9, allow_inf_nan=False)] = None,
) -> ExplanationItem:
    """Why a segment was found by a video that is sent, or by a range of it."""
    if end is not None and end <= start:
        raise ConfigError(f"The range ends at {end:g} s, before it begins at {start:g} s.")
    most = state.settings.query_seconds  # as of a search, whose hits are explained
    end = start + most if end is None else min(end, start + most)
    name, found = file.filename or "query", known_id(hit)
    with state.uploads.kept(file) as path, state.said_of(path, name):
        explanation = explainer.explain(path, found, start_seconds=start, end_seconds=end)
    return ExplanationItem.of(explanation)
