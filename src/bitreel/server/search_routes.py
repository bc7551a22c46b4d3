"""Searches: with a video that is sent, with one of the library, with a segment."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile

from bitreel.errors import ConfigError, NotInLibrary
from bitreel.library import SearchResults
from bitreel.library.records import printable
from bitreel.server.asking import K, Searching, Seconds, known_id, range_of, video_of
from bitreel.server.schemas import Answer, HitItem
from bitreel.server.state import State

router = APIRouter()


@router.get("/videos/{video_id}/similar")
def similar(
    state: Searching,
    video_id: int,
    start: Seconds = None,
    end: Seconds = None,
    k: K = 24,
    exclude_self: bool = True,
) -> Answer:
    """What looks like a video of the library, or like a range of it: by the codes that it has."""
    found, segments = video_of(state, video_id)
    begin, stop = range_of(found, start, end)
    asked = [s.id for s in segments if s.start_seconds < stop and s.end_seconds > begin]
    if not asked:
        raise NotInLibrary(
            f"{printable(found.path.name)} has no segment from {begin:g} to {stop:g} s."
        )
    began = time.perf_counter()
    results = state.library.similar(asked, k=k, exclude_self=exclude_self)
    return _answer(state, results, found.path.name, time.perf_counter() - began)


@router.get("/segments/{segment_id}/similar")
def similar_to_segment(state: Searching, segment_id: int, k: K = 24) -> Answer:
    """What looks like a segment of the library."""
    began = time.perf_counter()
    results = state.library.similar([known_id(segment_id)], k=k)
    return _answer(state, results, results.query.name, time.perf_counter() - began)


@router.post("/search")
def search(
    state: Searching,
    file: Annotated[UploadFile, File(description="A video.")],
    k: Annotated[int, Form(ge=1, le=200)] = 24,
    start: Annotated[float, Form(ge=0, le=1e9, allow_inf_nan=False)] = 0.0,
    end: Annotated[float | None, Form(ge=0, le=1e9, allow_inf_nan=False)] = None,
) -> Answer:
    """What looks like a video that is sent, or like a range of it."""
    if end is not None and end <= start:
        raise ConfigError(f"The range ends at {end:g} s, before it begins at {start:g} s.")
    began = time.perf_counter()
    name = file.filename or "query"
    with state.uploads.kept(file) as path, state.said_of(path, name):
        results = state.library.search(path, k=k, start_seconds=start, end_seconds=end)
    return _answer(state, results, name, time.perf_counter() - began)


def _answer(state: State, results: SearchResults, name: str, seconds: float) -> Answer:
    hits = []
    for hit in results.hits:
        segment = state.library.segment(hit.segment_id)
        hits.append(HitItem.of(hit, segment.video_id))
    return Answer.of(results, name, state.library.bits, seconds, hits)
