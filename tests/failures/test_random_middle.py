"""Ten percent of random bytes in the middle."""

from __future__ import annotations

from pathlib import Path

import pytest
from silence import COUNT, HEALTHY, assert_no_wrong_frame_in_silence

from bitreel.video import read_clip
from media import damage_bytes

pytestmark = pytest.mark.usefixtures("never_hangs")


@pytest.mark.parametrize("name", ["a.mp4", "a.avi", "a.webm", "a.mkv", "a.ts"])
def test_random_bytes_in_the_middle_are_reported(name: str, tmp_path: Path) -> None:
    path = damage_bytes(HEALTHY[name](tmp_path), tmp_path / f"bad_{name}", 0.45, 0.55)
    assert read_clip(path, frames=8, size=(112, 112)).damage
    assert_no_wrong_frame_in_silence(path, COUNT)
