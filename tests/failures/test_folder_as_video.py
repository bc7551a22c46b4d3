"""A folder where a file belongs."""

from __future__ import annotations

from pathlib import Path

import pytest

from bitreel.errors import UnreadableVideo
from bitreel.video import probe, read_clip, read_frames

pytestmark = pytest.mark.usefixtures("never_hangs")


def test_a_folder_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "clips.mp4"
    path.mkdir()
    for read in (probe, lambda p: read_clip(p, frames=4), lambda p: read_frames(p, [0])):
        with pytest.raises(UnreadableVideo, match=r"clips\.mp4 is a folder"):
            read(path)
