"""What the library holds: its videos, its ledger, its state."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from bitreel.library import Fate
from bitreel.server.asking import Limit, Offset, Served, Wanted, known_id, video_of
from bitreel.server.schemas import SegmentItem, VideoDetails, VideoItem, VideoPage
from bitreel.server.state_schemas import EntryItem, LedgerPage, LibraryItem, StatusItem

router = APIRouter()


@router.get("/health")
def health() -> dict[str, str]:
    """Whether the server runs."""
    return {"status": "ok"}


@router.get("/ready")
def ready(state: Served) -> dict[str, str]:
    """Whether searches would be answered: the library opens and the model is loaded."""
    state.status()
    _ = state.library.model
    return {"status": "ready"}


@router.get("/library")
def library(state: Served) -> LibraryItem:
    """How the library's codes are made. Cheap: nothing is counted."""
    return LibraryItem.of(state.library)


@router.get("/status")
def status(state: Served) -> StatusItem:
    """What the library holds."""
    return StatusItem.of(state.status(), state.settings.folders)


@router.get("/videos")
def list_videos(
    state: Served,
    wanted: Wanted,
    offset: Offset = 0,
    limit: Limit = 50,
) -> VideoPage:
    """The library's videos in the order of their paths, page by page."""
    total, videos = state.library.list_videos(wanted, offset=offset, limit=limit)
    return VideoPage(total=total, offset=offset, items=[VideoItem.of(video) for video in videos])


@router.get("/videos/{video_id}")
def video(state: Served, video_id: int) -> VideoDetails:
    """A video and its segments."""
    found, segments = video_of(state, video_id)
    return VideoDetails(
        **VideoItem.of(found).model_dump(),
        segments_in_time=[SegmentItem.of(segment) for segment in segments],
    )


@router.get("/segments/{segment_id}")
def segment(state: Served, segment_id: int) -> SegmentItem:
    """A segment and the video that it is of."""
    return SegmentItem.of(state.library.segment(known_id(segment_id)))


@router.get("/ledger")
def ledger(
    state: Served,
    fate: Fate | None = None,
    text: Annotated[str | None, Query(max_length=200, description="In the path or reason.")] = None,
    offset: Offset = 0,
    limit: Limit = 100,
) -> LedgerPage:
    """What became of every file, with the reason."""
    total = state.library.ledger_count(fate, text=text)
    entries = state.library.ledger(fate, text=text, offset=offset, limit=limit)
    items = [EntryItem.of(entry) for entry in entries]
    return LedgerPage(total=total, offset=offset, items=items)
