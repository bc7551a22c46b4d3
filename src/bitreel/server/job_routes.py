"""Folders that are indexed: asked for, watched, cancelled."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
from fastapi import APIRouter
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException

from bitreel.errors import NotInLibrary
from bitreel.library.records import printable, resolved
from bitreel.server.asking import Served
from bitreel.server.jobs import Job
from bitreel.server.schemas import JobItem, NewJob

_WATCH_SECONDS = 0.25

router = APIRouter()


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
