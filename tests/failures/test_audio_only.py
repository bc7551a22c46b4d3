"""Sound without a picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from bitreel.errors import NoVideoStream
from bitreel.video import probe, read_clip, read_frames
from media import make_sound

pytestmark = pytest.mark.usefixtures("never_hangs")


@pytest.mark.parametrize("name", ["song.mp3", "song.m4a", "song.mp4", "song.mkv"])
def test_sound_alone_has_no_video_stream(name: str, tmp_path: Path) -> None:
    path = make_sound(tmp_path / name)
    for read in (probe, lambda p: read_clip(p, frames=4), lambda p: read_frames(p, [0])):
        with pytest.raises(NoVideoStream, match=r"song\..* holds no video beside its sound"):
            read(path)
