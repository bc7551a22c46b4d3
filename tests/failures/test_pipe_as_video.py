"""A pipe, which would wait for a writer for ever, and a device."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bitreel.errors import UnreadableVideo
from bitreel.video import probe, read_clip, read_frames

pytestmark = pytest.mark.usefixtures("never_hangs")


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe.mp4"
    os.mkfifo(path)
    for read in (probe, lambda p: read_clip(p, frames=4), lambda p: read_frames(p, [0])):
        with pytest.raises(UnreadableVideo, match=r"pipe\.mp4 is a pipe, a socket or a device"):
            read(path)


def test_a_device_is_refused() -> None:
    path = Path(os.devnull)
    for read in (probe, lambda p: read_clip(p, frames=4), lambda p: read_frames(p, [0])):
        with pytest.raises(UnreadableVideo, match=r"is a pipe, a socket or a device"):
            read(path)
