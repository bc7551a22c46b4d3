"""Where a video is cut: all of it, the same whether its end is known or not."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitreel.errors import ConfigError
from bitreel.video import WHOLE_VIDEOS, Segmenting
from bitreel.video.segmenting import Cutter, Span

windows = st.sampled_from([0.5, 1.0, 4.0, 10.0])
shares = st.sampled_from([0.2, 0.25, 0.5, 0.7, 1.0])
lengths = st.floats(0.04, 100)


def cut(segmenting: Segmenting, end: float, borders: tuple[float, ...] = ()) -> list[Span]:
    cutter = Cutter(segmenting)
    for border in borders:
        cutter.border(border)
    return cutter.finish(end)


def slow_cut(segmenting: Segmenting, end: float, borders: tuple[float, ...]) -> list[Span]:
    """With the end and all borders known beforehand: first the shots, then each by itself."""
    window, stride = segmenting.window_seconds, segmenting.stride_seconds
    if end < 1.5 * window:
        return [Span(0.0, end)]
    shortest = min(1.0, window / 2)
    starts = [0.0]
    for border in borders:
        if border >= starts[-1] + shortest and border + shortest <= end:
            starts.append(border)
    spans = []
    for start, stop in pairwise([*starts, end]):
        count = 0
        while start + count * stride + 1.5 * window <= stop:
            begin = start + count * stride
            count += 1
            spans.append(Span(begin, max(begin + window, start + count * stride)))
        spans.append(Span(start + count * stride, stop))
    return spans


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (0.04, [(0, 0.04)]),
        (4.0, [(0, 4)]),
        (5.9, [(0, 5.9)]),
        (6.0, [(0, 4), (2, 6)]),
        (7.9, [(0, 4), (2, 7.9)]),
        (8.0, [(0, 4), (2, 6), (4, 8)]),
    ],
)
def test_known_windows(end: float, expected: list[tuple[float, float]]) -> None:
    assert cut(Segmenting(), end) == [Span(*pair) for pair in expected]


def test_windows_side_by_side_leave_a_tail_of_half_a_window_to_itself() -> None:
    segmenting = Segmenting(4, 4)
    assert cut(segmenting, 9) == [Span(0, 4), Span(4, 9)]
    assert cut(segmenting, 10) == [Span(0, 4), Span(4, 8), Span(8, 10)]


def test_shots_are_cut_and_short_ones_join() -> None:
    spans = cut(Segmenting(), 19.9, (3, 3.5, 10, 19.5))
    assert spans == [
        Span(0, 3),
        Span(3, 7),  # the border at 3.5 is too near
        Span(5, 10),
        Span(10, 14),
        Span(12, 16),
        Span(14, 19.9),  # so is the end to that at 19.5
    ]


def test_a_short_video_is_one_segment_whatever_its_shots() -> None:
    assert cut(Segmenting(), 5.99, (2, 4)) == [Span(0, 5.99)]


@given(window=windows, share=shares, end=lengths, data=st.data())
def test_agrees_with_the_slow_twin_and_loses_nothing(
    window: float, share: float, end: float, data: st.DataObject
) -> None:
    segmenting = Segmenting(window, max(0.1, window * share))
    borders = tuple(sorted(data.draw(st.lists(st.floats(0, end), max_size=8))))
    spans = cut(segmenting, end, borders)
    assert spans == slow_cut(segmenting, end, borders)
    assert spans[0].start_seconds == 0
    assert spans[-1].end_seconds == end
    for one, following in pairwise(spans):
        assert one.start_seconds < following.start_seconds <= one.end_seconds
    lasting = [span.end_seconds - span.start_seconds for span in spans]
    assert max(lasting) < 1.5 * window + 1e-9
    if not borders and end >= 1.5 * window:
        assert min(lasting) >= window / 2 - 1e-9


@given(window=windows, share=shares, end=lengths, data=st.data())
def test_reading_on_cuts_as_knowing_the_end_does(
    window: float, share: float, end: float, data: st.DataObject
) -> None:
    """Told piece by piece, and every segment is given as soon as it is certain."""
    segmenting = Segmenting(window, max(0.1, window * share))
    borders = tuple(sorted(data.draw(st.lists(st.floats(0, end), max_size=8))))
    steps = sorted(data.draw(st.lists(st.floats(0, end), max_size=30)))
    cutter, waiting, given_out = Cutter(segmenting), list(borders), []
    for settled in steps:
        while waiting and waiting[0] <= settled:
            cutter.border(waiting.pop(0))
        given_out += cutter.advance(settled)
        open_since = cutter.open_since
        assert settled - open_since < 1.5 * window + segmenting.shortest_shot_seconds + 1e-9
    for border in waiting:
        cutter.border(border)
    assert given_out + cutter.finish(end) == cut(segmenting, end, borders)


@pytest.mark.parametrize("window", [-1.0, 0.4, 61.0, float("nan"), float("inf"), True, "4"])
def test_a_window_out_of_its_range(window: float) -> None:
    with pytest.raises(ConfigError, match=r"A window takes 0\.5 to 60 seconds, or 0"):
        Segmenting(window, 0.5)


@pytest.mark.parametrize("stride", [0.0, -1.0, 0.05, 4.1, float("nan"), False])
def test_a_stride_out_of_its_range(stride: float) -> None:
    with pytest.raises(ConfigError, match=r"stride of 0\.1 to 4 seconds, so that no part"):
        Segmenting(4, stride)


def test_defaults_and_whole_videos() -> None:
    assert Segmenting.of() == Segmenting() == Segmenting(4.0, 2.0, True)
    assert Segmenting.of(window=6, shots=False) == Segmenting(6.0, 3.0, False)
    assert Segmenting.of(stride=1) == Segmenting(4.0, 1.0)
    assert Segmenting.of(window=0) == Segmenting(0, 7, True) == WHOLE_VIDEOS
    assert WHOLE_VIDEOS.is_whole
    assert (str(WHOLE_VIDEOS), str(Segmenting())) == (
        "whole videos",
        "windows of 4 s every 2 s, cut at shot borders",
    )
    with pytest.raises(ValueError, match="nothing to cut"):
        Cutter(WHOLE_VIDEOS)
