"""Damaged files of every kind: a VideoError or a clip comes out, nothing else, in bounded time."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from shapes import shape

from bitreel.errors import VideoError
from bitreel.video import probe, read_clip, read_frames

SHAPES = (
    "h264_b_frames",
    "h264_fragmented",
    "h264_ts",
    "h264_mkv_no_index",
    "hevc",
    "vp9_odd_size",
    "av1",
    "mpeg4_avi_b_frames",
    "mpeg2_ps",
    "flv1",
    "wmv",
    "gif",
)
pytestmark = pytest.mark.usefixtures("never_hangs")


def mutant(data: bytes, rng: np.random.Generator) -> bytes:
    """Flip bytes anywhere, damage the header, truncate, or repeat, move or drop a part."""
    changed = np.frombuffer(data, np.uint8).copy()
    size = len(changed)
    kind = rng.integers(6)
    if kind == 0:
        where = rng.integers(0, size, int(rng.integers(1, 1 + size // 50)))
        changed[where] = rng.integers(0, 256, len(where))
    elif kind == 1:
        where = rng.integers(0, min(size, 1024), int(rng.integers(1, 20)))
        changed[where] = rng.choice([0, 1, 127, 128, 255], len(where))
    elif kind == 2:
        where = rng.integers(max(0, size - 2048), size, int(rng.integers(1, 40)))
        changed[where] = rng.integers(0, 256, len(where))  # where an mp4 has its index
    elif kind == 3:
        changed = changed[: rng.integers(1, size)]
    else:
        a, b, c = np.sort(rng.integers(0, size, 3))
        parts = (
            (changed[:b], changed[a:]) if kind == 4 else (changed[:a], changed[b:], changed[a:c])
        )
        changed = np.concatenate(parts)
    return changed.tobytes()


def _try(path: Path) -> None:
    for read in (
        probe,
        lambda p: read_clip(p, frames=4, size=(32, 32)),
        lambda p: read_clip(p, frames=4, start_seconds=0.4, end_seconds=1.1),
        lambda p: read_frames(p, [1, 30], size=(32, 32)),
    ):
        message = ""
        try:
            read(path)
        except VideoError as error:
            message = str(error)
        assert not message or path.name in message


def _fuzz(name: str, count: int, folder: Path, tmp_path: Path) -> None:
    source = shape(name, folder)
    data = source.read_bytes()
    rng = np.random.default_rng([count, *name.encode()])
    path = tmp_path / f"mutant{source.suffix}"
    for _ in range(count):
        path.write_bytes(mutant(data, rng))
        start = time.monotonic()
        _try(path)
        assert time.monotonic() - start < 20


@pytest.mark.parametrize("name", SHAPES)
def test_mutants_end_in_an_error_or_a_clip(name: str, media_folder: Path, tmp_path: Path) -> None:
    _fuzz(name, 10, media_folder, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHAPES)
def test_many_mutants(name: str, media_folder: Path, tmp_path: Path) -> None:
    _fuzz(name, 150, media_folder, tmp_path)
