"""What the routes share: who asks, what may be asked with, and where it is looked up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import Depends, Query, Request
from starlette.exceptions import HTTPException

from bitreel.errors import ConfigError, NotInLibrary
from bitreel.library.listing import IndexedVideo, SegmentOfVideo, VideoFilter
from bitreel.server.problems import Problem
from bitreel.server.state import State

MOST_HITS = 200
_MOST = 100_000_000  # an id or a place in a list that is larger is none; SQLite takes 64 bits

PROBLEMS = {code: {"model": Problem} for code in (400, 401, 403, 404, 405, 408, 413, 422, 429, 503)}


def _state(request: Request) -> State:
    state: State = request.app.state.bitreel
    return state


def _searching(request: Request, state: Annotated[State, Depends(_state)]) -> State:
    caller = request.client.host if request.client else ""
    if wait := state.rate.admit(caller):
        raise HTTPException(
            429, "Too many searches: wait a moment.", {"Retry-After": str(int(wait) + 1)}
        )
    return state


Served = Annotated[State, Depends(_state)]
Searching = Annotated[State, Depends(_searching)]
K = Annotated[int, Query(ge=0, le=MOST_HITS, description="How many hits.")]
Offset = Annotated[int, Query(ge=0, le=_MOST)]
Limit = Annotated[int, Query(ge=1, le=500)]
Seconds = Annotated[float | None, Query(ge=0, le=1e9, allow_inf_nan=False)]


Text = Annotated[str | None, Query(max_length=200, description="In the path, in any case.")]
Label = Annotated[str | None, Query(max_length=200, description="Exactly.")]
Folder = Annotated[str | None, Query(max_length=4096, description="Below it.")]


def wanted_of(
    text: Text = None,
    label: Label = None,
    folder: Folder = None,
    min_seconds: Seconds = None,
    max_seconds: Seconds = None,
) -> VideoFilter:
    """Which videos are listed or answered: all that is given must hold."""
    return VideoFilter(text, label, Path(folder) if folder else None, min_seconds, max_seconds)


Wanted = Annotated[VideoFilter, Depends(wanted_of)]


def known_id(number: int) -> int:
    """An id that the catalogue can be asked for. Raises NotInLibrary."""
    if not 0 < number < 2**63:
        raise NotInLibrary(f"There is nothing of the id {number}.")
    return number


def video_of(state: State, video_id: int) -> tuple[IndexedVideo, list[SegmentOfVideo]]:
    """Raises NotInLibrary."""
    return state.library.video(known_id(video_id))


def range_of(video: IndexedVideo, start: float | None, end: float | None) -> tuple[float, float]:
    """From when to when, in seconds of the video. Raises ConfigError where that is not in it."""
    begin = start or 0.0
    stop = video.duration_seconds if end is None else min(end, video.duration_seconds)
    if not begin < stop and (start is not None or end is not None):
        raise ConfigError(
            f"The range from {begin:g} to {stop:g} s is not in the video, which lasts "
            f"{video.duration_seconds:g} s."
        )
    return begin, stop
