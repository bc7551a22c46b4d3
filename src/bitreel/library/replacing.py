"""Put the codes of another model in the place of those that a catalogue holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bitreel.library.records import FileState, from_column, printable, to_column
from bitreel.library.schema import segment_statements
from bitreel.library.tables import Tables
from bitreel.progress import Progress, Step

_ROWS_AT_ONCE = 10_000
_TRAITS = "size_bytes, mtime_ns, duration_seconds, damage, content"

_Path = str | bytes  # as SQLite keeps it


class Replacing(Tables):
    """A catalogue that can take over the codes of another. Every method raises LibraryError."""

    def not_in(self, other: Replacing) -> list[Path]:
        """The indexed videos that the other catalogue does not hold, or from an earlier state of
        the file, in the order of ids."""
        theirs = dict(other._file_states())
        return [
            Path(from_column(path))
            for path, state in self._file_states()
            if not is_as_new(theirs.get(path), state, path)
        ]

    def replace_codes(
        self,
        other: Replacing,
        *,
        bits: int,
        facts: Mapping[str, str | None],
        lost: Mapping[Path, str],
        progress: Progress,
    ) -> None:
        """Take all segments from another catalogue of the same videos, in one transaction.

        bits: of its codes. facts: for `set_facts`. lost: videos whose codes it does not have, with
        the reason: they stand in the ledger with it, and have no segments. A video that was lost so
        before and that the other catalogue has is indexed again. Labels and the rest of the ledger
        stay.
        """
        with self.transaction(write=True), other.transaction():
            ids = self._take_videos(other, {to_column(path) for path in lost})
            self._lose(other, lost)
            self._take_segments(other, ids, bits, progress)
            self.set_facts(facts)
            self._changed()

    def set_facts(self, facts: Mapping[str, str | None]) -> None:
        """Change what stands in `meta`. None takes a fact out."""
        with self.transaction(write=True):
            for key, value in facts.items():
                self._execute("DELETE FROM meta WHERE key = ?", key)
                if value is not None:
                    self._execute("INSERT INTO meta VALUES (?, ?)", key, value)

    def _file_states(self) -> Iterator[tuple[_Path, FileState]]:
        with self._reading():
            rows = self._rows(
                "SELECT path, size_bytes, mtime_ns FROM videos WHERE status = 'indexed' ORDER BY id"
            )
        return ((path, FileState(size, time)) for path, size, time in rows)

    def _take_videos(self, other: Replacing, lost: set[_Path]) -> dict[int, int]:
        """What the other catalogue knows of the files that it read. Its ids of the videos whose
        segments are to be taken, and ours."""
        rows = self._rows(f"SELECT path, id, status, {_TRAITS} FROM videos")
        own: dict[_Path, tuple[Any, ...]] = {row[0]: row[1:] for row in rows}
        taken: dict[int, int] = {}
        for path, their_id, *traits in other._rows(
            f"SELECT path, id, {_TRAITS} FROM videos WHERE status = 'indexed'"
        ):
            if path not in own or path in lost:
                continue
            own_id, status, *known = own[path]
            if status == "failed" and known[:2] != traits[:2]:
                continue  # the file changed since, and can not be read any more
            taken[their_id] = own_id
            if status == "failed" or known != traits:
                self._execute(
                    "UPDATE videos SET status = 'indexed', reason = NULL, skipped = 0, "
                    "size_bytes = ?, mtime_ns = ?, duration_seconds = ?, damage = ?, content = ? "
                    "WHERE id = ?",
                    *traits,
                    own_id,
                )
        return taken

    def _lose(self, other: Replacing, lost: Mapping[Path, str]) -> None:
        """Quarantined is what the other catalogue quarantined, skipped what it never saw. The state
        of the file stays, by which the video is known again should its codes come back."""
        for path, reason in lost.items():
            known = other._rows("SELECT skipped FROM videos WHERE path = ?", to_column(path))
            self._execute(
                "UPDATE videos SET status = 'failed', reason = ?, skipped = ?, damage = NULL, "
                "duration_seconds = NULL, content = NULL WHERE path = ?",
                printable(reason),
                known[0][0] if known else 1,
                to_column(path),
            )

    def _take_segments(
        self, other: Replacing, video_ids: Mapping[int, int], bits: int, progress: Progress
    ) -> None:
        """In a table made anew, for codes may have another width, and no id is given twice."""
        last = self._rows("SELECT seq FROM sqlite_sequence WHERE name = 'segments'")
        self._execute("DROP INDEX segments_of_video")
        self._execute("ALTER TABLE segments RENAME TO segments_before")
        for statement in segment_statements(bits=bits):
            self._execute(statement)
        if last:
            self._execute("INSERT INTO sqlite_sequence VALUES ('segments', ?)", last[0][0])
        total, done, after = int(other._value("SELECT count(*) FROM segments")), 0, 0
        while rows := other._rows(
            "SELECT id, video_id, start_seconds, end_seconds, code FROM segments "
            "WHERE id > ? ORDER BY id LIMIT ?",
            after,
            _ROWS_AT_ONCE,
        ):
            self._connection.executemany(
                "INSERT INTO segments (video_id, start_seconds, end_seconds, code) "
                "VALUES (?, ?, ?, ?)",
                [(video_ids[row[1]], *row[2:]) for row in rows if row[1] in video_ids],
            )
            after, done = rows[-1][0], done + len(rows)
            progress(Step("swapping", done, total))
        self._execute("DROP TABLE segments_before")


def is_as_new(theirs: FileState | None, ours: FileState, path: _Path) -> bool:
    """Whether a video was read there in the state in which it is known here, or in a later one. A
    file may be put in the place of another with a time before its."""
    if theirs is None or theirs == ours:
        return theirs is not None
    now = FileState.of(Path(from_column(path)))
    return theirs.mtime_ns > ours.mtime_ns if now is None else theirs == now
