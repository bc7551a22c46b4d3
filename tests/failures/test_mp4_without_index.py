"""A recording that was never finished: the index (moov) at the end is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from bitreel.errors import UnreadableVideo
from bitreel.video import probe, read_clip, read_frames
from media import make_video, truncate

pytestmark = pytest.mark.usefixtures("never_hangs")


def test_an_mp4_cut_before_its_index(tmp_path: Path) -> None:
    path = truncate(make_video(tmp_path / "whole.mp4", 60), tmp_path / "cut.mp4", 0.6)
    for read in (probe, lambda p: read_clip(p, frames=4), lambda p: read_frames(p, [0])):
        with pytest.raises(UnreadableVideo, match=r"cut\.mp4 .*without a usable index"):
            read(path)
