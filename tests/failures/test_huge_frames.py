"""A small file whose frames are of 8192 x 8192 pixels: refused before memory is taken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bitreel.errors import VideoTooLarge
from bitreel.video import read_clip, write_video
from media import make_video, read_numbers

pytestmark = pytest.mark.usefixtures("never_hangs")


# Its own process, so that the peak is that of this file alone.
SCRIPT = """
import sys
from bitreel.errors import VideoTooLarge
from bitreel.video import probe, read_clip

def peak_megabytes():
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1024

before = peak_megabytes()
for read in (probe, lambda p: read_clip(p, frames=2)):
    try:
        read(sys.argv[1])
        sys.exit("not refused")
    except VideoTooLarge as error:
        print(error)
print(peak_megabytes() - before)
"""


def _bomb(folder: Path, suffix: str) -> Path:
    black = np.zeros((8192, 8192, 3), np.uint8)
    if suffix == "png":
        Image.fromarray(black).save(folder / "bomb.png", compress_level=1)
        return folder / "bomb.png"
    return write_video(folder / f"bomb.{suffix}", [black], options={"preset": "ultrafast"})


@pytest.mark.parametrize("suffix", ["mp4", "ts", "png"])
def test_huge_frames_are_refused_in_little_memory(suffix: str, tmp_path: Path) -> None:
    path = _bomb(tmp_path, suffix)
    assert path.stat().st_size < 2_000_000
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path)], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    first, second, growth = run.stdout.splitlines()
    assert first == second
    assert "the limit" in first
    assert "max_pixels" in first
    assert float(growth) < 100, "a frame of this size alone is 96 MB"


def test_the_limit_is_the_callers(tmp_path: Path) -> None:
    path = make_video(tmp_path / "small.mp4", 3)
    with pytest.raises(VideoTooLarge, match="160 x 120 pixels, more than the limit of 10000"):
        read_clip(path, frames=1, max_pixels=10_000)
    assert len(read_clip(path, frames=1, max_pixels=160 * 120).frames) == 1


def test_frames_that_grow_midway_are_damage(tmp_path: Path) -> None:
    """A stream that changes its size to a huge one after the header was checked."""
    small = make_video(tmp_path / "small.264", 10).read_bytes()
    large = make_video(tmp_path / "large.264", 10, width=640, height=480).read_bytes()
    path = tmp_path / "grows.264"
    path.write_bytes(small + large)
    clip = read_clip(path, frames=20, max_pixels=100_000)
    assert clip.damage.packet_errors > 0
    assert set(read_numbers(clip.frames)) <= set(range(10))
    whole = read_clip(path, frames=20)
    assert not whole.damage
    assert read_numbers(whole.frames) == [*range(10), *range(10)]
