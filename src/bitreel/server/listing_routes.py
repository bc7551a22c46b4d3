"""What the library holds: its videos, its ledger, its state."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query

from bitreel.library import Fate
from bitreel.library.listing import VideoFilter
from bitreel.library.records import printable
from bitreel.server.asking import Limit, Offset, Seconds, Served, video_of
from bitreel.server.schemas import (
    EntryItem,
    LedgerPage,
    SegmentItem,
    StatusItem,
    VideoDetails,
    VideoItem,
    VideoPage,
)
from bitreel.version import __version__

router = APIRouter()


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
    found, segments = video_of(state, video_id)
    return VideoDetails(
        **VideoItem.of(found).model_dump(),
        segments_in_time=[SegmentItem.of(segment) for segment in segments],
    )


@router.get("/ledger")
def ledger(
    state: Served, fate: Fate | None = None, offset: Offset = 0, limit: Limit = 100
) -> LedgerPage:
    """What became of every file, with the reason."""
    entries = state.library.ledger(fate)
    items = [EntryItem.of(entry) for entry in entries[offset : offset + limit]]
    return LedgerPage(total=len(entries), offset=offset, items=items)
