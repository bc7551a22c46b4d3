"""The catalogue of a library: the only SQL there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bitreel.clip import Segment
from bitreel.codes import BinaryCodes
from bitreel.errors import CodesError, LibraryError, ModelChanged
from bitreel.library.listing import Listing
from bitreel.library.records import CodedSegment, Fate, VideoRecord, from_column, to_column
from bitreel.library.replacing import Replacing
from bitreel.library.schema import SCHEMA_VERSION, statements
from bitreel.version import __version__

Outcome = Literal["added", "replaced", "unchanged", "failed"]


@dataclass(frozen=True, eq=False)
class SegmentsOfVideo:
    """The M segments of the video of that id in the order of time, with their codes.

    ids: int64 [M]. starts_seconds, ends_seconds: float64 [M].
    """

    video_id: int
    ids: NDArray[np.int64]
    starts_seconds: NDArray[np.float64]
    ends_seconds: NDArray[np.float64]
    codes: BinaryCodes


class Catalogue(Replacing, Listing):
    """What is known of a library's videos and their segments. Every method raises LibraryError.

    fingerprint: of the model that made the codes, where that is known. From then on no transaction
    begins in a catalogue whose codes are another model's by now: whoever made codes or a query with
    the former model neither writes nor compares them. ModelChanged says so.
    """

    fingerprint: str | None = None

    @property
    def place(self) -> Path:
        """The library's folder."""
        return self.path.parent

    def is_laid_out(self) -> bool:
        """Whether the tables are there. They come last when a library is made."""
        with self._reading():
            return int(self._value("SELECT count(*) FROM sqlite_master")) > 0

    def lay_out(self, *, bits: int, fingerprint: str, segmenting: str) -> None:
        """Make the tables."""
        meta = {
            "schema_version": SCHEMA_VERSION,
            "bitreel": __version__,
            "bits": bits,
            "fingerprint": fingerprint,
            "segmenting": segmenting,
            "revision": 0,
        }
        with self.transaction(write=True):
            for statement in statements(bits=bits):
                self._execute(statement)
            for key, value in meta.items():
                self._execute("INSERT INTO meta VALUES (?, ?)", key, str(value))

    def meta(self) -> dict[str, str]:
        """The facts about the library as a whole."""
        with self._reading():
            return {str(key): str(value) for key, value in self._rows("SELECT * FROM meta")}

    def put(self, record: VideoRecord, *, again: bool = False) -> Outcome:
        """Write what one run found out about a video, in place of what was known of it.

        One that another process indexed meanwhile, from the same file, keeps its segments, unless
        it was to be read again.
        """
        with self.transaction(write=True):
            known = self.entry(record.path)
            was_indexed = known is not None and known.fate is Fate.INDEXED
            if known and was_indexed and known.state == record.state and not again:
                if record.label is not None:
                    self.relabel({record.path: record.label})
                return "unchanged"
            self._put_video(record)
            self._put_segments(record)
            self._changed()
        if record.reason is not None:
            return "failed"
        return "replaced" if was_indexed else "added"

    def put_all(self, records: Sequence[VideoRecord], *, again: bool = False) -> list[Outcome]:
        """Of each what `put` says, in one transaction."""
        with self.transaction(write=True):
            return [self.put(record, again=again) for record in records]

    def check_codes(self, *, bits: int, after: int = 0) -> None:
        """Raises LibraryError where a code is not as wide as the library's codes are."""
        with self._reading():
            wrong = self._value(
                "SELECT count(*) FROM segments "
                "WHERE id > ? AND (typeof(code) <> 'blob' OR length(code) <> ?)",
                after,
                (bits + 7) // 8,
            )
        if wrong:
            raise self._damaged(f"{wrong} codes are not {bits} bits wide")

    def codes(self, *, bits: int, after: int = 0) -> tuple[NDArray[np.int64], BinaryCodes]:
        """The segments with an id above `after`: ids int64 [N], rising, and their N codes.

        An id is never given twice, so whoever knows all up to one asks for those after it.
        """
        with self._reading():
            self.check_codes(bits=bits, after=after)
            rows = self._rows("SELECT id, code FROM segments WHERE id > ? ORDER BY id", after)
        ids = np.array([row[0] for row in rows], np.int64)
        packed = np.frombuffer(b"".join(row[1] for row in rows), np.uint8)
        try:
            return ids, BinaryCodes(packed.reshape(len(rows), (bits + 7) // 8), bits)
        except CodesError as error:
            raise self._damaged(str(error)) from error

    def ids(self) -> NDArray[np.int64]:
        """The ids of all segments, rising: int64 [N]."""
        with self._reading():
            rows = self._rows("SELECT id FROM segments ORDER BY id")
        return np.array([row[0] for row in rows], np.int64)

    def segments(self) -> int:
        """How many there are."""
        with self._reading():
            return int(self._value("SELECT count(*) FROM segments"))

    def codes_of(self, ids: NDArray[np.int64], *, bits: int) -> BinaryCodes:
        """The codes of these segments, in their order. Raises LibraryError for one not there."""
        with self._reading():
            found = [
                self._rows("SELECT code FROM segments WHERE id = ?", id) for id in ids.tolist()
            ]
        if not all(found):
            raise LibraryError(f"{self.path} lost segments meanwhile: search again.")
        packed = np.frombuffer(b"".join(rows[0][0] for rows in found), np.uint8)
        return BinaryCodes(packed.reshape(len(ids), (bits + 7) // 8), bits)

    def segment(self, segment_id: int) -> tuple[Segment, str | None]:
        """A segment and the label of its video."""
        with self._reading():
            found = self._rows(
                "SELECT path, start_seconds, end_seconds, label FROM segments "
                "JOIN videos ON videos.id = video_id WHERE segments.id = ?",
                segment_id,
            )
            for path, start_seconds, end_seconds, label in found:
                return Segment(Path(from_column(path)), start_seconds, end_seconds), _label(label)
        raise LibraryError(f"{self.path} has no segment {segment_id}: search again.")

    def segments_by(self, ids: Sequence[int]) -> list[tuple[Segment, str | None]]:
        """Of each id what `segment` gives."""
        with self._reading():
            return [self.segment(one) for one in ids]

    def neighbours(self, segment_id: int, *, bits: int) -> SegmentsOfVideo:
        """All segments of the video that a segment is of."""
        with self._reading():
            rows = self._rows(
                "SELECT video_id, id, start_seconds, end_seconds, code FROM segments "
                "WHERE video_id = (SELECT video_id FROM segments WHERE id = ?) "
                "ORDER BY start_seconds, id",
                segment_id,
            )
            if not rows:
                raise LibraryError(f"{self.path} has no segment {segment_id}: search again.")
            video_ids, ids, starts, ends, codes = zip(*rows, strict=True)
            packed = np.frombuffer(b"".join(codes), np.uint8).reshape(len(rows), (bits + 7) // 8)
            return SegmentsOfVideo(
                video_ids[0],
                np.array(ids, np.int64),
                np.array(starts, np.float64),
                np.array(ends, np.float64),
                BinaryCodes(packed, bits),
            )

    def segments_of(self, path: Path) -> list[CodedSegment]:
        """The segments of one video with their codes, in the order of time."""
        with self._reading():
            rows = self._rows(
                "SELECT start_seconds, end_seconds, code FROM segments "
                "JOIN videos ON videos.id = video_id WHERE path = ? ORDER BY start_seconds, "
                "segments.id",
                to_column(path),
            )
            return [CodedSegment(Segment(path, start, end), code) for start, end, code in rows]

    def segment_ids(self, path: Path) -> set[int]:
        """The segments of one video."""
        with self._reading():
            found = self._rows(
                "SELECT segments.id FROM segments JOIN videos ON videos.id = video_id "
                "WHERE path = ?",
                to_column(path),
            )
            return {int(row[0]) for row in found}

    def _begun(self) -> None:
        if self.fingerprint is None:
            return
        found = self._rows("SELECT value FROM meta WHERE key = 'fingerprint'")
        if found and found[0][0] != self.fingerprint:
            raise ModelChanged(
                f"The library {self.path.parent} was given another model meanwhile "
                f"({str(found[0][0])[:12]} in place of {self.fingerprint[:12]}): what was done "
                f"before is kept. Do the same again, with that model, to go on."
            )

    def _put_segments(self, record: VideoRecord) -> None:
        video_id = self._value("SELECT id FROM videos WHERE path = ?", to_column(record.path))
        self._execute("DELETE FROM segments WHERE video_id = ?", video_id)
        for coded in record.segments:
            self._put_segment(video_id, coded)

    def _put_segment(self, video_id: int, coded: CodedSegment) -> None:
        self._execute(
            "INSERT INTO segments (video_id, start_seconds, end_seconds, code) VALUES (?, ?, ?, ?)",
            video_id,
            coded.segment.start_seconds,
            coded.segment.end_seconds,
            coded.code,
        )


def _label(value: str | bytes | None) -> str | None:
    return None if value is None else from_column(value)
