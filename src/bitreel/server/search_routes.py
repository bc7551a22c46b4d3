"""Searches: with a video that is sent, with one of the library, with segments."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, UploadFile
from pydantic import BaseModel, Field

from bitreel.errors import ConfigError, NotInLibrary, VideoTooLarge
from bitreel.library import VideoFilter
from bitreel.library.records import printable
from bitreel.server.asking import (
    MOST_HITS,
    K,
    Searching,
    Seconds,
    Wanted,
    known_id,
    range_of,
    video_of,
)
from bitreel.server.schemas import Answer

_Number = Form(ge=0, le=1e9, allow_inf_nan=False)
_Recall = Annotated[float, Form(gt=0, le=1)]

router = APIRouter()


@dataclass(frozen=True)
class Sent:
    """What a form asks for beside its file. Raises ConfigError for a range that is none.

    exclude_self: leave out a video of the library whose file has the same content.
    """

    k: Annotated[int, Form(ge=0, le=MOST_HITS)] = 24
    start: Annotated[float, _Number] = 0.0
    end: Annotated[float | None, _Number] = None
    exclude_self: Annotated[bool, Form()] = False
    rerank: Annotated[bool, Form()] = False
    recall: _Recall = 1.0
    text: Annotated[str | None, Form(max_length=200)] = None
    label: Annotated[str | None, Form(max_length=200)] = None
    folder: Annotated[str | None, Form(max_length=4096)] = None
    min_seconds: Annotated[float | None, _Number] = None
    max_seconds: Annotated[float | None, _Number] = None

    @property
    def wanted(self) -> VideoFilter:
        folder = Path(self.folder) if self.folder else None
        return VideoFilter(self.text, self.label, folder, self.min_seconds, self.max_seconds)


class Like(BaseModel):
    """Segments of one video of the library to search with, and among which videos."""

    segments: list[int] = Field(max_length=50_000)  # a day of video
    k: int = Field(24, ge=0, le=MOST_HITS)
    exclude_self: bool = True
    recall: float = Field(1.0, gt=0, le=1)
    text: str | None = Field(None, max_length=200)
    label: str | None = Field(None, max_length=200)
    folder: str | None = Field(None, max_length=4096)
    min_seconds: float | None = Field(None, ge=0, le=1e9, allow_inf_nan=False)
    max_seconds: float | None = Field(None, ge=0, le=1e9, allow_inf_nan=False)

    @property
    def wanted(self) -> VideoFilter:
        folder = Path(self.folder) if self.folder else None
        return VideoFilter(self.text, self.label, folder, self.min_seconds, self.max_seconds)


@router.get("/videos/{video_id}/similar")
def similar(
    state: Searching,
    video_id: int,
    wanted: Wanted,
    start: Seconds = None,
    end: Seconds = None,
    k: K = 24,
    exclude_self: bool = True,
) -> Answer:
    """What looks like a video of the library, or like a range of it: by the codes that it has."""
    began, known = time.perf_counter(), list[int]()
    while True:
        video, segments = video_of(state, video_id)
        begin, stop = range_of(video, start, end)
        asked = [s.id for s in segments if s.start_seconds < stop and s.end_seconds > begin]
        if not asked:
            raise NotInLibrary(
                f"{printable(video.path.name)} has no segment from {begin:g} to {stop:g} s."
            )
        try:
            found = state.library.similar(asked, k=k, exclude_self=exclude_self, wanted=wanted)
        except NotInLibrary:  # indexed anew between two looks, or by another model: other segments
            if asked == known:
                raise
            known = asked
            continue
        return Answer.of(found, None, state.library.bits, time.perf_counter() - began)


@router.get("/segments/{segment_id}/similar")
def similar_to_segment(state: Searching, segment_id: int, wanted: Wanted, k: K = 24) -> Answer:
    """What looks like a segment of the library."""
    began = time.perf_counter()
    found = state.library.similar([known_id(segment_id)], k=k, wanted=wanted)
    return Answer.of(found, None, state.library.bits, time.perf_counter() - began)


@router.post("/similar")
def similar_to_segments(state: Searching, like: Like) -> Answer:
    """What looks like several segments of one video of the library."""
    began = time.perf_counter()
    found = state.library.similar(
        [known_id(one) for one in like.segments],
        k=like.k,
        exclude_self=like.exclude_self,
        recall=like.recall,
        wanted=like.wanted,
    )
    return Answer.of(found, None, state.library.bits, time.perf_counter() - began)


@router.post("/search")
def search(
    state: Searching,
    file: Annotated[UploadFile, File(description="A video.")],
    sent: Annotated[Sent, Depends()],
) -> Answer:
    """What looks like a video that is sent, or like a range of it."""
    if sent.end is not None and sent.end <= sent.start:
        raise ConfigError(
            f"The range ends at {sent.end:g} s, before it begins at {sent.start:g} s."
        )
    most = state.settings.query_seconds
    if sent.end is not None and sent.end - sent.start > most:
        raise ConfigError(f"A range to search with lasts {most:g} s at most.")
    began = time.perf_counter()
    name = file.filename or "query"
    with state.uploads.kept(file) as path, state.said_of(path, name):
        found = state.library.search(
            (state.indexed_as(path) or path) if sent.exclude_self else path,
            k=sent.k,
            start_seconds=sent.start,
            # A small file can say that it lasts for years: no more of it is looked at.
            end_seconds=sent.start + most if sent.end is None else sent.end,
            exclude_self=sent.exclude_self,
            rerank=sent.rerank,
            recall=sent.recall,
            wanted=sent.wanted,
        )
    if sent.end is None and found.end_seconds >= sent.start + most:
        raise VideoTooLarge(
            f"{printable(name)} lasts longer than the {most:g} s that are searched with at once: "
            f"give a range of it, by start and end."
        )
    return Answer.of(found, name, state.library.bits, time.perf_counter() - began)
