"""A tiny real model, tiny videos, and a look into a catalogue that shares no code with bitreel."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from bitreel.clip import Clip, Segment
from bitreel.library import Library, adding, reading
from bitreel.library.records import CodedSegment, FileState, VideoRecord
from bitreel.model import Model, ModelConfig, Sampling
from bitreel.video import Segmenting, write_video

# A network this small gains nothing from threads, and they wait for each other when tests run in
# parallel.
torch.set_num_threads(1)

BITS = 20  # not a multiple of 8: the padding is under test too


@lru_cache
def tiny_model(*, bits: int = BITS, seed: int = 0) -> Model:
    """A model of random weights, quick to run and to save. Standardised on noise, so that unlike
    videos have unlike codes."""
    torch.manual_seed(seed)
    model = Model(
        ModelConfig(
            labels=("jump", "run"),
            bits=bits,
            backbone="mobilenetv3_small_050",
            sampling=Sampling(frames=4, height=64, width=64),
        )
    )
    clips = [
        Clip(_moving(number)[:4], np.arange(4) / 25, Segment(Path("noise"), 0, 1))
        for number in range(100, 112)
    ]
    model.standardise([np.stack([model.features(clip)[0] for clip in clips])])
    return model


def make_video(path: Path, number: int = 0, *, frames: int = 8) -> Path:
    """A video whose content depends on `number` alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_video(path, _moving(number, frames))


def make_videos(folder: Path, count: int, *, first: int = 0) -> list[Path]:
    return [make_video(folder / f"clip_{n:03}.mp4", n) for n in range(first, first + count)]


def _moving(number: int, frames: int = 8) -> NDArray[np.uint8]:
    random = np.random.default_rng(number)
    blocks = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    picture = blocks.repeat(16, axis=0).repeat(16, axis=1)
    speed = int(random.integers(1, 12))
    return np.stack([np.roll(picture, speed * t, axis=1) for t in range(frames)])


def put_code(library: Library, name: str, code: bytes, *, label: str | None = None) -> None:
    """A video that was never there, with a code of our choice."""
    path = Path("/nowhere") / name
    segment = Segment(path, 0.0, 1.0)
    record = VideoRecord(
        path,
        FileState(1, 1),
        label,
        duration_seconds=1.0,
        segments=(CodedSegment(segment, code),),
    )
    assert library._catalogue.put(record) == "added"


def rows(folder: Path, sql: str) -> list[tuple[object, ...]]:
    """What SQLite itself says of a library's catalogue."""
    with closing(sqlite3.connect(folder / "catalogue.sqlite")) as connection:
        return connection.execute(sql).fetchall()


def indexed_codes(folder: Path) -> dict[str, bytes]:
    """File name to code, of a catalogue in which every indexed video has exactly one segment."""
    assert rows(folder, "PRAGMA integrity_check") == [("ok",)]
    assert rows(folder, "PRAGMA foreign_key_check") == []
    found = rows(
        folder,
        "SELECT path, code, status FROM videos LEFT JOIN segments ON video_id = videos.id",
    )
    codes: dict[str, bytes] = {}
    for path, code, status in found:
        assert (status == "indexed") == (code is not None), f"{path} is half written"
        if isinstance(code, bytes):
            assert str(path) not in codes, f"{path} is there twice"
            codes[Path(str(path)).name] = code
    return codes


@contextmanager
def decodes_counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """The paths that a library read, about in the order of adding: threads do it."""
    read: list[Path] = []

    def before(path: Path) -> None:
        read.append(path)

    with before_reading(monkeypatch, before):
        yield read


@contextmanager
def before_reading(
    monkeypatch: pytest.MonkeyPatch, before: Callable[[Path], object]
) -> Iterator[None]:
    """Something happens when a library is about to read a video."""
    original = reading.read_clips

    def read(model: Model, path: Path, segmenting: Segmenting, **options: Any) -> Iterator[Clip]:
        before(path)
        return original(model, path, segmenting, **options)

    with monkeypatch.context() as patch:
        patch.setattr(adding, "read_clips", read)
        yield
