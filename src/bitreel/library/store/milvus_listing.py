"""Look through the videos, the segments and the ledger of a library in Milvus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitreel.clip import Segment
from bitreel.codes import BinaryCodes
from bitreel.errors import LibraryError, NotInLibrary
from bitreel.library.columns import SegmentColumns, VideoColumns
from bitreel.library.ledger import Counts
from bitreel.library.listing import IndexedVideo, SegmentOfVideo, VideoFilter, check_all_there
from bitreel.library.records import CodedSegment, Entry, Fate
from bitreel.library.store.milvus_client import Row
from bitreel.library.store.milvus_files import ids_of
from bitreel.library.store.milvus_rows import (
    FILE_COLUMNS,
    code_of,
    entry_of,
    equals,
    id_of_video,
    segment_of,
    video_of,
)
from bitreel.library.store.milvus_store import MilvusStore


class MilvusListing(MilvusStore):
    """Every method raises LibraryError. See `Listing`."""

    def entry(self, path: Path) -> Entry | None:
        row = self.files.row(path)
        return None if row is None else entry_of(row)

    def entries_of(self, paths: Iterable[Path]) -> dict[Path, Entry]:
        found = map(entry_of, self.files.rows_of(ids_of(paths)).values())
        return {entry.path: entry for entry in found}

    def entries(
        self,
        fate: Fate | None = None,
        *,
        text: str | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[Entry]:
        found = self.files.entries(fate, text)
        return found[offset:] if limit is None else found[offset : offset + limit]

    def count_entries(self, fate: Fate | None = None, *, text: str | None = None) -> int:
        if text is not None:
            return len(self.files.entries(fate, text))
        return self.files.count(fate)

    def same_content(self, content: bytes) -> list[Entry]:
        """Of those only whose segments can be taken over."""
        found = self.files.same_content(content)
        return [entry_of(row) for row in found if self._all_of(row)]

    def paths(self) -> list[Path]:
        return [Path(row["path"]) for row in self.files.rows("", ("path",))]

    def counts(self) -> Counts:
        return self.files.summary().counts

    def labels(self) -> dict[str, int]:
        return dict(self.files.summary().labels)

    def segments(self) -> int:
        return self.stored.count()

    def list_videos(
        self, wanted: VideoFilter, *, offset: int, limit: int
    ) -> tuple[int, list[IndexedVideo]]:
        found = self.files.videos(wanted)
        page = [int(row["id"]) for row in found[offset : offset + limit]]
        rows = self.files.rows_of(page)
        return len(found), [video_of(rows[one]) for one in page if one in rows]

    def video(self, video_id: int) -> IndexedVideo:
        row = self.files.rows_of([video_id], level="Session").get(video_id)
        if row is None or row["fate"] != Fate.INDEXED:
            raise NotInLibrary(
                f"There is no video {video_id} in the library: it was removed, perhaps."
            )
        return video_of(row)

    def list_segments(self, video_id: int) -> list[SegmentOfVideo]:
        return [segment_of(row) for row in self.stored.of_videos([video_id])]

    def segments_of_ids(self, ids: Sequence[int]) -> list[SegmentOfVideo]:
        rows = self.stored.of_ids(ids)
        check_all_there(ids, rows)
        return [segment_of(rows[one]) for one in ids]

    def segments_of(self, path: Path) -> list[CodedSegment]:
        """None where they are not those of the ledger: a writer is at them, or was killed."""
        entry = self.files.row(path)
        return [
            CodedSegment(Segment(path, row["start_seconds"], row["end_seconds"]), code_of(row))
            for row in (self._all_of(entry) if entry else ())
        ]

    def _all_of(self, entry: Row) -> list[Row]:
        """The segments of a video, none overlooked; none at all where there are more or fewer than
        its line in the ledger says."""
        rows = self.stored.of_videos([entry["id"]], level="Strong")
        return rows if len(rows) == entry["segments"] else []

    def segment_ids(self, path: Path) -> set[int]:
        return {int(row["id"]) for row in self.stored.of_videos([id_of_video(path)])}

    def ids(self) -> NDArray[np.int64]:
        found = self.client.every(self.stored.collection, "", ())
        return np.array([row["id"] for rows in found for row in rows], np.int64)

    def codes(self, *, bits: int, after: int = 0) -> tuple[NDArray[np.int64], BinaryCodes]:
        where = f"id > {after}"
        found = self.client.every(self.stored.collection, where, ("code",))
        rows = [row for rows in found for row in rows]
        return np.array([row["id"] for row in rows], np.int64), self.stored.codes(rows)

    def codes_of(self, ids: NDArray[np.int64], *, bits: int) -> BinaryCodes:
        rows = self.stored.of_ids(ids.tolist(), "code")
        if any(one not in rows for one in ids.tolist()):
            raise LibraryError(f"{self} lost segments meanwhile: search again.")
        return self.stored.codes([rows[one] for one in ids.tolist()])

    def video_columns(self, *, after: int = 0, limit: int) -> VideoColumns:
        where = f"id > {after} and {equals('fate', str(Fate.INDEXED))}"
        rows = self._first(self.files.collection, where, FILE_COLUMNS, limit)
        return VideoColumns(
            np.array([row["id"] for row in rows], np.int64),
            [row["path"] for row in rows],
            np.array([row["video_seconds"] for row in rows], np.float64),
            np.array([row["size_bytes"] for row in rows], np.int64),
            np.array([row["mtime_ns"] for row in rows], np.int64),
            [row["label"] for row in rows],
            [row["damage"] for row in rows],
            [bytes.fromhex(row["content"]) for row in rows],
        )

    def segment_columns(self, *, bits: int, after: int = 0, limit: int) -> SegmentColumns:
        columns = ("video_id", "start_seconds", "end_seconds", "code")
        rows = self._first(self.stored.collection, f"id > {after}", columns, limit)
        return SegmentColumns(
            np.array([row["id"] for row in rows], np.int64),
            np.array([row["video_id"] for row in rows], np.int64),
            np.array([row["start_seconds"] for row in rows], np.float64),
            np.array([row["end_seconds"] for row in rows], np.float64),
            self.stored.codes(rows),
        )

    def _first(self, collection: str, where: str, columns: Sequence[str], limit: int) -> list[Row]:
        rows: list[Row] = []
        for some in self.client.every(collection, where, columns):
            rows += some
            if len(rows) >= limit:
                break
        return rows[:limit]
