"""What a failed download leaves: a web page under the name of a video."""

from __future__ import annotations

from pathlib import Path

import pytest

from bitreel.errors import UnreadableVideo
from bitreel.video import probe, read_clip, read_frames

pytestmark = pytest.mark.usefixtures("never_hangs")


PAGE = "<!DOCTYPE html><html><head><title>404</title></head><body>Not found</body></html>\n"


@pytest.mark.parametrize("name", ["page.mp4", "page.avi", "page.mpg"])
def test_a_web_page_is_unreadable(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(PAGE * 40)
    for read in (probe, lambda p: read_clip(p, frames=4), lambda p: read_frames(p, [0])):
        with pytest.raises(UnreadableVideo, match=r"page\..*can not be read as a video"):
            read(path)
