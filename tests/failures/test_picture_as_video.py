"""A picture under the name of a video: it is read as a video of one frame."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from bitreel.video import probe, read_clip
from media import numbered_frame, read_numbers

pytestmark = pytest.mark.usefixtures("never_hangs")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_a_picture_is_a_video_of_one_frame(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "poster.mp4"
    Image.fromarray(numbered_frame(77)).save(path, format=kind)
    assert probe(path).frame_count == 1
    clip = read_clip(path, frames=3)
    assert read_numbers(clip.frames) == [77, 77, 77]
    assert clip.times_seconds.tolist() == [0, 0, 0]
    assert not clip.damage
