"""A file that may not be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from bitreel.errors import UnreadableVideo
from bitreel.video import probe, read_clip, read_frames
from media import make_video

pytestmark = pytest.mark.usefixtures("never_hangs")


def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_video(tmp_path / "locked.mp4", 5)

    def refuse(self: Path, *args: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)  # the superuser may read any file, so no chmod
    for read in (probe, lambda p: read_clip(p, frames=4), lambda p: read_frames(p, [0])):
        with pytest.raises(UnreadableVideo, match=r"locked\.mp4 may not be read: Perm"):
            read(path)
