"""What travels from a video file to a code: a segment, and the frames sampled from it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Segment:
    """A time range of one video, the unit that gets one code."""

    path: Path
    start_seconds: float
    end_seconds: float

    def __post_init__(self) -> None:
        if not 0 <= self.start_seconds <= self.end_seconds:
            raise ValueError(
                f"expected 0 <= start_seconds <= end_seconds, "
                f"got {self.start_seconds} and {self.end_seconds} ({self.path})"
            )

    @property
    def duration_seconds(self) -> float:
        return self.end_seconds - self.start_seconds


@dataclass(frozen=True)
class Damage:
    """What went wrong while the frames of a clip were decoded. Falsy when nothing did."""

    packet_errors: int = 0  # packets that were unreadable, or that the decoder refused
    corrupt_frames: int = 0  # frames that the decoder marked as corrupt
    replaced_frames: int = 0  # picks that were lost, for which the nearest decoded frame stands in
    missing_frames: int = 0  # frames that the file should hold and does not

    def __bool__(self) -> bool:
        counts = (self.packet_errors, self.corrupt_frames, self.replaced_frames)
        return any(counts) or self.missing_frames > 0

    def __str__(self) -> str:
        return (
            f"{self.packet_errors} packets refused, {self.corrupt_frames} frames corrupt, "
            f"{self.replaced_frames} frames replaced by a neighbour, {self.missing_frames} missing"
        )


def _unset() -> NDArray[np.int64]:
    return np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Clip:
    """The frames sampled from one segment: T positions, and at each a snippet of S frames.

    frames: uint8 [N,H,W,3], RGB. times_seconds: float64 [N], never decreasing.
    snippets: int64 [T,S], rows into `frames`, which snippets share; by default each frame is the
    snippet of its own position (T = N, S = 1). centres: int64 [T], the column of each snippet that
    holds the frame at its position; by default S//2, the middle.
    """

    frames: NDArray[np.uint8]
    times_seconds: NDArray[np.float64]
    segment: Segment
    damage: Damage = field(default_factory=Damage)
    snippets: NDArray[np.int64] = field(default_factory=_unset)
    centres: NDArray[np.int64] = field(default_factory=_unset)

    def __post_init__(self) -> None:
        self._check_frames()
        if not self.snippets.size:
            object.__setattr__(self, "snippets", np.arange(len(self.frames))[:, None])
        if not self.centres.size:
            middle = self.snippets.shape[-1] // 2
            object.__setattr__(self, "centres", np.full(len(self.snippets), middle))
        self._check_snippets()

    @property
    def positions(self) -> int:
        """T: how many moments of the segment the clip shows."""
        return len(self.snippets)

    def snippet_frames(self, size: int) -> NDArray[np.uint8]:
        """The `size` frames around each position, uint8 [T,size,H,W,3], in the order of time.

        size // 2 of them stand before the one at the position, fewer where the segment starts or
        ends. Raises ValueError when the snippets hold fewer.
        """
        held = self.snippets.shape[1]
        if not 1 <= size <= held:
            raise ValueError(f"expected 1 to {held} frames of each snippet, got size={size}")
        first = np.clip(self.centres - size // 2, 0, held - size)
        columns = first[:, None] + np.arange(size)
        return self.frames[np.take_along_axis(self.snippets, columns, axis=1)]

    def every(self, step: int, offset: int) -> Clip:
        """The clip of each step-th position, from `offset` on. It shares the frames."""
        kept = slice(offset, None, step)
        return replace(self, snippets=self.snippets[kept], centres=self.centres[kept])

    def _check_frames(self) -> None:
        shape = self.frames.shape
        if self.frames.dtype != np.uint8 or len(shape) != 4 or shape[0] < 1 or shape[3] != 3:
            raise ValueError(
                f"expected frames uint8 [T>=1,H,W,3], got {self.frames.dtype} {list(shape)}"
            )
        if self.times_seconds.shape != shape[:1]:
            raise ValueError(
                f"expected {shape[0]} times for {shape[0]} frames, "
                f"got {list(self.times_seconds.shape)}"
            )
        if np.any(np.diff(self.times_seconds) < 0):
            raise ValueError("expected times_seconds that never decrease")

    def _check_snippets(self) -> None:
        snippets, centres = self.snippets, self.centres
        if snippets.ndim != 2 or snippets.min() < 0 or snippets.max() >= len(self.frames):
            raise ValueError(
                f"expected snippets [T,S] of rows 0 to {len(self.frames) - 1}, "
                f"got {list(snippets.shape)} of {snippets.min()} to {snippets.max()}"
            )
        if np.any(np.diff(snippets, axis=1) < 0):
            raise ValueError("expected snippets whose rows never decrease")
        if centres.shape != snippets.shape[:1] or np.any(
            (centres < 0) | (centres >= snippets[0].size)
        ):
            raise ValueError(
                f"expected {len(snippets)} centres from 0 to {snippets.shape[1] - 1}, "
                f"got {centres.tolist()}"
            )

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.frames.shape))
        snippets = "x".join(map(str, self.snippets.shape))
        return (
            f"Clip({self.segment.path.name!r}, {self.segment.start_seconds:.2f}-"
            f"{self.segment.end_seconds:.2f} s, frames uint8 {shape}, snippets {snippets}, "
            f"damage={bool(self.damage)})"
        )
