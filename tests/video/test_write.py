from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bitreel.errors import VideoError
from bitreel.video import probe, read_frames, write_video
from media import make_video, numbered_frames, read_numbers


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mkv", "libx264"),
        ("a.avi", "mpeg4"),
        ("a.webm", "libvpx-vp9"),
        ("b.mp4", "libx265"),
    ],
)
def test_the_same_frames_give_the_same_bytes(name: str, codec: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        make_video(folder / name, 20, codec=codec)
    assert (first / name).read_bytes() == (second / name).read_bytes()


def test_frames_times_and_rate_come_back(tmp_path: Path) -> None:
    frames = np.stack(list(numbered_frames(6)))
    path = write_video(tmp_path / "a.mp4", frames, frames_per_second=29.97)
    clip = read_frames(path, range(6))
    assert read_numbers(clip.frames) == list(range(6))
    assert clip.times_seconds == pytest.approx(np.arange(6) / 29.97, abs=1e-4)
    times = [0.0, 0.5, 0.75, 2.0, 2.1, 9.0]
    path = write_video(tmp_path / "b.mkv", frames, times_seconds=times)
    assert read_frames(path, range(6)).times_seconds == pytest.approx(times, abs=1e-3)


def test_the_keyframe_interval_is_kept(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 30, keyframe_interval=10)
    assert probe(path).keyframe_count == 3


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    def frames() -> object:
        yield from numbered_frames(3)
        raise KeyError("the source of the frames broke")

    with pytest.raises(KeyError):
        write_video(tmp_path / "a.mp4", frames())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "frames", "codec", "cause"),
    [
        ("a.mp4", np.zeros((0, 8, 8, 3), np.uint8), "libx264", "no frame to write"),
        ("a.mp4", np.zeros((2, 8, 8), np.uint8), "libx264", r"Expected frames uint8 \[H,W,3\]"),
        ("a.mp4", np.zeros((2, 8, 8, 3), np.float32), "libx264", "got float32"),
        ("a.mp4", np.zeros((2, 9, 9, 3), np.uint8), "libx264", "could not be written"),
        ("a.mp4", np.zeros((2, 8, 8, 3), np.uint8), "aac", "no video codec"),
        ("a.mp4", np.zeros((2, 8, 8, 3), np.uint8), "nonesuch", "could not be written"),
        ("no/a.mp4", np.zeros((2, 8, 8, 3), np.uint8), "libx264", "folder exists"),
        ("a.nonesuch", np.zeros((2, 8, 8, 3), np.uint8), "libx264", "could not be written"),
    ],
)
def test_what_can_not_be_written_is_said(
    name: str, frames: np.ndarray, codec: str, cause: str, tmp_path: Path
) -> None:
    with pytest.raises(VideoError, match=cause):
        write_video(tmp_path / name, frames, codec=codec)
    assert list(tmp_path.iterdir()) == []
