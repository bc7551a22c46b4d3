"""Jobs: videos and folders that are indexed, asked for, watched, cancelled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends
from fastapi.sse import EventSourceResponse, ServerSentEvent

from bitreel.client.uris import path_of
from bitreel.errors import ConfigError, NotInLibrary
from bitreel.library import Collection, Video
from bitreel.library.records import printable
from bitreel.server.asking import Served
from bitreel.server.job_schemas import (
    JobItem,
    NewCollection,
    NewJob,
    NewVideo,
    NewVideos,
    ReportItem,
)
from bitreel.server.jobs import Job
from bitreel.server.state import State

_WATCH_SECONDS = 0.25

router = APIRouter()


@router.get("/jobs")
def jobs(state: Served) -> list[JobItem]:
    """What is being indexed, and what was."""
    return [JobItem.of(job) for job in state.jobs.all()]


@router.post("/jobs", status_code=202)
def add_folder(state: Served, asked: NewJob) -> JobItem:
    """Index a folder: one of those that the server was given, or one below."""
    folder = state.allowed(asked.folder)
    if not folder.is_dir():
        raise NotInLibrary(f"{printable(folder)} is no folder that is there.")
    return JobItem.of(state.index_folder(folder))


@router.post("/jobs/add", status_code=202)
def add_videos(state: Served, asked: NewVideos) -> JobItem:
    """Index files below the folders that the server was given."""
    videos = _videos(state, asked.videos)
    name = f"{len(videos)} videos" if len(videos) != 1 else str(videos[0].path)
    return JobItem.of(
        state.start(
            name,
            lambda library, progress: library.add(videos, retry=asked.retry, progress=progress),
        )
    )


@router.post("/jobs/sync", status_code=202)
def sync(state: Served, asked: NewCollection) -> JobItem:
    """Make the library hold what folders hold, all of them below those that the server was given:
    what is new is indexed, what is gone is forgotten."""
    collection = Collection(
        tuple(state.allowed(path_of(root)) for root in asked.roots),
        tuple(_videos(state, asked.videos)),
        {_named(state, one.uri): one.reason for one in asked.skipped},
    )
    return JobItem.of(
        state.start(
            ", ".join(map(str, collection.roots)),
            lambda library, progress: library.sync(
                collection, retry=asked.retry, progress=progress
            ),
        )
    )


@router.get("/jobs/{job_id}")
def job(state: Served, job_id: int) -> JobItem:
    return JobItem.of(state.jobs.get(job_id))


@router.get("/jobs/{job_id}/report")
def report(state: Served, job_id: int) -> ReportItem:
    """What a job did that is done."""
    return ReportItem.of(state.jobs.get(job_id).finished())


@router.delete("/jobs/{job_id}")
def cancel(state: Served, job_id: int) -> JobItem:
    """Ask a job to end. What it indexed stays."""
    return JobItem.of(state.jobs.cancel(job_id))


def _known(state: Served, job_id: int) -> Job:
    """Before an answer has begun, so that it can be refused."""
    return state.jobs.get(job_id)


@router.get("/jobs/{job_id}/events", response_class=EventSourceResponse)
async def events(job: Annotated[Job, Depends(_known)]) -> AsyncIterator[ServerSentEvent]:
    """The job whenever it changes, until it has ended."""
    shown = None
    while True:
        item = JobItem.of(job)
        if item != shown:
            shown = item
            yield ServerSentEvent(data=item)
        if item.state != "running":
            return
        await anyio.sleep(_WATCH_SECONDS)


def _videos(state: State, asked: list[NewVideo]) -> list[Video]:
    return [Video(state.allowed(path_of(one.uri)), one.label) for one in asked]


def _named(state: State, uri: str) -> Path:
    """A file that is only named: a link stays one."""
    path = path_of(uri)
    if path.name in ("", ".."):
        raise ConfigError(f"{uri[:200]!r} is not the URI of a file.")
    return state.allowed(path.parent) / path.name
