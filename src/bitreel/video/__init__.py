"""The only code that opens video files."""

from bitreel.video.write import write_video

__all__ = ["write_video"]
