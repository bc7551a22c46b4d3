"""What goes into a library's catalogue and what it remembers of each video."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bitreel.clip import Segment
from bitreel.errors import DataError

# A commit waits for the disk, and other writers wait for it: so many videos are some 0.1 seconds.
_VIDEOS_AT_ONCE, _SEGMENTS_AT_ONCE = 1_000, 20_000


@dataclass(frozen=True)
class Video:
    """A video to index. label: None says nothing, and leaves the label that it may have. state: as
    it was listed, for what lies elsewhere; None where it is to be asked for."""

    path: Path
    label: str | None = None
    state: FileState | None = None

    def __post_init__(self) -> None:
        if self.label is None:
            return
        if not self.label.strip():
            raise DataError(
                f"{self.path} has an empty label: name what it shows, or give None where that is "
                f"not known."
            )
        try:
            to_column(self.label)
        except UnicodeEncodeError:
            raise DataError(
                f"The label of {self.path} is no text: {self.label!r} holds half a character."
            ) from None


@dataclass(frozen=True)
class FileState:
    """By what a changed file is told from the one that was indexed."""

    size_bytes: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> FileState | None:
        """The state of the file at `path`; None where there is none to be had."""
        try:
            found = path.stat()
        except (OSError, ValueError):  # ValueError: a name with a zero byte
            return None
        return None if stat.S_ISDIR(found.st_mode) else cls(found.st_size, found.st_mtime_ns)


@dataclass(frozen=True)
class CodedSegment:
    """A segment and its packed code."""

    segment: Segment
    code: bytes


@dataclass(frozen=True)
class VideoRecord:
    """What one run found out about one video, written in one transaction.

    reason: why it can not be indexed; then it has no segments. damage: what went wrong with frames
    that could be read all the same. content: of the file that was read, as `content_of` gives it;
    None where it is not known.
    """

    path: Path
    state: FileState
    label: str | None = None
    duration_seconds: float | None = None
    segments: Sequence[CodedSegment] = ()
    damage: str | None = None
    reason: str | None = None
    content: bytes | None = None

    def __post_init__(self) -> None:
        if (self.reason is None) != bool(self.segments) or (self.reason is None) != (
            self.duration_seconds is not None
        ):
            raise ValueError(
                f"expected segments and a duration, or else a reason, of {self.path}: "
                f"got {len(self.segments)}, {self.duration_seconds} and {self.reason!r}"
            )


class Fate(StrEnum):
    """What became of a file.

    quarantined: it can not be read, and is tried again when it changes or on request. skipped: it
    was not wanted, or could not be opened for a cause that is not in it; every run looks again.
    """

    INDEXED = "indexed"
    QUARANTINED = "quarantined"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Entry:
    """A line of the ledger. reason: in plain words, None where the file is indexed. video_id: None
    where it is not."""

    path: Path
    fate: Fate
    state: FileState
    label: str | None
    reason: str | None
    damage: str | None
    content: bytes | None
    video_id: int | None


def to_column(text: str | Path) -> str | bytes:
    """A path or label as SQLite keeps it: text, or the bytes of a name that is not UTF-8."""
    raw = str(text).encode("utf-8", "surrogateescape")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw


def from_column(value: str | bytes) -> str:
    """The inverse of `to_column`."""
    return value if isinstance(value, str) else value.decode("utf-8", "surrogateescape")


def printable(text: str | Path) -> str:
    """Text that any terminal can print, whatever bytes a name in it is made of."""
    try:
        raw = str(text).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a character, which no file system made
        raw = str(text).encode("utf-8", "replace")
    return raw.decode("utf-8", "replace")


def resolved(path: Path | str) -> Path:
    """Absolute, with links followed as far as that can be."""
    path = Path(path)
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # links in a circle, a name with a zero byte
        return path.absolute()


def in_batches(records: Iterable[VideoRecord]) -> Iterator[list[VideoRecord]]:
    """In their order, as many as are written at once: others wait meanwhile, and memory is for so
    many segments."""
    batch, segments = list[VideoRecord](), 0
    for record in records:
        batch.append(record)
        segments += len(record.segments)
        if len(batch) == _VIDEOS_AT_ONCE or segments >= _SEGMENTS_AT_ONCE:
            yield batch
            batch, segments = [], 0
    if batch:
        yield batch
