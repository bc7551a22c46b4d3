"""What the API sends."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field

from bitreel.library import Entry, Hit, SearchResults
from bitreel.library.listing import IndexedVideo, SegmentOfVideo
from bitreel.library.records import printable


class VideoItem(BaseModel):
    """A video of the library."""

    id: int
    name: str
    folder: str
    label: str | None
    duration_seconds: float
    segments: int
    damage: str | None

    @classmethod
    def of(cls, video: IndexedVideo) -> VideoItem:
        return cls(
            id=video.id,
            name=printable(video.path.name),
            folder=printable(video.path.parent),
            label=video.label,
            duration_seconds=video.duration_seconds,
            segments=video.segments,
            damage=video.damage,
        )


class SegmentItem(BaseModel):
    """A segment of a video."""

    id: int
    start_seconds: float
    end_seconds: float

    @classmethod
    def of(cls, segment: SegmentOfVideo) -> SegmentItem:
        return cls(
            id=segment.id, start_seconds=segment.start_seconds, end_seconds=segment.end_seconds
        )


class VideoDetails(VideoItem):
    segments_in_time: list[SegmentItem]


class VideoPage(BaseModel):
    """A page of a list of videos; `total` is of the whole list."""

    total: int
    offset: int
    items: list[VideoItem]


class HitItem(BaseModel):
    """A place in a video that looks like the query."""

    rank: int
    video_id: int
    segment_id: int
    name: str
    folder: str
    label: str | None
    start_seconds: float
    end_seconds: float
    distance_bits: int
    similarity: float

    @classmethod
    def of(cls, hit: Hit, video_id: int) -> HitItem:
        return cls(
            rank=hit.rank,
            video_id=video_id,
            segment_id=hit.segment_id,
            name=printable(hit.path.name),
            folder=printable(hit.path.parent),
            label=hit.label,
            start_seconds=hit.start_seconds,
            end_seconds=hit.end_seconds,
            distance_bits=hit.distance_bits,
            similarity=hit.similarity,
        )


class Answer(BaseModel):
    """What a search found, nearest first. bits: of a code."""

    query: str
    start_seconds: float
    end_seconds: float
    query_segments: int
    segments: int
    bits: int
    damage: str | None
    milliseconds: float
    hits: list[HitItem]

    @classmethod
    def of(
        cls, results: SearchResults, name: str, bits: int, seconds: float, hits: list[HitItem]
    ) -> Answer:
        return cls(
            query=printable(name),
            start_seconds=results.start_seconds,
            end_seconds=results.end_seconds,
            query_segments=results.query_segments,
            segments=results.segments,
            bits=bits,
            damage=results.damage,
            milliseconds=round(1000 * seconds, 2),
            hits=hits,
        )


class StatusItem(BaseModel):
    """What the library holds."""

    version: str
    videos: int
    segments: int
    seconds: float
    quarantined: int
    skipped: int
    damaged: int
    bits: int
    model: str
    bytes_on_disk: int
    labels: dict[str, int]
    folders: list[str] = Field(description="Below which videos may be added over HTTP.")


class EntryItem(BaseModel):
    """A line of the ledger."""

    path: str
    fate: str
    label: str | None
    reason: str | None
    damage: str | None
    size_bytes: int

    @classmethod
    def of(cls, entry: Entry) -> EntryItem:
        return cls(
            path=printable(entry.path),
            fate=str(entry.fate),
            label=entry.label,
            reason=entry.reason,
            damage=entry.damage,
            size_bytes=entry.state.size_bytes,
        )


class LedgerPage(BaseModel):
    total: int
    offset: int
    items: list[EntryItem]


class JobItem(BaseModel):
    """Work that goes on in the server. state: running, done, failed or cancelled."""

    id: int
    folder: str
    state: str
    done: int
    total: int
    note: str
    told: str


class NewJob(BaseModel):
    """A folder to index; below one of those that the server was given."""

    folder: Path
