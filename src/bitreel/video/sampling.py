"""Which frames stand for a segment. Pure arithmetic on the table of times.

T positions, spread evenly over the segment, and at each a snippet: S frames close in time, for what
looks at motion. With S = 1 a snippet is the frame at the position.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

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


@dataclass(frozen=True, eq=False)
class Picks:
    """The frames of a clip, by their numbers in the video.

    indices: int64 [N], never falling. snippets: int64 [T,S], rows into `indices`. centres: int64
    [T], the column of each snippet that holds the frame at its position.
    """

    indices: NDArray[np.int64]
    snippets: NDArray[np.int64]
    centres: NDArray[np.int64]


def segment_range(
    times_seconds: NDArray[np.float64],
    *,
    duration_seconds: float,
    start_seconds: float,
    end_seconds: float | None,
) -> range:
    """The frames shown first in [start, end).

    A segment shorter than one frame is the frame that is on screen at its start.
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
    return range(first, stop)


def choose_picks(
    times_seconds: NDArray[np.float64],
    inside: range,
    *,
    frames: int,
    snippet: int = 1,
    spacing_seconds: float = 0.0,
) -> Picks:
    """`frames` uniform positions among the frames `inside`, and `snippet` frames around each.

    The frames of a snippet are those nearest to position + (k - S//2) * spacing, k = 0..S-1, each
    another frame than the one before: at a low frame rate, or with spacing 0, the next one. Where
    the segment ends, the snippet goes on at its other side. Where it is too short for the spacing,
    the frames follow each other; where it has fewer than S, its first or last repeats.

    The frame at the position is the same for every S. So is the smaller snippet within the larger
    (`Clip.snippet_frames`), where the segment is long enough for the larger at the spacing.
    """
    positions = inside.start + uniform_indices(len(inside), frames)
    if snippet == 1:
        # Positions that share a frame stay apart: as many frames as positions, always.
        return Picks(positions, np.arange(frames)[:, None], np.zeros(frames, np.int64))
    around = partial(
        _snippet,
        np.rint(times_seconds[inside.start : inside.stop] * 1e6).astype(np.int64),
        size=snippet,
        spacing=round(spacing_seconds * 1e6),
    )
    rows, centres = zip(*map(around, (positions - inside.start).tolist()), strict=True)
    indices, snippets = np.unique(inside.start + np.array(rows, np.int64), return_inverse=True)
    return Picks(indices, snippets.reshape(frames, snippet), np.array(centres, np.int64))


def _snippet(
    times: NDArray[np.int64], position: int, *, size: int, spacing: int
) -> tuple[list[int], int]:
    """The frames of one snippet in rising order, and the column of the position's own frame.

    times: the frames of the segment, in microseconds, so that equal distances are equal. A snippet
    is taken from one run of frames whose steps do not depend on its size: that nests them.
    """
    before = [position - k for k in _steps(times[position] - times[position::-1], spacing, size)]
    after = [position + k for k in _steps(times[position:] - times[position], spacing, size)]
    if len(before) + len(after) + 1 < size:
        before = list(range(position - 1, max(position - size, -1), -1))
        after = list(range(position + 1, min(position + size, len(times))))
    run = [*reversed(before), position, *after]
    start = _window(len(before), size, len(run))
    missing = size - len(run)
    if missing > 0 and len(before) > len(after):
        return [run[0]] * missing + run, missing + len(before)
    return (run + run[-1:] * missing)[start : start + size], len(before) - start


def _steps(elapsed: NDArray[np.int64], spacing: int, size: int) -> list[int]:
    """How many frames away from the position each further frame of a snippet is, on one side.

    elapsed: int64 [n], microseconds from the position to itself and to each frame on that side. Up
    to size - 1 steps, as far as a frame is less than half the spacing short of its time. Of two
    frames as near, the one nearer to the position.
    """
    steps: list[int] = []
    for k in range(1, size):
        after = min(int(np.searchsorted(elapsed, k * spacing)), len(elapsed) - 1)
        near = min(after, max(after - 1, 0), key=lambda i: (abs(elapsed[i] - k * spacing), i))
        next_one = (steps[-1] if steps else 0) + 1
        if next_one >= len(elapsed) or 2 * (k * spacing - elapsed[-1]) >= spacing:
            break
        steps.append(max(int(np.searchsorted(elapsed, elapsed[near])), next_one))
    return steps


def _window(centre: int, size: int, length: int) -> int:
    """Where `size` columns with size//2 of them before `centre` start, moved inside `length`."""
    return max(0, min(centre - size // 2, length - size))
