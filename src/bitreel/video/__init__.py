"""The only code that opens video files: find, probe, read the frames of a clip, write."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bitreel.video.clip_options import DEFAULT_SPACING_SECONDS
    from bitreel.video.find import VIDEO_SUFFIXES, find_videos
    from bitreel.video.info import VideoInfo, probe
    from bitreel.video.read import read_clip, read_frames
    from bitreel.video.sampling import uniform_indices
    from bitreel.video.segmenting import WHOLE_VIDEOS, Segmenting
    from bitreel.video.segments import read_segments
    from bitreel.video.source import MAX_PIXELS
    from bitreel.video.write import write_video

# Where each name lives. They load when they are first used: a library that is only looked at has
# segments, and does not wait for a decoder. No file may bear the name of what it holds: the file
# would take the name's place in this package once it is loaded.
_HOMES = {
    "DEFAULT_SPACING_SECONDS": "clip_options",
    "MAX_PIXELS": "source",
    "VIDEO_SUFFIXES": "find",
    "WHOLE_VIDEOS": "segmenting",
    "Segmenting": "segmenting",
    "VideoInfo": "info",
    "find_videos": "find",
    "probe": "info",
    "read_clip": "read",
    "read_frames": "read",
    "read_segments": "segments",
    "uniform_indices": "sampling",
    "write_video": "write",
}

__all__ = [
    "DEFAULT_SPACING_SECONDS",
    "MAX_PIXELS",
    "VIDEO_SUFFIXES",
    "WHOLE_VIDEOS",
    "Segmenting",
    "VideoInfo",
    "find_videos",
    "probe",
    "read_clip",
    "read_frames",
    "read_segments",
    "uniform_indices",
    "write_video",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bitreel.video' has no attribute {name!r}")
    return getattr(import_module(f"bitreel.video.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
