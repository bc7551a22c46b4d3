"""Snippets: the frames around each position, close in time, never the same one twice."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapes import UNEVEN_TIMES, shape

from bitreel.clip import Clip, Segment
from bitreel.errors import ConfigError
from bitreel.video import read_clip, uniform_indices
from bitreel.video.sampling import Picks, choose_picks
from media import make_video, read_numbers, truncate

Frames = list[list[int]]

gaps = st.lists(st.sampled_from([0.0, 0.001, 0.01, 0.04, 0.05, 0.1, 1.0]), max_size=40)
sizes = st.integers(2, 8)
spacings = st.sampled_from([0.0, 0.01, 0.04, 0.06, 0.08, 0.15, 2.0])


def pick(
    times: list[float], size: int, spacing: float, *, frames: int = 5, inside: range | None = None
) -> Picks:
    inside = inside or range(len(times))
    return choose_picks(
        np.array(times), inside, frames=frames, snippet=size, spacing_seconds=spacing
    )


def shown(picks: Picks) -> Frames:
    """The frame numbers of each snippet."""
    found: Frames = picks.indices[picks.snippets].tolist()
    return found


def smaller(picks: Picks, size: int) -> Frames:
    """The frame numbers that a clip with these picks gives for a smaller snippet."""
    number = picks.indices.astype(np.uint8)[:, None, None, None].repeat(3, axis=3)
    times = np.zeros(len(number))
    segment = Segment(Path("made"), 0, 1)
    clip = Clip(number, times, segment, snippets=picks.snippets, centres=picks.centres)
    found: Frames = clip.snippet_frames(size)[:, :, 0, 0, 0].tolist()
    return found


def one_side(ticks: list[int], at: int, way: int, spacing: int, last: int) -> list[int]:
    """The frames to one side of `at`, by trying all of them for every step."""
    found = [at]
    for k in range(1, len(ticks)):
        target = ticks[at] + way * k * spacing
        side = range(at, last + way, way)
        near = min(side, key=lambda i: (abs(ticks[i] - target), abs(i - at)))
        if abs(found[-1] - at) + 1 == len(side) or 2 * way * (target - ticks[last]) >= spacing:
            break
        found.append(max(near, found[-1] + way, key=lambda i: abs(i - at)))
    return found[1:]


def slow_snippet(ticks: list[int], at: int, inside: range, size: int, spacing: int) -> list[int]:
    """Grown frame by frame: one before, one after, and where there is none at the other side."""
    before = one_side(ticks, at, -1, spacing, inside[0])
    after = one_side(ticks, at, +1, spacing, inside[-1])
    if len(before) + 1 + len(after) < size:
        before, after = list(range(at - 1, inside[0] - 1, -1)), list(range(at + 1, inside.stop))
    near_start = len(before) <= len(after)
    snippet = [at]
    while len(snippet) < size and (before or after):
        even = len(snippet) % 2 == 0
        if (after and even) or not before:
            snippet.append(after.pop(0))
        else:
            snippet.insert(0, before.pop(0))
    missing = size - len(snippet)
    return snippet + snippet[-1:] * missing if near_start else snippet[:1] * missing + snippet


@given(gaps=gaps, size=sizes, spacing=spacings, data=st.data())
def test_agrees_with_the_slow_twin(
    gaps: list[float], size: int, spacing: float, data: st.DataObject
) -> None:
    times = np.cumsum([0.0, *gaps]).tolist()
    first = data.draw(st.integers(0, len(times) - 1))
    inside = range(first, data.draw(st.integers(first + 1, len(times))))
    ticks = [round(t * 1_000_000) for t in times]
    positions = (first + uniform_indices(len(inside), 5)).tolist()
    expected = [
        slow_snippet(ticks, at, inside, size, round(spacing * 1_000_000)) for at in positions
    ]
    assert shown(pick(times, size, spacing, inside=inside)) == expected


@given(gaps=gaps, size=sizes, spacing=spacings, data=st.data())
def test_what_every_snippet_holds_to(
    gaps: list[float], size: int, spacing: float, data: st.DataObject
) -> None:
    times = np.cumsum([0.0, *gaps]).tolist()
    first = data.draw(st.integers(0, len(times) - 1))
    inside = range(first, data.draw(st.integers(first + 1, len(times))))
    picks = pick(times, size, spacing, inside=inside)
    alone = pick(times, 1, spacing, inside=inside)
    assert np.all(np.diff(picks.indices) > 0), "each frame once, in the order of time"
    assert {k for snippet in shown(picks) for k in snippet} == set(picks.indices.tolist())
    assert set(picks.indices.tolist()) <= set(inside)
    assert smaller(picks, 1) == shown(alone), "the frame at the position does not move"
    assert smaller(picks, size) == shown(picks)
    for snippet in shown(picks):
        distinct = len(set(snippet))
        assert snippet == sorted(snippet)
        assert distinct == min(size, len(inside)), "distinct wherever there are enough"


@given(rate=st.sampled_from([5, 10, 24, 25, 30, 50, 60]), size=sizes, less=sizes, spacing=spacings)
def test_a_smaller_snippet_lies_within_a_larger(
    rate: int, size: int, less: int, spacing: float
) -> None:
    frames = size + round(2 * spacing * rate * size)  # long enough for the larger
    times = [k / rate for k in range(min(frames, 250))]
    larger, smaller_size = max(size, less), min(size, less)
    if len(times) >= larger + round(2 * spacing * rate * larger):
        alone = pick(times, smaller_size, spacing, frames=9)
        assert smaller(pick(times, larger, spacing, frames=9), smaller_size) == shown(alone)


@given(count=st.integers(1, 20), size=sizes, less=sizes)
def test_without_a_spacing_a_smaller_snippet_always_lies_within_a_larger(
    count: int, size: int, less: int
) -> None:
    times = [k / 25 for k in range(count)]
    larger, less = max(size, less), min(size, less)
    alone = pick(times, less, 0.0, frames=9)
    assert smaller(pick(times, larger, 0.0, frames=9), less) == shown(alone)


def test_known_snippets() -> None:
    at_25 = [k / 25 for k in range(50)]
    assert shown(pick(at_25, 2, 0.08, frames=2)) == [[10, 12], [35, 37]]
    assert shown(pick(at_25, 5, 0.08, frames=1)) == [[21, 23, 25, 27, 29]]
    assert shown(pick(at_25, 3, 0.05, frames=1)) == [[24, 25, 26]], "the nearest"
    assert shown(pick(at_25, 3, 0.06, frames=1)) == [[24, 25, 26]], "of two as near, the nearer"
    at_10 = [k / 10 for k in range(20)]
    assert shown(pick(at_10, 4, 0.04, frames=1)) == [[8, 9, 10, 11]], "a frame apart at least"


def test_a_snippet_moves_inside_the_segment() -> None:
    times = [k / 25 for k in range(100)]
    inside = range(40, 52)
    picks = pick(times, 4, 0.08, frames=6, inside=inside)
    assert shown(picks) == [
        [41, 43, 45, 47],  # for 41 is the first
        [41, 43, 45, 47],
        [41, 43, 45, 47],
        [43, 45, 47, 49],
        [45, 47, 49, 51],
        [45, 47, 49, 51],
    ]
    assert picks.centres.tolist() == [0, 1, 2, 2, 2, 3]


def test_a_segment_too_short_for_the_spacing_is_taken_frame_by_frame() -> None:
    times = [k / 25 for k in range(6)]
    assert shown(pick(times, 4, 0.08, frames=2)) == [[0, 1, 2, 3], [2, 3, 4, 5]]
    assert shown(pick(times[:3], 5, 0.08, frames=3)) == [
        [0, 1, 2, 2, 2],
        [0, 1, 2, 2, 2],
        [0, 0, 0, 1, 2],
    ]
    assert shown(pick(times[:1], 3, 0.08, frames=2)) == [[0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    "name", ["h264_b_frames", "h264_ts", "mpeg4_avi_b_frames", "vp8", "gif", "rotated_90"]
)
@pytest.mark.parametrize(("start", "end"), [(0.0, None), (0.48, 1.52), (2.2, 99.0)])
def test_a_video_gives_its_snippets(
    name: str, start: float, end: float | None, media_folder: Path
) -> None:
    path = shape(name, media_folder)
    clip, alone = (
        read_clip(path, frames=4, snippet=size, start_seconds=start, end_seconds=end)
        for size in (3, 1)
    )
    np.testing.assert_array_equal(clip.snippet_frames(1)[:, 0], alone.frames)
    assert clip.positions == alone.positions == 4
    assert clip.snippet_frames(3).shape == (4, 3, *alone.frames.shape[1:])
    if name != "rotated_90":
        times = [k / 25 for k in range(60)]
        inside = [k for k in range(60) if start <= times[k] < (end or 99)]
        expected = pick(times, 3, 0.08, frames=4, inside=range(inside[0], inside[-1] + 1))
        assert read_numbers(clip.frames) == expected.indices.tolist()
        snippets = [read_numbers(frames) for frames in clip.snippet_frames(3)]
        assert snippets == shown(expected)


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_uneven_times_are_followed(container: str, media_folder: Path) -> None:
    path = shape(f"h264_variable_rate_{container}", media_folder)
    clip = read_clip(path, frames=5, snippet=5, spacing_seconds=0.08)  # more than any gap
    times = [round(t - UNEVEN_TIMES[0], 3) for t in UNEVEN_TIMES]
    for position, frames in zip(uniform_indices(60, 5), clip.snippet_frames(5), strict=True):
        asked = [times[position] + (k - 2) * 0.08 for k in range(5)]
        got = [times[number] for number in read_numbers(frames) if number is not None]
        off = [abs(a - b) for a, b in zip(asked, got, strict=True)]
        nearest = [min(abs(a - t) for t in times) for a in asked]
        np.testing.assert_allclose(off, nearest, atol=0.002)


@pytest.mark.parametrize("rate", [2, 8, 60])
def test_any_rate_gives_frames_that_differ(rate: int, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 40, frames_per_second=rate)
    clip = read_clip(path, frames=6, snippet=4, spacing_seconds=0.05)
    step = max(1, round(0.05 * rate))
    for frames in clip.snippet_frames(4):
        numbers = [number for number in read_numbers(frames) if number is not None]
        assert [b - a for a, b in pairwise(numbers)] == [step] * 3


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_short_videos(count: int, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", count)
    clip = read_clip(path, frames=4, snippet=4)
    assert read_numbers(clip.frames) == list(range(count))
    for frames in clip.snippet_frames(4):
        assert len(set(read_numbers(frames))) == min(count, 4)
    numbers = read_numbers(clip.snippet_frames(1)[:, 0])
    assert numbers == uniform_indices(count, 4).tolist()


def test_a_damaged_video_gives_snippets_of_what_is_there(
    media_folder: Path, tmp_path: Path
) -> None:
    whole = shape("h264_ts", media_folder)
    cut = truncate(whole, tmp_path / "cut.ts", 0.6)
    clip = read_clip(cut, frames=4, snippet=3)
    assert clip.snippet_frames(3).shape[:2] == (4, 3)
    np.testing.assert_array_equal(clip.snippet_frames(1)[:, 0], read_clip(cut, frames=4).frames)


def test_snippets_do_not_depend_on_threads(media_folder: Path) -> None:
    path = shape("h264_long_gop", media_folder)
    one, three = (read_clip(path, frames=5, snippet=4, threads=n) for n in (1, 3))
    np.testing.assert_array_equal(one.snippet_frames(4), three.snippet_frames(4))


def test_options_out_of_range(media_folder: Path) -> None:
    path = shape("one_frame", media_folder)
    for snippet, spacing in ((0, 0.1), (2, -0.1), (2, 61.0), (2, float("nan"))):
        with pytest.raises(ConfigError, match="A snippet has at least 1 frame and a spacing"):
            read_clip(path, frames=1, snippet=snippet, spacing_seconds=spacing)


def some_clip(**parts: object) -> Clip:
    frames = np.arange(4, dtype=np.uint8)[:, None, None, None].repeat(3, axis=3)
    return Clip(frames, np.arange(4.0), Segment(Path("made.mp4"), 0, 4), **parts)  # type: ignore[arg-type]


def test_a_clip_of_frames_alone_has_a_position_at_each() -> None:
    clip = some_clip()
    assert clip.positions == 4
    np.testing.assert_array_equal(clip.snippet_frames(1)[:, 0], clip.frames)
    assert "snippets 4x1" in repr(clip)


def test_a_clip_that_does_not_hold_together_is_refused() -> None:
    rows = np.array([[0, 1], [2, 3]])
    assert some_clip(snippets=rows).snippet_frames(1).ravel()[::3].tolist() == [1, 3]
    for parts, message in (
        ({"snippets": rows + 1}, "rows 0 to 3, got"),
        ({"snippets": rows - 1}, "rows 0 to 3, got"),
        ({"snippets": rows[0]}, r"expected snippets \[T,S\]"),
        ({"snippets": rows[:, ::-1]}, "never decrease"),
        ({"snippets": rows, "centres": np.array([1])}, "expected 2 centres from 0 to 1"),
        ({"snippets": rows, "centres": np.array([0, 2])}, "expected 2 centres from 0 to 1"),
    ):
        with pytest.raises(ValueError, match=message):
            some_clip(**parts)
    for size in (0, 3):
        with pytest.raises(ValueError, match=f"1 to 2 frames of each snippet, got size={size}"):
            some_clip(snippets=rows).snippet_frames(size)
