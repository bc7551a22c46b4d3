"""Whole tables of a catalogue, column by column, for those who take them elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from bitreel.codes import BinaryCodes
from bitreel.errors import CodesError
from bitreel.library.columns import SegmentColumns, VideoColumns
from bitreel.library.ledger import Ledger
from bitreel.library.records import from_column


class Tables(Ledger):
    """A catalogue's tables in parts of `limit` rows, in the rising order of ids; read the parts in
    one transaction for all of one moment. Every method raises LibraryError."""

    def video_columns(self, *, after: int = 0, limit: int) -> VideoColumns:
        """The next indexed videos, with ids above `after`."""
        with self._reading():
            rows = self._rows(
                "SELECT id, path, duration_seconds, size_bytes, mtime_ns, label, damage, content "
                "FROM videos WHERE status = 'indexed' AND id > ? ORDER BY id LIMIT ?",
                after,
                limit,
            )
            ids, paths, durations, sizes, times, labels, damages, contents = _turned(rows, 8)
            return VideoColumns(
                np.array(ids, np.int64),
                [from_column(path) for path in paths],
                np.array(durations, np.float64),
                np.array(sizes, np.int64),
                np.array(times, np.int64),
                [from_column(label) if label else "" for label in labels],
                [damage or "" for damage in damages],
                [content or b"" for content in contents],
            )

    def segment_columns(self, *, bits: int, after: int = 0, limit: int) -> SegmentColumns:
        """The next segments, with ids above `after`."""
        with self._reading():
            rows = self._rows(
                "SELECT id, video_id, start_seconds, end_seconds, code FROM segments "
                "WHERE id > ? ORDER BY id LIMIT ?",
                after,
                limit,
            )
            ids, video_ids, starts, ends, codes = _turned(rows, 5)
            packed = np.frombuffer(b"".join(codes), np.uint8)
            try:
                return SegmentColumns(
                    np.array(ids, np.int64),
                    np.array(video_ids, np.int64),
                    np.array(starts, np.float64),
                    np.array(ends, np.float64),
                    BinaryCodes(packed.reshape(len(rows), (bits + 7) // 8), bits),
                )
            except CodesError as error:
                raise self._damaged(str(error)) from error


def _turned(rows: list[Any], columns: int) -> list[tuple[Any, ...]]:
    """Rows as columns, of which there are as many without any row."""
    return list(zip(*rows, strict=True)) if rows else [()] * columns
