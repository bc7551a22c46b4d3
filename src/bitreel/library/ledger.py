"""What became of every file that a library was shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bitreel.library.database import Database
from bitreel.library.records import (
    Entry,
    Fate,
    FileState,
    VideoRecord,
    from_column,
    printable,
    to_column,
)

_ENTRY = "path, status, skipped, size_bytes, mtime_ns, label, reason, damage, content, id"


@dataclass(frozen=True)
class Counts:
    """Of the files in a ledger; `duration_seconds` of the indexed ones together."""

    videos: int
    quarantined: int
    skipped: int
    damaged: int
    duration_seconds: float


class Ledger(Database):
    """The videos of a catalogue, without their segments. Every method raises LibraryError."""

    def entry(self, path: Path) -> Entry | None:
        """What is remembered of the file at this absolute path."""
        found = self._entries("path = ?", to_column(path))
        return found[0] if found else None

    def entries_of(self, paths: Iterable[Path]) -> dict[Path, Entry]:
        """What is remembered of these files, as far as it is."""
        with self.transaction():
            found = {path: self.entry(path) for path in paths}
        return {path: entry for path, entry in found.items() if entry is not None}

    def same_content(self, content: bytes) -> list[Entry]:
        """The indexed videos whose files hold this."""
        return self._entries("content = ? AND status = 'indexed'", content)

    def relabel(self, labels: Mapping[Path, str]) -> None:
        """Give videos that are there other labels."""
        with self.transaction(write=True):
            for path, label in labels.items():
                self._execute(
                    "UPDATE videos SET label = ? WHERE path = ?", to_column(label), to_column(path)
                )
            if labels:
                self._changed()

    def skip(self, reasons: Mapping[Path, str]) -> None:
        """Write down why files were passed over. What is indexed stays so, and what is quarantined
        keeps its reason."""
        with self.transaction(write=True):
            for path, reason in reasons.items():
                known = self.entry(path)
                if known is None or (known.fate is Fate.SKIPPED and known.reason != reason):
                    state = FileState.of(path) or FileState(0, 0)
                    self._put_video(VideoRecord(path, state, reason=reason), skipped=True)

    def move(
        self, old: Path, new: Path, state: FileState, label: str | None, content: bytes
    ) -> bool:
        """Note that an indexed video lies elsewhere now, with its segments as they are. False where
        it is not indexed any more, or not with this content."""
        with self.transaction(write=True):
            known = self.entry(old)
            if known is None or known.fate is not Fate.INDEXED or known.content != content:
                return False
            self._forget([new])  # what was known of another file there
            self._execute(
                "UPDATE videos SET path = ?, size_bytes = ?, mtime_ns = ?, "
                "label = coalesce(?, label) WHERE path = ?",
                to_column(new),
                state.size_bytes,
                state.mtime_ns,
                None if label is None else to_column(label),
                to_column(old),
            )
            self._changed()
        return True

    def touch(self, path: Path, state: FileState, content: bytes) -> bool:
        """Note another time of a file that holds what it held. False where that is not known."""
        with self.transaction(write=True):
            known = self.entry(path)
            if known is None or known.fate is not Fate.INDEXED or known.content != content:
                return False
            self._execute(
                "UPDATE videos SET size_bytes = ?, mtime_ns = ? WHERE path = ?",
                state.size_bytes,
                state.mtime_ns,
                to_column(path),
            )
        return True

    def remove(self, paths: Iterable[Path]) -> int:
        """Forget files, and the segments that they have. How many of them were indexed."""
        with self.transaction(write=True):
            before = self.counts().videos
            self._forget(paths)
            self._changed()
            return before - self.counts().videos

    def paths(self) -> list[Path]:
        """Of every file."""
        with self._reading():
            return [Path(from_column(row[0])) for row in self._rows("SELECT path FROM videos")]

    def counts(self) -> Counts:
        with self._reading():
            videos, skipped, failed, damaged, seconds = self._rows(
                "SELECT count(*), coalesce(sum(skipped), 0), count(reason), count(damage), "
                "coalesce(sum(duration_seconds), 0.0) FROM videos"
            )[0]
        return Counts(videos - failed, failed - skipped, skipped, damaged, seconds)

    def labels(self) -> dict[str, int]:
        """How many indexed videos each label has, in the order of labels."""
        with self._reading():
            rows = self._rows(
                "SELECT label, count(*) FROM videos "
                "WHERE label IS NOT NULL AND status = 'indexed' GROUP BY label"
            )
            return dict(sorted((from_column(label), count) for label, count in rows))

    def check_writable(self) -> None:
        """Raises LibraryError where nothing can be written, as on a read-only disk."""
        with self.transaction(write=True):  # to begin one is not enough to tell
            self._execute("UPDATE meta SET value = value WHERE key = 'revision'")

    def revision(self) -> int:
        """A number that rises with every change of a segment, of a path or a label, by whatever
        process."""
        with self._reading():
            return int(self._value("SELECT value FROM meta WHERE key = 'revision'"))

    def confirm(self) -> None:
        """What was written is in the library: transactions see to that."""

    def _entries(self, where: str, *values: object) -> list[Entry]:
        with self._reading():
            rows = self._rows(f"SELECT {_ENTRY} FROM videos WHERE {where}", *values)
            return [_entry(row) for row in rows]

    def _put_video(self, record: VideoRecord, *, skipped: bool = False) -> None:
        self._execute(
            "INSERT INTO videos (path, size_bytes, mtime_ns, status, duration_seconds, label, "
            "damage, reason, content, skipped, added_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (path) DO UPDATE SET size_bytes = excluded.size_bytes, "
            "mtime_ns = excluded.mtime_ns, status = excluded.status, "
            "duration_seconds = excluded.duration_seconds, "
            "label = coalesce(excluded.label, label), damage = excluded.damage, "
            "reason = excluded.reason, content = excluded.content, skipped = excluded.skipped, "
            "added_at = excluded.added_at",
            to_column(record.path),
            record.state.size_bytes,
            record.state.mtime_ns,
            "indexed" if record.reason is None else "failed",
            record.duration_seconds,
            None if record.label is None else to_column(record.label),
            record.damage,
            None if record.reason is None else printable(record.reason),
            record.content,
            int(skipped),
            datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _forget(self, paths: Iterable[Path]) -> None:
        for path in paths:
            self._execute("DELETE FROM videos WHERE path = ?", to_column(path))

    def _changed(self) -> None:
        self._execute("UPDATE meta SET value = value + 1 WHERE key = 'revision'")


def _entry(row: tuple[Any, ...]) -> Entry:
    path, status, skipped, size_bytes, mtime_ns, label, reason, damage, content, number = row
    fate = Fate.INDEXED if status == "indexed" else Fate.SKIPPED if skipped else Fate.QUARANTINED
    return Entry(
        Path(from_column(path)),
        fate,
        FileState(size_bytes, mtime_ns),
        None if label is None else from_column(label),
        reason,
        damage,
        content,
        number if fate is Fate.INDEXED else None,
    )
