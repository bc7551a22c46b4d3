"""A library's videos and segments column by column: what a million of them is moved about as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes


@dataclass(frozen=True, eq=False)
class VideoColumns:
    """V indexed videos in the rising order of `ids`, int64 [V], which hold in one library only.

    paths: absolute; the bytes of one that is not UTF-8 are escaped as Python's `surrogateescape`
    does. durations_seconds: float64 [V]. sizes_bytes, mtimes_ns (since 1970): int64 [V], of the
    file that was indexed. labels, damages, contents (the hash of the file's content): empty where
    there is none. Raises ValueError.
    """

    ids: NDArray[np.int64]
    paths: Sequence[str]
    durations_seconds: NDArray[np.float64]
    sizes_bytes: NDArray[np.int64]
    mtimes_ns: NDArray[np.int64]
    labels: Sequence[str]
    damages: Sequence[str]
    contents: Sequence[bytes]

    def __post_init__(self) -> None:
        _check_lengths(self, "videos")
        _check_types(self, ids=np.int64, durations_seconds=np.float64)
        _check_types(self, sizes_bytes=np.int64, mtimes_ns=np.int64)
        if np.any(np.diff(self.ids) <= 0):
            raise ValueError("expected ids of videos that rise, none given twice")
        if len(set(self.paths)) != len(self.paths):
            raise ValueError("expected each path once")
        for path in self.paths:
            if not path.startswith("/") or "\0" in path:
                raise ValueError(f"expected absolute paths, got {path!r}")
        if not np.all((self.durations_seconds >= 0) & np.isfinite(self.durations_seconds)):
            raise ValueError("expected durations of 0 seconds or more")
        if np.any(self.sizes_bytes < 0):
            raise ValueError("expected sizes of 0 bytes or more")

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which row each of these ids has, int64. Raises ValueError for one not there."""
        found = np.searchsorted(self.ids, ids)
        if np.any(found == len(self)) or np.any(self.ids[found] != ids):
            raise ValueError("expected segments of the videos listed, got some of others")
        return found.astype(np.int64)


@dataclass(frozen=True, eq=False)
class SegmentColumns:
    """N segments in the rising order of `ids`, int64 [N]. video_ids: int64 [N], the video of each.

    starts_seconds, ends_seconds: float64 [N]. codes: N of them. Raises ValueError.
    """

    ids: NDArray[np.int64]
    video_ids: NDArray[np.int64]
    starts_seconds: NDArray[np.float64]
    ends_seconds: NDArray[np.float64]
    codes: BinaryCodes

    def __post_init__(self) -> None:
        _check_lengths(self, "segments")
        _check_types(self, ids=np.int64, video_ids=np.int64)
        _check_types(self, starts_seconds=np.float64, ends_seconds=np.float64)
        if np.any(np.diff(self.ids) <= 0):
            raise ValueError("expected ids of segments that rise, none given twice")
        ordered = (self.starts_seconds >= 0) & (self.starts_seconds <= self.ends_seconds)
        if not np.all(ordered & np.isfinite(self.ends_seconds)):
            raise ValueError("expected 0 <= start_seconds <= end_seconds of every segment")

    def __len__(self) -> int:
        return len(self.ids)


def joined_videos(parts: Sequence[VideoColumns]) -> VideoColumns:
    """Parts of at least one table put together, in their order."""

    def numbers(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(part, name) for part in parts])

    def lists(name: str) -> list[Any]:
        return [value for part in parts for value in getattr(part, name)]

    return VideoColumns(
        numbers("ids"),
        lists("paths"),
        numbers("durations_seconds"),
        numbers("sizes_bytes"),
        numbers("mtimes_ns"),
        lists("labels"),
        lists("damages"),
        lists("contents"),
    )


def joined_segments(parts: Sequence[SegmentColumns]) -> SegmentColumns:
    """Parts of at least one table put together, in their order."""
    codes = BinaryCodes(np.concatenate([part.codes.packed for part in parts]), parts[0].codes.bits)
    return SegmentColumns(
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.video_ids for part in parts]),
        np.concatenate([part.starts_seconds for part in parts]),
        np.concatenate([part.ends_seconds for part in parts]),
        codes,
    )


def _check_lengths(table: VideoColumns | SegmentColumns, of: str) -> None:
    lengths = {field.name: len(getattr(table, field.name)) for field in fields(table)}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"expected columns of one length for the {of}, got {lengths}")


def _check_types(table: VideoColumns | SegmentColumns, **expected: type[np.generic]) -> None:
    for name, dtype in expected.items():
        column = getattr(table, name)
        if column.dtype != dtype or column.ndim != 1:
            raise ValueError(
                f"expected {name} {np.dtype(dtype)} [N], got {column.dtype} {list(column.shape)}"
            )
