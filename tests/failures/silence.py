"""Healthy files to damage, and the one rule about damaged ones: no wrong frame in silence."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bitreel.clip import Clip
from bitreel.errors import VideoError
from bitreel.video import read_clip, read_frames, uniform_indices
from media import make_video, read_numbers

COUNT = 150
HEALTHY: dict[str, Callable[[Path], Path]] = {
    "a.mp4": lambda folder: make_video(
        folder / "a.mp4",
        COUNT,
        options={"bf": "2"},
        keyframe_interval=25,
        container_options={"movflags": "faststart"},
    ),
    "a.avi": lambda folder: make_video(folder / "a.avi", COUNT, codec="mpeg4"),
    "a.webm": lambda folder: make_video(
        folder / "a.webm", COUNT, codec="libvpx-vp9", keyframe_interval=25
    ),
    "a.mkv": lambda folder: make_video(folder / "a.mkv", COUNT, keyframe_interval=25),
    "a.ts": lambda folder: make_video(folder / "a.ts", COUNT, keyframe_interval=25),
}


def assert_no_wrong_frame_in_silence(path: Path, count: int) -> None:
    """Read a damaged copy of a video of `count` frames, numbered from 0, in many ways."""
    for frames in (1, 2, 5, 8, 16):
        with suppress(VideoError):
            clip = read_clip(path, frames=frames, size=(112, 112))
            _check(clip, uniform_indices(count, frames).tolist())
    for index in range(0, count, 3):
        with suppress(VideoError):
            _check(read_frames(path, [index], size=(112, 112)), [index])


def _check(clip: Clip, expected: list[int]) -> None:
    wrong = [(e, g) for e, g in zip(expected, read_numbers(clip.frames), strict=True) if e != g]
    assert not wrong or clip.damage, f"expected and got {wrong}, and no damage: {clip}"
