"""The only code that opens video files: find, probe, read the frames of a clip, write."""

from bitreel.video.find import VIDEO_SUFFIXES, find_videos
from bitreel.video.probe import VideoInfo, probe
from bitreel.video.read import DEFAULT_SPACING_SECONDS, read_clip, read_frames
from bitreel.video.sampling import uniform_indices
from bitreel.video.source import MAX_PIXELS
from bitreel.video.write import write_video

__all__ = [
    "DEFAULT_SPACING_SECONDS",
    "MAX_PIXELS",
    "VIDEO_SUFFIXES",
    "VideoInfo",
    "find_videos",
    "probe",
    "read_clip",
    "read_frames",
    "uniform_indices",
    "write_video",
]
