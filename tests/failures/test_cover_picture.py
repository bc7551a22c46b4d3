"""Sound with a cover picture, which decoders take for a video of one frame."""

from __future__ import annotations

from pathlib import Path

import pytest

from bitreel.errors import NoVideoStream
from bitreel.video import probe, read_clip, read_frames
from media import make_sound, numbered_frame

pytestmark = pytest.mark.usefixtures("never_hangs")


def test_a_cover_is_no_video(tmp_path: Path) -> None:
    path = make_sound(tmp_path / "song.mp3", cover=numbered_frame(7))
    for read in (probe, lambda p: read_clip(p, frames=4), lambda p: read_frames(p, [0])):
        with pytest.raises(NoVideoStream, match=r"song\.mp3 holds nothing but a cover picture"):
            read(path)
