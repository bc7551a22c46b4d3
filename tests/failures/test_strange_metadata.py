"""Tags that are no valid text."""

from __future__ import annotations

from pathlib import Path

import pytest

from bitreel.video import read_clip
from media import make_video, read_numbers

pytestmark = pytest.mark.usefixtures("never_hangs")


def test_tags_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    path = make_video(tmp_path / "tagged.avi", 5, codec="mpeg4")
    data = path.read_bytes()
    # An INFO list in front of the first stream list, with a title in no encoding.
    title = b"INAM" + (4).to_bytes(4, "little") + b"\xff\xfe\xc3\x28"
    info = b"LIST" + (4 + len(title)).to_bytes(4, "little") + b"INFO" + title
    at = data.index(b"LIST", data.index(b"strl") + 1)
    path.write_bytes(data[:at] + info + data[at:])
    assert read_numbers(read_clip(path, frames=5).frames) == [0, 1, 2, 3, 4]
