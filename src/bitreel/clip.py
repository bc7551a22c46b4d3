"""What travels from a video file to a code: a segment, and the frames sampled from it."""

from __future__ import annotations

from dataclasses import dataclass, field
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


@dataclass(frozen=True, eq=False)
class Clip:
    """The T frames sampled from one segment.

    frames: uint8 [T,H,W,3], RGB. times_seconds: float64 [T], never decreasing.
    """

    frames: NDArray[np.uint8]
    times_seconds: NDArray[np.float64]
    segment: Segment
    damage: Damage = field(default_factory=Damage)

    def __post_init__(self) -> None:
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

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.frames.shape))
        return (
            f"Clip({self.segment.path.name!r}, {self.segment.start_seconds:.2f}-"
            f"{self.segment.end_seconds:.2f} s, frames uint8 {shape}, damage={bool(self.damage)})"
        )
