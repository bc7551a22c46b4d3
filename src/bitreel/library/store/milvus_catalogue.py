"""What a library in Milvus knows of its videos: a `Catalogue` whose tables lie on a server.

Milvus has no transactions. A video's segments are written before its line in the ledger: one whose
writer was killed in between is not known yet, is read again, and the same rows are written.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitreel.clip import Segment
from bitreel.codes import BinaryCodes
from bitreel.errors import ConfigError, LibraryError, ModelChanged, NotInLibrary
from bitreel.library.catalogue import Outcome, SegmentsOfVideo
from bitreel.library.columns import SegmentColumns, VideoColumns
from bitreel.library.ledger import Counts
from bitreel.library.listing import IndexedVideo, SegmentOfVideo, VideoFilter
from bitreel.library.records import (
    CodedSegment,
    Entry,
    Fate,
    FileState,
    VideoRecord,
    printable,
)
from bitreel.library.replacing import is_as_new
from bitreel.library.searched_codes import Near
from bitreel.library.store.address import Address
from bitreel.library.store.milvus_client import MilvusClient, Row
from bitreel.library.store.milvus_facts import MilvusFacts
from bitreel.library.store.milvus_files import INDEXED, MilvusFiles, ids_of, kept_label, with_state
from bitreel.library.store.milvus_rows import (
    FILE_COLUMNS,
    among,
    check_name,
    code_of,
    entry_of,
    equals,
    id_of_video,
    segment_of,
    segment_rows,
    video_of,
    where_of,
)
from bitreel.library.store.milvus_segments import MilvusSegments, near
from bitreel.library.store.store import StoredSegments


@contextmanager
def scratch_store(address: Address, bits: int) -> Iterator[MilvusCatalogue]:
    """An empty store beside a library, which goes again. Raises LibraryError."""
    beside = replace(address, name=f"{address.name}_scratch_{secrets.token_hex(4)}")
    with closing(MilvusClient(beside)) as client:
        made = MilvusCatalogue(client, "scratch", bits)
        try:
            made.create()
            yield made
        finally:
            made.drop()


_MOST_NAMED = 50_000  # videos in a condition
_REMEMBERED = 32  # videos of a search: the places that people see


class _Seen(threading.local):
    """What one thread has read within a transaction."""

    def __init__(self) -> None:
        self.depth = 0
        self.forget()

    def forget(self) -> None:
        self.rows: dict[int, Row] = {}
        self.videos: dict[int, list[Row]] = {}


class MilvusCatalogue:
    """The videos by one model. It is a `Store` too. Threads may share one, and processes a server.

    facts: of the library, where it is to be noticed that it was given another model.
    """

    def __init__(
        self, client: MilvusClient, fingerprint: str, bits: int, facts: MilvusFacts | None = None
    ) -> None:
        self.client, self.fingerprint, self.bits, self._facts = client, fingerprint, bits, facts
        name = f"{client.address.name}_{fingerprint[:16]}"
        self.stored = MilvusSegments(client, name, bits)
        self.files = MilvusFiles(client, f"{name}_files")
        self._seen = _Seen()

    def create(self) -> None:
        """Make the collections, where they are not there, and have them held in memory."""
        self.stored.create()
        self.files.create()
        self.load()

    def load(self) -> None:
        for collection in (self.stored.collection, self.files.collection):
            self.client.load(collection)

    def drop(self) -> None:
        for collection in (self.stored.collection, self.files.collection):
            if self.client.has(collection):
                self.client.drop(collection)

    @property
    def place(self) -> str:
        """The library's address."""
        return str(self.client.address)

    def __str__(self) -> str:
        return self.place

    # What a store does

    def add(self, videos: Sequence[VideoRecord]) -> None:
        known = self.files.rows_of(ids_of(video.path for video in videos), level="Session")
        self._write(
            [kept_label(video, known.get(id_of_video(video.path))) for video in videos], known
        )

    def delete(self, paths: Iterable[Path]) -> int:
        ids = ids_of(paths)
        known = self.files.rows_of(ids)
        self.stored.forget_others(ids)
        self.files.forget(ids)
        return sum(row["fate"] == Fate.INDEXED for row in known.values())

    def search(
        self, queries: BinaryCodes, k: int, wanted: VideoFilter | None = None
    ) -> list[list[Near]]:
        return [near(rows) for rows in self.stored.search(queries, k, self.where(wanted))]

    def range(
        self, queries: BinaryCodes, radius_bits: int, wanted: VideoFilter | None = None
    ) -> list[list[Near]]:
        return [near(rows) for rows in self.stored.range(queries, radius_bits, self.where(wanted))]

    def count(self, wanted: VideoFilter | None = None) -> int:
        return self.stored.count(self.where(wanted))

    def iterate(self, batch: int = 10_000) -> Iterator[StoredSegments]:
        return self.stored.iterate(batch)

    def flush(self) -> None:
        for collection in (self.stored.collection, self.files.collection):
            self.client.flush(collection)

    def close(self) -> None:
        self.client.close()

    def where(self, wanted: VideoFilter | None) -> str:
        """A filter as a condition on segments."""
        if wanted is None:
            return ""
        if not wanted.text:
            return where_of(wanted)
        found = [row["id"] for row in self.files.videos(wanted)]
        if len(found) > _MOST_NAMED:
            raise ConfigError(
                f"{len(found)} videos have {wanted.text!r} in their path, and Milvus can be told "
                f"{_MOST_NAMED}: ask for a longer text."
            )
        return among("video_id", found)

    # What a catalogue does

    @contextmanager
    def transaction(self, *, write: bool = False) -> Iterator[None]:
        """There are none. Raises ModelChanged before a first write with a model of the past."""
        if write:
            self.revision()
        self._seen.depth += 1
        try:
            yield
        finally:
            self._seen.depth -= 1
            if not self._seen.depth:
                self._seen.forget()

    def remember(self, rows: Sequence[Row]) -> None:
        """What a search found, and all of its first videos, until the transaction ends: whoever
        makes places of it need not ask for each."""
        if self._seen.depth:
            self._seen.rows |= {row["id"]: row for row in rows}
            first = list(dict.fromkeys(row["video_id"] for row in rows))[:_REMEMBERED]
            new = [one for one in first if one not in self._seen.videos]
            for row in self.stored.of_videos(new) if new else ():
                self._seen.videos.setdefault(row["video_id"], []).append(row)

    def check_writable(self) -> None:
        """A server says so when it is written to."""

    def revision(self) -> int:
        """Nothing that rises: who wants to know asks the server. Raises ModelChanged."""
        if self._facts is not None:
            now = self._facts.fingerprint()
            if now != self.fingerprint:
                raise ModelChanged(
                    f"The library {self} was given another model meanwhile ({now[:12]} in place of "
                    f"{self.fingerprint[:12]}): what was done before is kept. Do the same again, "
                    f"with that model, to go on."
                )
        return 0

    def put(self, record: VideoRecord, *, again: bool = False) -> Outcome:
        self.revision()
        why_not = check_name(record.path)
        if why_not is not None:
            path = Path(printable(record.path))
            record = VideoRecord(path, record.state, record.label, reason=why_not)
        known = self.files.row(record.path)
        was_indexed = known is not None and known["fate"] == Fate.INDEXED
        if known and was_indexed and entry_of(known).state == record.state and not again:
            if record.label is not None:
                self.relabel({record.path: record.label})
            return "unchanged"
        rows = {} if known is None else {int(known["id"]): known}
        self._write([kept_label(record, known)], rows)
        if record.reason is not None:
            return "failed"
        return "replaced" if was_indexed else "added"

    def _write(self, records: Sequence[VideoRecord], known: Mapping[int, Row]) -> None:
        ids = ids_of(record.path for record in records)
        rows = [row for record in records for row in segment_rows(record)]
        self.stored.write(rows)
        kept = [row["id"] for row in rows]
        self.stored.forget_others([one for one in ids if one in known], kept)
        # What one left who was killed before the line in the ledger.
        new = [one for one in ids if one not in known]
        self.stored.forget_others(new, kept, level="Session")
        self.files.put(records)

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
        where = "" if fate is None else equals("fate", str(fate))
        return self.client.count(self.files.collection, where)

    def same_content(self, content: bytes) -> list[Entry]:
        return [entry_of(row) for row in self.files.same_content(content)]

    def relabel(self, labels: Mapping[Path, str]) -> None:
        known = self.files.rows_of(ids_of(labels), level="Session")
        for path, label in labels.items():
            row = known.get(id_of_video(path))
            if row is not None and row["label"] != label:
                self._relabel(row, label)

    def _relabel(self, row: Row, label: str) -> None:
        rows = [_plain(one, label=label) for one in self._all_of(row["id"])]
        self.stored.write(rows)
        self.files.write([row | {"label": label}])

    def skip(self, reasons: Mapping[Path, str]) -> None:
        self.files.skip(reasons)

    def move(
        self, old: Path, new: Path, state: FileState, label: str | None, content: bytes
    ) -> bool:
        """The rows get the ids of the new place, and those of the old one go last."""
        known = self.entry(old)
        if known is None or known.fate is not Fate.INDEXED or known.content != content:
            return False
        if check_name(new) is not None:
            return False
        segments = [
            replace(coded, segment=replace(coded.segment, path=new))
            for coded in self.segments_of(old)
        ]
        seconds = self.video(id_of_video(old)).duration_seconds
        label = known.label if label is None else label
        self.add([VideoRecord(new, state, label, seconds, segments, known.damage, None, content)])
        self.delete([old])
        return True

    def touch(self, path: Path, state: FileState, content: bytes) -> bool:
        row = self.files.row(path)
        known = None if row is None else entry_of(row)
        if row is None or known is None or known.fate is not Fate.INDEXED:
            return False
        if known.content != content:
            return False
        self.files.write([with_state(row, state)])
        return True

    def remove(self, paths: Iterable[Path]) -> int:
        return self.delete(paths)

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

    def segment_of_video(self, segment_id: int) -> SegmentOfVideo:
        row = self.stored.of_ids([segment_id]).get(segment_id)
        if row is None:
            raise NotInLibrary(
                f"There is no segment {segment_id} in the library: it was removed, perhaps."
            )
        return segment_of(row)

    def segment(self, segment_id: int) -> tuple[Segment, str | None]:
        return _labelled(self._row(segment_id))

    def segments_by(self, ids: Sequence[int]) -> list[tuple[Segment, str | None]]:
        rows = self.stored.of_ids(ids)
        return [_labelled(rows.get(one) or self._row(one)) for one in ids]

    def neighbours(self, segment_id: int, *, bits: int) -> SegmentsOfVideo:
        number = self._row(segment_id)["video_id"]
        rows = self._seen.videos.get(number) or self.stored.of_videos([number])
        return segments_of_video(rows, bits)

    def _row(self, segment_id: int) -> Row:
        row = self._seen.rows.get(segment_id)
        row = row or self.stored.of_ids([segment_id]).get(segment_id)
        if row is None:
            raise LibraryError(f"{self} has no segment {segment_id}: search again.")
        return row

    def segments_of(self, path: Path) -> list[CodedSegment]:
        return [
            CodedSegment(Segment(path, row["start_seconds"], row["end_seconds"]), code_of(row))
            for row in self._all_of(id_of_video(path))
        ]

    def _all_of(self, video_id: int) -> list[Row]:
        """The rows of one video, of which none may be overlooked."""
        return self.stored.of_videos([video_id], level="Strong")

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

    def not_in(self, other: MilvusCatalogue) -> list[Path]:
        """See `Replacing.not_in`."""
        columns = ("path", "size_bytes", "mtime_ns")
        theirs = {row["id"]: row for row in other.files.rows(INDEXED, columns)}
        return [
            Path(row["path"])
            for row in self.files.rows(INDEXED, columns)
            if not is_as_new(
                _state(theirs.get(row["id"])),
                FileState(row["size_bytes"], row["mtime_ns"]),
                row["path"],
            )
        ]


def segments_of_video(rows: Sequence[Row], bits: int) -> SegmentsOfVideo:
    if not rows:
        raise LibraryError("A video was removed meanwhile: search again.")
    packed = np.frombuffer(b"".join(map(code_of, rows)), np.uint8)
    return SegmentsOfVideo(
        int(rows[0]["video_id"]),
        np.array([row["id"] for row in rows], np.int64),
        np.array([row["start_seconds"] for row in rows], np.float64),
        np.array([row["end_seconds"] for row in rows], np.float64),
        BinaryCodes(packed.reshape(len(rows), (bits + 7) // 8), bits),
    )


def _state(row: Row | None) -> FileState | None:
    return None if row is None else FileState(row["size_bytes"], row["mtime_ns"])


def _labelled(row: Row) -> tuple[Segment, str | None]:
    place = Segment(Path(row["path"]), row["start_seconds"], row["end_seconds"])
    return place, row["label"] or None


def _plain(row: Row, **changes: str) -> Row:
    """A row that was read, to be written."""
    return row | {"code": code_of(row)} | changes
