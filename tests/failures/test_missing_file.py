"""A path that leads nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from bitreel.errors import UnreadableVideo
from bitreel.video import probe, read_clip, read_frames

pytestmark = pytest.mark.usefixtures("never_hangs")


def test_a_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "gone.mp4"
    for read in (probe, lambda p: read_clip(p, frames=4), lambda p: read_frames(p, [0])):
        with pytest.raises(UnreadableVideo, match=r"gone\.mp4 does not exist"):
            read(path)


def test_a_link_to_nothing(tmp_path: Path) -> None:
    path = tmp_path / "link.mp4"
    path.symlink_to(tmp_path / "gone.mp4")
    for read in (probe, lambda p: read_clip(p, frames=4), lambda p: read_frames(p, [0])):
        with pytest.raises(UnreadableVideo, match=r"link\.mp4 does not exist"):
            read(path)


@pytest.mark.parametrize("name", ["x" * 5000, "nul\0.mp4"])
def test_a_name_no_file_can_have(name: str) -> None:
    path = Path(name)
    for read in (probe, lambda p: read_clip(p, frames=4), lambda p: read_frames(p, [0])):
        with pytest.raises(UnreadableVideo, match=r"can not be opened"):
            read(path)
