"""Which frames stand for a segment. Pure arithmetic on the table of times."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitreel.errors import VideoError


def uniform_indices(n: int, t: int) -> NDArray[np.int64]:
    """T indices into n frames, int64 [T]: floor((k + 0.5) * n / t), the middles of T equal parts.

    With fewer frames than T some frames repeat; with as many, each comes once.
    """
    if n < 1 or t < 1:
        raise ValueError(f"expected at least one frame to pick from and to pick, got n={n}, t={t}")
    return (2 * np.arange(t, dtype=np.int64) + 1) * n // (2 * t)


def segment_indices(
    times_seconds: NDArray[np.float64],
    *,
    duration_seconds: float,
    frames: int,
    start_seconds: float,
    end_seconds: float | None,
) -> NDArray[np.int64]:
    """Indices [T] of `frames` uniform picks among the frames shown first in [start, end).

    A segment shorter than one frame takes the frame that is on screen at its start.
    Raises VideoError when the segment starts at or beyond the end of the video.
    """
    if start_seconds >= duration_seconds and start_seconds > 0:
        raise VideoError(
            f"The segment starts at {start_seconds:g} s, but the video ends at "
            f"{duration_seconds:g} s. Choose an earlier start."
        )
    first = int(np.searchsorted(times_seconds, start_seconds, side="left"))
    stop = len(times_seconds)
    if end_seconds is not None:
        stop = int(np.searchsorted(times_seconds, end_seconds, side="left"))
    if stop <= first:
        first = max(0, int(np.searchsorted(times_seconds, start_seconds, side="right")) - 1)
        stop = first + 1
    return first + uniform_indices(stop - first, frames)
