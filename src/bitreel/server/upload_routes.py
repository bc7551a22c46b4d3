"""Videos that are sent to stay in the library."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile

from bitreel.errors import UnreadableVideo
from bitreel.library import AddReport, Library, Video
from bitreel.progress import Progress
from bitreel.server.asking import Served
from bitreel.server.job_schemas import UploadItem
from bitreel.server.state import State

router = APIRouter()


@router.post("/uploads", status_code=202)
def upload(
    state: Served,
    file: Annotated[UploadFile, File(description="A video.")],
    label: Annotated[str | None, Form(max_length=200)] = None,
) -> UploadItem:
    """Keep a video that is sent, and index it as a job.

    One that can not be read is refused and not kept; nor is one whose job fails, or is cancelled
    before it is indexed.
    """
    name = file.filename or "video"
    Video(Path(name), label)  # what is wrong with a label is said before anything is kept
    with state.kept.taken(file) as taken:
        with state.said_of(taken, name):
            state.check_readable(taken)
        path = state.kept.keep(taken, name)

    def work(library: Library, progress: Progress) -> AddReport:
        report = library.add([Video(path, label)], progress=progress)
        for reason in report.failures.values():
            raise UnreadableVideo(reason)
        return report

    try:
        job = state.start(path.name, work, ended=lambda: _forget_failed(state, path))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return UploadItem.of_upload(job, path)


def _forget_failed(state: State, path: Path) -> None:
    """Delete a file that is not in the library."""
    known = state.library._ask(lambda opened: opened.catalogue.entry(path))
    if known is None or known.video_id is None:
        path.unlink(missing_ok=True)
