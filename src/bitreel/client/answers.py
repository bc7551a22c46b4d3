"""From the JSON of a server to the dataclasses of a library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from bitreel.client.refusals import not_bitreel
from bitreel.client.uris import path_of
from bitreel.errors import ConfigError
from bitreel.library import AddReport, Entry, Fate, Hit, SearchResults, Status
from bitreel.library.listing import IndexedVideo, SegmentOfVideo
from bitreel.library.records import FileState
from bitreel.library.results import KeptModel, UnderWay
from bitreel.video import Segmenting

_Made = TypeVar("_Made")
Json = Mapping[str, Any]


def read(make: Callable[[Any], _Made], content: Any, address: str) -> _Made:
    """What `make` makes of an answer. Raises LibraryError where it is not as it should be."""
    try:
        return make(content)
    except (KeyError, TypeError, ValueError, ConfigError) as error:
        raise not_bitreel(address, f"its answer lacks {error}") from error


def results(query: Path | None) -> Callable[[Json], SearchResults]:
    """query: the file that was sent, None where the library's own was asked with."""

    def make(content: Json) -> SearchResults:
        return SearchResults(
            query=path_of(content["uri"]) if query is None else query,
            start_seconds=content["start_seconds"],
            end_seconds=content["end_seconds"],
            hits=tuple(hit(one) for one in content["hits"]),
            damage=content["damage"],
            segments=content["segments"],
            query_segments=content["query_segments"],
        )

    return make


def hit(content: Json) -> Hit:
    return Hit(
        rank=content["rank"],
        path=path_of(content["uri"]),
        start_seconds=content["start_seconds"],
        end_seconds=content["end_seconds"],
        distance_bits=content["distance_bits"],
        similarity=content["similarity"],
        label=content["label"],
        segment_id=content["segment_id"],
        video_id=content["video_id"],
        asymmetric_bits=content["asymmetric_bits"],
    )


def video(content: Json) -> IndexedVideo:
    return IndexedVideo(
        id=content["id"],
        path=path_of(content["uri"]),
        state=_state(content),
        label=content["label"],
        duration_seconds=content["duration_seconds"],
        segments=content["segments"],
        damage=content["damage"],
    )


def videos(content: Json) -> tuple[int, list[IndexedVideo]]:
    return content["total"], [video(one) for one in content["items"]]


def video_details(content: Json) -> tuple[IndexedVideo, list[SegmentOfVideo]]:
    return video(content), [segment(one) for one in content["segments_in_time"]]


def segment(content: Json) -> SegmentOfVideo:
    return SegmentOfVideo(
        content["id"], content["video_id"], content["start_seconds"], content["end_seconds"]
    )


def entries(content: Json) -> tuple[int, list[Entry]]:
    return content["total"], [entry(one) for one in content["items"]]


def entry(content: Json) -> Entry:
    known = content["content"]
    return Entry(
        path=path_of(content["uri"]),
        fate=Fate(content["fate"]),
        state=_state(content),
        label=content["label"],
        reason=content["reason"],
        damage=content["damage"],
        content=None if known is None else bytes.fromhex(known),
        video_id=content["video_id"],
    )


def status(content: Json) -> Status:
    migration, kept = content["migration"], content["kept_model"]
    return Status(
        folder=_place(content["uri"]),
        bits=content["bits"],
        model_fingerprint=content["model"],
        segmenting=segmenting(content),
        videos=content["videos"],
        segments=content["segments"],
        quarantined=content["quarantined"],
        skipped=content["skipped"],
        damaged=content["damaged"],
        labels=content["labels"],
        seconds=content["seconds"],
        bytes_on_disk=content["bytes_on_disk"],
        migration=migration and UnderWay(**migration),
        kept_model=kept and KeptModel(**kept),
    )


def segmenting(content: Json) -> Segmenting:
    return Segmenting(**content["segmenting"])


def report(content: Json) -> AddReport:
    counts = ("added", "replaced", "moved", "removed", "unchanged", "relabelled", "skipped")
    return AddReport(
        **{name: content[name] for name in counts},
        failures=_notes(content["failures"]),
        damaged=_notes(content["damaged"]),
        absent={path_of(one["uri"]): one["files"] for one in content["absent"]},
    )


def _notes(content: list[Json]) -> dict[Path, str]:
    return {path_of(one["uri"]): one["note"] for one in content}


def _place(uri: str) -> Path | str:
    """Where a library lies: a folder, or an address."""
    return path_of(uri) if uri.startswith("file:") else uri


def _state(content: Json) -> FileState:
    return FileState(content["size_bytes"], content["modified_ns"])
