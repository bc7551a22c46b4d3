"""What a clip is to show of a segment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitreel.errors import ConfigError
from bitreel.video.sampling import Picks, choose_picks, segment_range

DEFAULT_SPACING_SECONDS = 0.08  # two frames of 25 a second: one shows too little of slow motion


@dataclass(frozen=True)
class ClipOptions:
    """`frames` positions, a snippet at each, as `read_clip` has it. Raises ConfigError."""

    frames: int
    snippet: int = 1
    spacing_seconds: float = DEFAULT_SPACING_SECONDS
    size: tuple[int, int] | None = None  # (height, width); None: as stored

    def __post_init__(self) -> None:
        check_decoding(frames=self.frames, size=self.size)
        if self.snippet < 1 or not 0 <= self.spacing_seconds <= 60:
            raise ConfigError(
                f"A snippet has at least 1 frame and a spacing of 0 to 60 seconds, got "
                f"snippet={self.snippet} and spacing_seconds={self.spacing_seconds}."
            )

    def picks(
        self,
        times_seconds: NDArray[np.float64],
        *,
        duration_seconds: float,
        start_seconds: float,
        end_seconds: float | None,
    ) -> Picks:
        """The frames for [start, end) of a video. Raises VideoError for a start beyond its end."""
        inside = segment_range(
            times_seconds,
            duration_seconds=duration_seconds,
            start_seconds=start_seconds,
            end_seconds=end_seconds,
        )
        return choose_picks(
            times_seconds,
            inside,
            frames=self.frames,
            snippet=self.snippet,
            spacing_seconds=self.spacing_seconds,
        )


def check_decoding(
    *,
    frames: int = 1,
    size: tuple[int, int] | None = None,
    threads: int = 1,
    max_pixels: int = 1,
) -> None:
    """Raises ConfigError for an option out of its range."""
    if frames < 1:
        raise ConfigError(f"A clip has at least 1 frame, got frames={frames}.")
    if size is not None and (len(size) != 2 or min(size) < 1 or max(size) > 16384):
        raise ConfigError(f"Expected size=(height, width), each from 1 to 16384, got {size}.")
    if threads < 1:
        raise ConfigError(f"Decoding takes at least 1 thread, got threads={threads}.")
    if max_pixels < 1:
        raise ConfigError(f"Expected max_pixels of at least 1, got {max_pixels}.")


def check_range(start_seconds: float, end_seconds: float | None) -> None:
    """Raises ConfigError for a range of a video that can not be."""
    if not (0 <= start_seconds < float("inf")) or (
        end_seconds is not None and not end_seconds > start_seconds
    ):
        raise ConfigError(
            f"A segment needs 0 <= start_seconds < end_seconds, "
            f"got {start_seconds} and {end_seconds}."
        )
