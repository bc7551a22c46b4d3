from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitreel.errors import VideoError
from bitreel.video.sampling import choose_picks, segment_range, uniform_indices

counts = st.integers(1, 2000)


@given(n=counts, t=counts)
def test_uniform_indices_are_the_middles_of_equal_parts(n: int, t: int) -> None:
    expected = [math.floor((2 * k + 1) * n / (2 * t) + 1e-9) for k in range(t)]
    assert uniform_indices(n, t).tolist() == expected


@given(n=counts, t=counts)
def test_uniform_indices_rise_stay_inside_and_mirror(n: int, t: int) -> None:
    indices = uniform_indices(n, t)
    assert indices[0] >= 0
    assert indices[-1] < n
    steps = np.diff(indices)
    assert (steps >= 0).all()
    assert t == 1 or steps.max() - steps.min() <= 1
    assert len(set(indices.tolist())) == min(n, t)


def test_known_picks() -> None:
    assert uniform_indices(16, 4).tolist() == [2, 6, 10, 14]
    assert uniform_indices(3, 3).tolist() == [0, 1, 2]
    assert uniform_indices(2, 4).tolist() == [0, 0, 1, 1]
    with pytest.raises(ValueError, match="at least one frame"):
        uniform_indices(0, 4)


def _pick(times: list[float], frames: int, start: float, end: float | None) -> list[int]:
    table = np.array(times)
    inside = segment_range(
        table, duration_seconds=times[-1] + 1, start_seconds=start, end_seconds=end
    )
    picks = choose_picks(table, inside, frames=frames)
    assert picks.snippets.tolist() == [[row] for row in range(frames)]
    assert not picks.centres.any()
    return [int(k) for k in picks.indices]


def test_a_segment_takes_the_frames_first_shown_in_it() -> None:
    times = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert _pick(times, 2, 2.0, 4.0) == [2, 3]
    assert _pick(times, 6, 0.0, None) == [0, 1, 2, 3, 4, 5]
    assert _pick(times, 1, 0.5, 1.5) == [1]
    assert _pick(times, 2, 4.5, 99.0) == [5, 5]


def test_a_segment_between_two_frames_takes_what_is_on_screen() -> None:
    assert _pick([0.0, 10.0, 20.0], 2, 12.0, 13.0) == [1, 1]
    assert _pick([0.0, 10.0, 20.0], 1, 20.5, None) == [2]


def test_a_start_beyond_the_end_is_refused() -> None:
    with pytest.raises(VideoError, match=r"starts at 6 s, but the video ends at 6 s"):
        _pick([0.0, 5.0], 2, 6.0, None)


@given(
    gaps=st.lists(st.floats(0.001, 10), min_size=1, max_size=50),
    frames=st.integers(1, 30),
    start=st.floats(0, 1),
    length=st.floats(0.001, 1),
)
def test_picks_of_a_segment_lie_in_it(
    gaps: list[float], frames: int, start: float, length: float
) -> None:
    times = np.cumsum([0.0, *gaps])
    end = float(times[-1]) + 1
    first, last = start * end * 0.999, start * end + length * end
    shown_in_it = segment_range(times, duration_seconds=end, start_seconds=first, end_seconds=last)
    indices = choose_picks(times, shown_in_it, frames=frames).indices
    inside = [k for k, t in enumerate(times) if first <= t < last]
    on_screen = max(k for k, t in enumerate(times) if t <= first)
    assert set(indices.tolist()) <= set(inside or [on_screen])
    assert len(indices) == frames
    assert (np.diff(indices) >= 0).all()
