"""A video's file, its thumbnails and its previews."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from anyio import to_thread
from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.types import Receive, Scope, Send

from bitreel.errors import NotInLibrary
from bitreel.library.listing import IndexedVideo
from bitreel.library.records import FileState, printable, resolved
from bitreel.server.asking import Seconds, Served, range_of, video_of
from bitreel.server.state import State

router = APIRouter()


def _content(kind: str) -> dict[str, Any]:
    return {"content": {kind: {"schema": {"type": "string", "format": "binary"}}}}


class OpenFile(FileResponse):
    """A file that is open already: that its name is removed meanwhile breaks no answer."""

    def __init__(self, file: BinaryIO, kind: str) -> None:
        self._file = file
        super().__init__(
            f"/proc/self/fd/{file.fileno()}",  # opens what is open, whether it has a name or not
            headers={"Cache-Control": "private, max-age=86400"},
            media_type=kind,
            stat_result=os.fstat(file.fileno()),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._file:
            await super().__call__(scope, receive, send)


@router.get(
    "/videos/{video_id}/file",
    response_class=FileResponse,
    responses={
        200: _content("video/*"),
        206: _content("video/*"),
        416: {"description": "No such range."},
    },
)
def file(state: Served, video_id: int) -> FileResponse:
    """The file itself, in ranges where they are asked for."""
    return FileResponse(_present(video_of(state, video_id)[0]), content_disposition_type="inline")


@router.get(
    "/videos/{video_id}/thumbnail",
    response_class=FileResponse,
    responses={200: _content("image/jpeg")},
)
async def thumbnail(
    state: Served, video_id: int, start: Seconds = None, end: Seconds = None
) -> FileResponse:
    """A picture from the middle of a range, JPEG."""
    return await _made(state, state.media.thumbnail, "image/jpeg", video_id, start, end)


@router.get(
    "/videos/{video_id}/preview",
    response_class=FileResponse,
    responses={200: _content("video/mp4")},
)
async def preview(
    state: Served, video_id: int, start: Seconds = None, end: Seconds = None
) -> FileResponse:
    """A range as a small film without sound, MP4."""
    return await _made(state, state.media.preview, "video/mp4", video_id, start, end)


async def _made(
    state: State,
    make: Callable[[Path, float, float], BinaryIO],
    kind: str,
    video_id: int,
    start: float | None,
    end: float | None,
) -> FileResponse:
    """In threads of their own: who searches does not wait behind a page full of pictures."""

    def kept() -> BinaryIO:
        found = video_of(state, video_id)[0]
        begin, stop = range_of(found, start, end)
        return make(_present(found), begin, stop)

    return OpenFile(await to_thread.run_sync(kept, limiter=state.media_threads), kind)


def _present(video: IndexedVideo) -> Path:
    """Its file, where it is still the one that was indexed: no link that was put in its place."""
    if FileState.of(video.path) is None or resolved(video.path) != video.path:
        raise NotInLibrary(f"The file of {printable(video.path.name)} is not there any more.")
    return video.path
