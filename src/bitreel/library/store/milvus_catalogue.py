"""What a library in Milvus knows of its videos: a `Catalogue` whose tables lie on a server."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np

from bitreel.clip import Segment
from bitreel.codes import BinaryCodes
from bitreel.errors import LibraryError, ModelChanged
from bitreel.library.catalogue import Outcome, SegmentsOfVideo
from bitreel.library.records import Fate, FileState, VideoRecord, printable
from bitreel.library.replacing import is_as_new
from bitreel.library.store.milvus_client import MilvusClient, Row
from bitreel.library.store.milvus_facts import MilvusFacts
from bitreel.library.store.milvus_files import INDEXED, ids_of, kept_label, with_state
from bitreel.library.store.milvus_listing import MilvusListing
from bitreel.library.store.milvus_rows import (
    check_name,
    checked_label,
    code_of,
    entry_of,
    file_row,
    id_of_video,
)
from bitreel.library.store.milvus_segments import VIDEOS_AT_ONCE
from bitreel.read_ahead import in_groups

_REMEMBERED, _MOST_REMEMBERED = 32, 1_000  # videos of a segment's search, and of all of a query


class _Seen(threading.local):
    """What one thread has read within a transaction."""

    def __init__(self) -> None:
        self.depth = 0
        self.forget()

    def forget(self) -> None:
        self.rows: dict[int, Row] = {}
        self.videos: dict[int, list[Row]] = {}


class MilvusCatalogue(MilvusListing):
    """The videos by one model.

    facts: of the library, where it is to be noticed that it was given another model.
    """

    def __init__(
        self, client: MilvusClient, fingerprint: str, bits: int, facts: MilvusFacts | None = None
    ) -> None:
        super().__init__(client, fingerprint, bits)
        self._facts, self._seen = facts, _Seen()

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

    def remember(self, found: Sequence[Sequence[Row]]) -> None:
        """What a search found, and all of the videos that came first, until the transaction ends:
        whoever makes places of it need not ask for each."""
        if self._seen.depth:
            rows = sorted(chain.from_iterable(found), key=lambda row: int(row["distance"]))
            self._seen.rows |= {row["id"]: row for row in rows}
            most = min(_REMEMBERED * len(found), _MOST_REMEMBERED)
            first = list(dict.fromkeys(row["video_id"] for row in rows))[:most]
            new = [one for one in first if one not in self._seen.videos]
            for row in self.stored.of_videos(new) if new else ():
                self._seen.videos.setdefault(row["video_id"], []).append(row)

    def check_writable(self) -> None:
        """A server says so when it is written to."""

    def revision(self) -> int:
        """Nothing that rises: who wants to know asks the server. Raises ModelChanged."""
        self._check_model("Session")
        return 0

    def confirm(self) -> None:
        """Raises ModelChanged where the library has another model by now, to which what was written
        may be lost. Where it has not, whoever changes it later sees all that was written."""
        self._check_model("Strong")

    def _check_model(self, level: str) -> None:
        if self._facts is None:
            return
        now = self._facts.read(level=level).fingerprint
        if now != self.fingerprint:
            raise ModelChanged(
                f"The library {self} was given another model meanwhile ({now[:12]} in place of "
                f"{self.fingerprint[:12]}): what was done before is kept. Do the same again, "
                f"with that model, to go on."
            )

    def put(self, record: VideoRecord, *, again: bool = False) -> Outcome:
        return self.put_all([record], again=again)[0]

    def put_all(self, records: Sequence[VideoRecord], *, again: bool = False) -> list[Outcome]:
        self.revision()
        records = [_with_name(record) for record in records]
        known = self.files.rows_of(ids_of(record.path for record in records), level="Session")
        latest = dict(known)  # as of the record before: a path may come twice
        outcomes: list[Outcome] = []
        written, labels = dict[Path, VideoRecord](), dict[Path, str]()
        for record in records:
            row = latest.get(id_of_video(record.path))
            was_indexed = row is not None and row["fate"] == Fate.INDEXED
            if row and was_indexed and entry_of(row).state == record.state and not again:
                outcomes.append("unchanged")
                if record.label is not None:
                    labels[record.path] = record.label
                    latest[row["id"]] = row | {"label": checked_label(record.label)}
                continue
            kept = written[record.path] = kept_label(record, row)
            labels.pop(record.path, None)
            latest[id_of_video(record.path)] = file_row(kept)
            if record.reason is not None:
                outcomes.append("failed")
            else:
                outcomes.append("replaced" if was_indexed else "added")
        self.write([*written.values()], known)
        self.relabel(labels)
        return outcomes

    def relabel(self, labels: Mapping[Path, str]) -> None:
        known = self.files.rows_of(ids_of(labels), level="Session")
        changed = {
            id_of_video(path): label
            for path, label in ((path, checked_label(label)) for path, label in labels.items())
            if (row := known.get(id_of_video(path))) is not None and row["label"] != label
        }
        for some in in_groups(changed, VIDEOS_AT_ONCE):
            rows = self.stored.of_videos(some, level="Strong")
            self.stored.write([_plain(row, label=changed[row["video_id"]]) for row in rows])
            self.files.write([known[one] | {"label": changed[one]} for one in some])

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
        if not segments:
            return False
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

    def not_in(self, other: MilvusCatalogue) -> list[Path]:
        """See `Replacing.not_in`."""
        columns = ("path", "size_bytes", "mtime_ns")
        # None may be overlooked that was written a moment ago, by whomever.
        theirs = {row["id"]: row for row in other.files.rows(INDEXED, columns, level="Strong")}
        return [
            Path(row["path"])
            for row in self.files.rows(INDEXED, columns, level="Strong")
            if not is_as_new(
                _state(theirs.get(row["id"])),
                FileState(row["size_bytes"], row["mtime_ns"]),
                row["path"],
            )
        ]


def _with_name(record: VideoRecord) -> VideoRecord:
    """Quarantined where Milvus can not keep its name."""
    why_not = check_name(record.path)
    if why_not is None:
        return record
    return VideoRecord(Path(printable(record.path)), record.state, record.label, reason=why_not)


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
