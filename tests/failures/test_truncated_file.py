"""A copy that stopped at 60 %."""

from __future__ import annotations

from pathlib import Path

import pytest
from silence import COUNT, HEALTHY, assert_no_wrong_frame_in_silence

from bitreel.video import read_clip
from media import truncate

pytestmark = pytest.mark.usefixtures("never_hangs")


@pytest.mark.parametrize("name", ["a.mp4", "a.avi", "a.webm", "a.mkv"])
def test_a_truncated_file_gives_what_is_there_and_says_so(name: str, tmp_path: Path) -> None:
    path = truncate(HEALTHY[name](tmp_path), tmp_path / f"cut_{name}", 0.6)
    clip = read_clip(path, frames=8, size=(112, 112))
    assert clip.damage
    assert clip.damage.missing_frames > COUNT // 5
    assert_no_wrong_frame_in_silence(path, COUNT)
