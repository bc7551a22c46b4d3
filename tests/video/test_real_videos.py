"""Real files: UCF101's own AVI files (a third with packed B-frames) and re-encoded mp4 files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bitreel.video import probe, read_clip, read_frames, uniform_indices
from bitreel.video.picture import PictureMaker
from media import decode_all, remux

ACTIONS = Path(__file__).parents[2] / ".." / "shared" / "data" / "actions16"


def _spread(suffix: str, count: int) -> list[Path]:
    files = sorted(ACTIONS.glob(f"*/*{suffix}"))
    return [files[k] for k in uniform_indices(len(files), count)] if files else []


FILES = _spread(".avi", 12) + _spread(".mp4", 10)
pytestmark = pytest.mark.skipif(not FILES, reason="the real clips of actions16 are not here")


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_picks_are_those_of_a_full_decode(path: Path) -> None:
    everything = decode_all(path)
    make = PictureMaker((112, 112))
    clip = read_clip(path, frames=16, size=(112, 112))
    picks = uniform_indices(len(everything), 16)
    assert np.array_equal(clip.frames, np.stack([make(everything[k]) for k in picks]))
    assert not clip.damage, clip.damage
    pair = read_frames(path, picks[7:9], size=(112, 112))
    assert np.array_equal(pair.frames, clip.frames[7:9])


def test_the_spread_holds_packed_b_frames() -> None:
    """Otherwise the test above would prove less than it says: PyAV has no encoder for them."""
    packed = [path for path in FILES if path.suffix == ".avi" and _falling(path)]
    assert len(packed) >= 3


def _falling(path: Path) -> bool:
    times = [frame.pts for frame in decode_all(path) if frame.pts is not None]
    return bool(np.any(np.diff(times) < 0))


def test_packed_b_frames_in_matroska_are_not_trusted(tmp_path: Path) -> None:
    path = next(path for path in FILES if path.suffix == ".avi" and _falling(path))
    copy = remux(path, tmp_path / "packed.mkv")
    assert not probe(copy).trusted
    ours = read_clip(copy, frames=16, size=(112, 112)).frames
    assert np.array_equal(ours, read_clip(path, frames=16, size=(112, 112)).frames)
