"""The routes below /api."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from fastapi.responses import FileResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException

from bitreel.errors import ConfigError, NotInLibrary
from bitreel.library import Fate, SearchResults
from bitreel.library.listing import IndexedVideo, SegmentOfVideo, VideoFilter
from bitreel.library.records import FileState, printable, resolved
from bitreel.server.jobs import Job
from bitreel.server.problems import Problem
from bitreel.server.schemas import (
    Answer,
    EntryItem,
    HitItem,
    JobItem,
    LedgerPage,
    NewJob,
    SegmentItem,
    StatusItem,
    VideoDetails,
    VideoItem,
    VideoPage,
)
from bitreel.server.state import State
from bitreel.version import __version__

_WATCH_SECONDS = 0.25
_MOST = 100_000_000  # an id or a place in a list that is larger is none; SQLite takes 64 bits

_PROBLEMS = {code: {"model": Problem} for code in (400, 401, 403, 404, 413, 422, 429, 503)}
router = APIRouter(prefix="/api", responses=_PROBLEMS)  # type: ignore[arg-type]


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
K = Annotated[int, Query(ge=1, le=200, description="How many hits.")]
Offset = Annotated[int, Query(ge=0, le=_MOST)]
Limit = Annotated[int, Query(ge=1, le=500)]
Seconds = Annotated[float | None, Query(ge=0, le=1e9, allow_inf_nan=False)]


@router.get("/health")
def health() -> dict[str, str]:
    """Whether the server runs."""
    return {"status": "ok"}


@router.get("/ready")
def ready(state: Served) -> dict[str, str]:
    """Whether searches would be answered: the library opens and the model is loaded."""
    state.library.status()
    _ = state.library.model
    return {"status": "ready"}


@router.get("/status")
def status(state: Served) -> StatusItem:
    """What the library holds."""
    facts = state.library.status()
    return StatusItem(
        version=__version__,
        videos=facts.videos,
        segments=facts.segments,
        seconds=facts.seconds,
        quarantined=facts.quarantined,
        skipped=facts.skipped,
        damaged=facts.damaged,
        bits=facts.bits,
        model=facts.model_fingerprint,
        bytes_on_disk=facts.bytes_on_disk,
        labels=dict(facts.labels),
        folders=[printable(folder) for folder in state.settings.folders],
    )


@router.get("/videos")
def list_videos(
    state: Served,
    text: Annotated[str | None, Query(max_length=200, description="In the path.")] = None,
    label: Annotated[str | None, Query(max_length=200)] = None,
    folder: Annotated[str | None, Query(max_length=4096)] = None,
    min_seconds: Seconds = None,
    max_seconds: Seconds = None,
    offset: Offset = 0,
    limit: Limit = 50,
) -> VideoPage:
    """The library's videos in the order of their paths, page by page."""
    wanted = VideoFilter(text, label, Path(folder) if folder else None, min_seconds, max_seconds)
    total, videos = state.library.list_videos(wanted, offset=offset, limit=limit)
    return VideoPage(total=total, offset=offset, items=[VideoItem.of(video) for video in videos])


@router.get("/videos/{video_id}")
def video(state: Served, video_id: int) -> VideoDetails:
    """A video and its segments."""
    found, segments = _video(state, video_id)
    return VideoDetails(
        **VideoItem.of(found).model_dump(),
        segments_in_time=[SegmentItem.of(segment) for segment in segments],
    )


@router.get("/videos/{video_id}/file", response_class=FileResponse)
def file(state: Served, video_id: int) -> FileResponse:
    """The file itself, in ranges where they are asked for."""
    return FileResponse(_present(_video(state, video_id)[0]), content_disposition_type="inline")


@router.get("/videos/{video_id}/thumbnail", response_class=FileResponse)
def thumbnail(
    state: Served, video_id: int, start: Seconds = None, end: Seconds = None
) -> FileResponse:
    """A picture from the middle of a range, JPEG."""
    found = _video(state, video_id)[0]
    begin, stop = _range(found, start, end)
    return _kept(state.media.thumbnail(_present(found), begin, stop))


@router.get("/videos/{video_id}/preview", response_class=FileResponse)
def preview(
    state: Served, video_id: int, start: Seconds = None, end: Seconds = None
) -> FileResponse:
    """A range as a small film without sound, MP4."""
    found = _video(state, video_id)[0]
    begin, stop = _range(found, start, end)
    return _kept(state.media.preview(_present(found), begin, stop))


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
    found, segments = _video(state, video_id)
    begin, stop = _range(found, start, end)
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
    results = state.library.similar([_id(segment_id)], k=k)
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


@router.get("/ledger")
def ledger(
    state: Served, fate: Fate | None = None, offset: Offset = 0, limit: Limit = 100
) -> LedgerPage:
    """What became of every file, with the reason."""
    entries = state.library.ledger(fate)
    items = [EntryItem.of(entry) for entry in entries[offset : offset + limit]]
    return LedgerPage(total=len(entries), offset=offset, items=items)


@router.get("/jobs")
def jobs(state: Served) -> list[JobItem]:
    """Folders that are being indexed, and those that were."""
    return [_job(job) for job in state.jobs.all()]


@router.post("/jobs", status_code=202)
def add_folder(state: Served, asked: NewJob) -> JobItem:
    """Index a folder: one of those that the server was given, or one below."""
    folder = resolved(asked.folder)
    if not any(folder.is_relative_to(resolved(root)) for root in state.settings.folders):
        raise HTTPException(
            403, "The server was not given this folder: start it with --folder to allow it."
        )
    if not folder.is_dir():
        raise NotInLibrary(f"{printable(folder)} is no folder that is there.")
    return _job(state.jobs.start(folder))


@router.get("/jobs/{job_id}")
def job(state: Served, job_id: int) -> JobItem:
    return _job(state.jobs.get(job_id))


@router.delete("/jobs/{job_id}")
def cancel(state: Served, job_id: int) -> JobItem:
    """Ask a job to end. What it indexed stays."""
    return _job(state.jobs.cancel(job_id))


@router.get("/jobs/{job_id}/events", response_class=EventSourceResponse)
async def events(state: Served, job_id: int) -> AsyncIterator[ServerSentEvent]:
    """The job whenever it changes, until it has ended."""
    shown = None
    while True:
        item = _job(state.jobs.get(job_id))
        if item != shown:
            shown = item
            yield ServerSentEvent(data=item)
        if item.state != "running":
            return
        await anyio.sleep(_WATCH_SECONDS)


def _job(job: Job) -> JobItem:
    return JobItem(
        id=job.id,
        folder=printable(job.folder),
        state=job.state,
        done=job.step.done,
        total=job.step.total,
        note=job.step.note,
        told=printable(job.told),
    )


def _answer(state: State, results: SearchResults, name: str, seconds: float) -> Answer:
    hits = []
    for hit in results.hits:
        segment = state.library.segment(hit.segment_id)
        hits.append(HitItem.of(hit, segment.video_id))
    return Answer.of(results, name, state.library.bits, seconds, hits)


def _id(number: int) -> int:
    if not 0 < number < 2**63:
        raise NotInLibrary(f"There is nothing of the id {number}.")
    return number


def _video(state: State, video_id: int) -> tuple[IndexedVideo, list[SegmentOfVideo]]:
    return state.library.video(_id(video_id))


def _range(video: IndexedVideo, start: float | None, end: float | None) -> tuple[float, float]:
    begin = start or 0.0
    stop = video.duration_seconds if end is None else min(end, video.duration_seconds)
    if not begin < stop and (start is not None or end is not None):
        raise ConfigError(
            f"The range from {begin:g} to {stop:g} s is not in the video, which lasts "
            f"{video.duration_seconds:g} s."
        )
    return begin, stop


def _present(video: IndexedVideo) -> Path:
    """Its file, where it is still the one that was indexed: no link that was put in its place."""
    if FileState.of(video.path) is None or resolved(video.path) != video.path:
        raise NotInLibrary(f"The file of {printable(video.path.name)} is not there any more.")
    return video.path


def _kept(path: Path) -> FileResponse:
    return FileResponse(path, headers={"Cache-Control": "private, max-age=86400"})
