"""What the API sends of videos and searches.

Names are text that any screen can show. A `uri` is exact, whatever bytes a name is made of.
"""

from __future__ import annotations

from pydantic import BaseModel

from bitreel.library import Hit, SearchResults
from bitreel.library.listing import IndexedVideo, SegmentOfVideo
from bitreel.library.records import printable


def shown(label: str | None) -> str | None:
    """A label as text that any screen can show."""
    return None if label is None else printable(label)


class VideoItem(BaseModel):
    """A video of the library. size_bytes, modified_ns: of the file that was indexed."""

    id: int
    name: str
    folder: str
    uri: str
    label: str | None
    duration_seconds: float
    segments: int
    damage: str | None
    size_bytes: int
    modified_ns: int

    @classmethod
    def of(cls, video: IndexedVideo) -> VideoItem:
        return cls(
            id=video.id,
            name=printable(video.path.name),
            folder=printable(video.path.parent),
            uri=video.path.as_uri(),
            label=shown(video.label),
            duration_seconds=video.duration_seconds,
            segments=video.segments,
            damage=video.damage,
            size_bytes=video.state.size_bytes,
            modified_ns=video.state.mtime_ns,
        )


class SegmentItem(BaseModel):
    """A segment of a video."""

    id: int
    video_id: int
    start_seconds: float
    end_seconds: float

    @classmethod
    def of(cls, segment: SegmentOfVideo) -> SegmentItem:
        return cls(
            id=segment.id,
            video_id=segment.video_id,
            start_seconds=segment.start_seconds,
            end_seconds=segment.end_seconds,
        )


class VideoDetails(VideoItem):
    segments_in_time: list[SegmentItem]


class VideoPage(BaseModel):
    """A page of a list of videos; `total` is of the whole list."""

    total: int
    offset: int
    items: list[VideoItem]


class HitItem(BaseModel):
    """A place in a video that looks like the query. asymmetric_bits: where hits were re-ranked."""

    rank: int
    video_id: int
    segment_id: int
    name: str
    folder: str
    uri: str
    label: str | None
    start_seconds: float
    end_seconds: float
    distance_bits: int
    similarity: float
    asymmetric_bits: float | None

    @classmethod
    def of(cls, hit: Hit) -> HitItem:
        return cls(
            rank=hit.rank,
            video_id=hit.video_id,
            segment_id=hit.segment_id,
            name=printable(hit.path.name),
            folder=printable(hit.path.parent),
            uri=hit.path.as_uri(),
            label=shown(hit.label),
            start_seconds=hit.start_seconds,
            end_seconds=hit.end_seconds,
            distance_bits=hit.distance_bits,
            similarity=hit.similarity,
            asymmetric_bits=hit.asymmetric_bits,
        )


class Answer(BaseModel):
    """What a search found, nearest first. query: a name; uri: of the file, where it is one of the
    library. bits: of a code."""

    query: str
    uri: str | None
    start_seconds: float
    end_seconds: float
    query_segments: int
    segments: int
    bits: int
    damage: str | None
    milliseconds: float
    hits: list[HitItem]

    @classmethod
    def of(cls, results: SearchResults, name: str | None, bits: int, seconds: float) -> Answer:
        """name: of a query that was sent; None where it is a video of the library."""
        return cls(
            query=printable(results.query.name if name is None else name),
            uri=results.query.as_uri() if name is None else None,
            start_seconds=results.start_seconds,
            end_seconds=results.end_seconds,
            query_segments=results.query_segments,
            segments=results.segments,
            bits=bits,
            damage=results.damage,
            milliseconds=round(1000 * seconds, 2),
            hits=[HitItem.of(hit) for hit in results.hits],
        )
