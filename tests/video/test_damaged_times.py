"""A file whose times a flipped bit made enormous."""

from __future__ import annotations

from pathlib import Path

import pytest

import media
from bitreel.errors import UnreadableVideo
from bitreel.video import Segmenting
from bitreel.video.segments import read_segments


def test_a_file_that_says_it_lasts_for_weeks_is_refused(tmp_path: Path) -> None:
    times = [*(number / 25 for number in range(30)), 1e6]
    path = media.make_video(tmp_path / "weeks.mkv", 31, times_seconds=times)
    with pytest.raises(UnreadableVideo, match="278 hours, with 31 frames"):
        next(read_segments(path, Segmenting(), frames=4))
