"""Random bytes under the name of a video."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bitreel.errors import VideoError
from bitreel.video import probe, read_clip, read_frames

pytestmark = pytest.mark.usefixtures("never_hangs")


@pytest.mark.parametrize("name", ["junk.mp4", "junk.avi", "junk.webm", "junk.ts", "junk"])
def test_junk_is_unreadable(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(np.random.default_rng(0).bytes(100_000))
    for read in (probe, lambda p: read_clip(p, frames=4), lambda p: read_frames(p, [0])):
        with pytest.raises(VideoError, match=r"junk.*(Copy|copy|Leave)"):
            read(path)
