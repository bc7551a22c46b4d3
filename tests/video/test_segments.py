"""Segments of a video: where they start and end, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from shapes import UNEVEN_TIMES, shape

from bitreel.errors import ConfigError, VideoError
from bitreel.video import read_clip, read_frames
from media import read_numbers


@pytest.mark.parametrize("name", ["h264_b_frames", "h264_ts", "mpeg4_avi_b_frames", "vp8", "gif"])
@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (0.48, 1.52), (1.0, None), (2.36, 99.0)])
def test_a_segment_gives_its_own_frames(
    name: str, start: float, end: float | None, media_folder: Path
) -> None:
    clip = read_clip(
        shape(name, media_folder), frames=4, start_seconds=start, end_seconds=end, size=(112, 112)
    )
    inside = [k for k in range(60) if start <= k / 25 < (end or 99)]
    expected = [inside[int((j + 0.5) * len(inside) / 4)] for j in range(4)]
    assert read_numbers(clip.frames) == expected
    assert clip.segment.start_seconds == start
    assert clip.segment.end_seconds == pytest.approx(min(end or 2.4, 2.4), abs=0.011)


def test_uneven_times_are_followed(media_folder: Path) -> None:
    times = [t - UNEVEN_TIMES[0] for t in UNEVEN_TIMES]
    clip = read_clip(
        shape("h264_variable_rate_mp4", media_folder),
        frames=3,
        start_seconds=0.5,
        end_seconds=0.6,
        size=(112, 112),
    )
    inside = [k for k, t in enumerate(times) if 0.5 <= t < 0.6]
    assert read_numbers(clip.frames) == [inside[int((j + 0.5) * len(inside) / 3)] for j in range(3)]


@pytest.mark.parametrize("name", ["h264_b_frames", "mpeg4_avi", "one_frame"])
def test_a_start_beyond_the_end(name: str, media_folder: Path) -> None:
    path = shape(name, media_folder)
    with pytest.raises(VideoError, match=rf"{path.name}.*starts at 1000 s, but the video ends at"):
        read_clip(path, frames=4, start_seconds=1000)


@pytest.mark.parametrize("name", ["h264_b_frames", "mpeg4_avi"])
def test_a_frame_beyond_the_end(name: str, media_folder: Path) -> None:
    with pytest.raises(VideoError, match=r"has 60 frames, so there is no frame 60"):
        read_frames(shape(name, media_folder), [3, 60])


def test_options_out_of_range(media_folder: Path) -> None:
    path = shape("one_frame", media_folder)
    for options in (
        {"frames": 0},
        {"frames": 1, "size": (0, 10)},
        {"frames": 1, "size": (10, 99_999)},
        {"frames": 1, "threads": 0},
        {"frames": 1, "max_pixels": 0},
        {"frames": 1, "start_seconds": -1.0},
        {"frames": 1, "start_seconds": float("nan")},
        {"frames": 1, "start_seconds": 2.0, "end_seconds": 1.0},
        {"frames": 1, "end_seconds": float("nan")},
    ):
        with pytest.raises(ConfigError):
            read_clip(path, **options)
    for indices in ([], [-1], [3, 2]):
        with pytest.raises(ConfigError):
            read_frames(path, indices)
