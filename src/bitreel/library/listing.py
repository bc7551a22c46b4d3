"""Look through the videos and the ledger of a catalogue page by page."""

from __future__ import annotations

import json
import os
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitreel.errors import NotInLibrary
from bitreel.library.ledger import Ledger
from bitreel.library.records import Entry, Fate, FileState, from_column, to_column

# A text in a path, in any case; of a name that is no text, what SQLite makes of its bytes.
_IN_PATH = "instr(lower(CAST(path AS TEXT)), lower(CAST(? AS TEXT))) > 0"


@dataclass(frozen=True)
class IndexedVideo:
    """A video that is indexed. id: stays the same as long as it is, wherever its file moves."""

    id: int
    path: Path
    state: FileState
    label: str | None
    duration_seconds: float
    segments: int
    damage: str | None


@dataclass(frozen=True)
class SegmentOfVideo:
    """A segment as it is listed."""

    id: int
    video_id: int
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True)
class VideoFilter:
    """Which videos are listed, or searched: all that are given must hold.

    text: in the path, in any case of the letters A to Z. label: exactly; folder: below it.
    Durations in seconds.
    """

    text: str | None = None
    label: str | None = None
    folder: Path | None = None
    min_seconds: float | None = None
    max_seconds: float | None = None

    def where(self) -> tuple[str, list[object]]:
        """As SQL: a condition and its values."""
        parts, values = ["status = 'indexed'"], list[object]()

        def add(sql: str, *given: object) -> None:
            parts.append(sql)
            values.extend(given)

        if self.text:
            add(_IN_PATH, to_column(self.text))
        if self.label is not None:
            add("label = ?", to_column(self.label))
        if self.folder is not None:
            # Byte by byte, for names that are no text.
            below = os.fsencode(f"{self.folder.absolute()}".rstrip("/") + "/")
            add("substr(CAST(path AS BLOB), 1, ?) = ?", len(below), below)
        if self.min_seconds is not None:
            add("duration_seconds >= ?", self.min_seconds)
        if self.max_seconds is not None:
            add("duration_seconds <= ?", self.max_seconds)
        return " AND ".join(parts), values


class Listing(Ledger):
    """Every method raises LibraryError."""

    def entries(
        self,
        fate: Fate | None = None,
        *,
        text: str | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[Entry]:
        """The files that fit, or some of them, in the order of paths. See `Library.ledger`."""
        where, values = _fitting(fate, text)
        return self._entries(
            f"{where} ORDER BY path LIMIT ? OFFSET ?",
            *values,
            -1 if limit is None else limit,  # as SQLite says all
            offset,
        )

    def count_entries(self, fate: Fate | None = None, *, text: str | None = None) -> int:
        """How many files fit."""
        where, values = _fitting(fate, text)
        with self._reading():
            return int(self._value(f"SELECT count(*) FROM videos WHERE {where}", *values))

    def list_videos(
        self, wanted: VideoFilter, *, offset: int, limit: int
    ) -> tuple[int, list[IndexedVideo]]:
        """How many there are in all, and some of them in the order of paths."""
        where, values = wanted.where()
        with self._reading():
            total = int(self._value(f"SELECT count(*) FROM videos WHERE {where}", *values))
            rows = self._rows(
                f"{_VIDEO} WHERE {where} ORDER BY path LIMIT ? OFFSET ?", *values, limit, offset
            )
            return total, [_video(row) for row in rows]

    def segment_ids_of(self, wanted: VideoFilter) -> NDArray[np.int64]:
        """The segments of all videos that fit, rising: int64 [M]."""
        where, values = wanted.where()
        with self._reading():
            rows = self._rows(
                f"SELECT segments.id FROM videos JOIN segments ON video_id = videos.id "
                f"WHERE {where}",
                *values,
            )
            return np.sort(np.fromiter((row[0] for row in rows), np.int64, len(rows)))

    def video(self, video_id: int) -> IndexedVideo:
        """Raises NotInLibrary where there is none."""
        with self._reading():
            rows = self._rows(f"{_VIDEO} WHERE status = 'indexed' AND videos.id = ?", video_id)
            for row in rows:
                return _video(row)
        raise NotInLibrary(f"There is no video {video_id} in the library: it was removed, perhaps.")

    def list_segments(self, video_id: int) -> list[SegmentOfVideo]:
        """Of one video, in the order of time."""
        with self._reading():
            rows = self._rows(
                "SELECT id, video_id, start_seconds, end_seconds FROM segments "
                "WHERE video_id = ? ORDER BY start_seconds, id",
                video_id,
            )
            return [SegmentOfVideo(*row) for row in rows]

    def segments_of_ids(self, ids: Sequence[int]) -> list[SegmentOfVideo]:
        """As they are asked for. Raises NotInLibrary where one is not there."""
        ids = [int(one) for one in ids]  # those of an array too
        with self._reading():
            rows = self._rows(
                "SELECT id, video_id, start_seconds, end_seconds FROM segments "
                "WHERE id IN (SELECT value FROM json_each(?))",
                json.dumps(ids),
            )
            found = {row[0]: SegmentOfVideo(*row) for row in rows}
        check_all_there(ids, found)
        return [found[one] for one in ids]


def check_all_there(ids: Iterable[int], found: Container[int]) -> None:
    """Raises NotInLibrary where one is not."""
    for one in ids:
        if one not in found:
            raise NotInLibrary(
                f"There is no segment {one} in the library: it was removed, perhaps."
            )


def _fitting(fate: Fate | None, text: str | None) -> tuple[str, list[object]]:
    """As SQL: a condition and its values."""
    where = {
        None: "1",
        Fate.INDEXED: "status = 'indexed'",
        Fate.QUARANTINED: "status = 'failed' AND NOT skipped",
        Fate.SKIPPED: "status = 'failed' AND skipped",
    }[fate]
    if not text:
        return where, []
    in_reason = "instr(lower(coalesce(reason, '')), lower(CAST(? AS TEXT))) > 0"
    return f"{where} AND ({_IN_PATH} OR {in_reason})", [to_column(text)] * 2


_VIDEO = (
    "SELECT id, path, size_bytes, mtime_ns, label, duration_seconds, damage, "
    "(SELECT count(*) FROM segments WHERE video_id = videos.id) FROM videos"
)


def _video(row: tuple[Any, ...]) -> IndexedVideo:
    number, path, size_bytes, mtime_ns, label, seconds, damage, segments = row
    return IndexedVideo(
        number,
        Path(from_column(path)),
        FileState(size_bytes, mtime_ns),
        None if label is None else from_column(label),
        seconds,
        segments,
        damage,
    )
