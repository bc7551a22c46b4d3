"""Libraries of codes of our choice, and all that an export is to keep of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from library_helpers import BITS, rows, tiny_model

from bitreel.clip import Segment
from bitreel.codes import BinaryCodes
from bitreel.library import Library
from bitreel.library.exchange import Exported
from bitreel.library.records import CodedSegment, FileState, VideoRecord
from bitreel.video import Segmenting

FORMATS = (".npz", ".parquet", ".faiss")
NOT_UTF8 = os.fsdecode(b"/nowhere/caf\xe9 \xff.mp4")
STRANGE = ("/nowhere/a,b\n'\"c.mp4", "/nowhere/日本 🎬.mp4", "/nowhere/ .mp4", NOT_UTF8)


def new_library(folder: Path, *, bits: int = BITS, segmenting: Segmenting | None = None) -> Library:
    return Library.create(folder, tiny_model(bits=bits), segmenting=segmenting)


def record(path: str, number: int, *, bits: int = BITS, **more: Any) -> VideoRecord:
    """A video of 1 to 3 segments whose codes depend on `number`."""
    random = np.random.default_rng(number)
    count = 1 + number % 3
    codes = BinaryCodes.from_bits(random.random((count, bits)) < 0.5).packed
    segments = [
        CodedSegment(Segment(Path(path), 2.0 * n, 2.0 * n + 4 / 3), code.tobytes())
        for n, code in enumerate(codes)
    ]
    facts: dict[str, Any] = {"duration_seconds": 2.0 * count, "segments": segments} | more
    return VideoRecord(Path(path), FileState(1000 + number, 10**18 + number), **facts)


def fill(library: Library, *, bits: int = BITS) -> None:
    """Videos with and without labels and damage, strange names, one that was indexed again."""
    put = library._catalogue.put
    for number in range(5):
        put(record(f"/nowhere/{number}.mp4", number, bits=bits))
    for number, name in enumerate(STRANGE, 5):
        label = os.fsdecode(b"l\xe4uft") if name == NOT_UTF8 else f"läuft {number}"
        put(record(name, number, bits=bits, label=label, damage="3 packets refused"))
    again = record("/nowhere/1.mp4", 40, bits=bits, label="again", content=b"\0hash\xff")
    assert put(again) == "replaced"
    put(VideoRecord(Path("/nowhere/bad.mp4"), FileState(0, 1), reason="it is empty"))


def held(folder: Path) -> list[tuple[object, ...]]:
    """All that an export is to keep, as SQLite has it."""
    return rows(
        folder,
        "SELECT path, duration_seconds, size_bytes, mtime_ns, label, damage, content, "
        "start_seconds, end_seconds, code FROM segments JOIN videos ON videos.id = video_id "
        "ORDER BY path, start_seconds",
    )


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def told(exported: Exported) -> tuple[object, ...]:
    videos, segments = exported.videos, exported.segments
    return (
        exported.fingerprint,
        list(videos.paths),
        list(videos.labels),
        segments.ids.tolist(),
        segments.starts_seconds.tolist(),
        segments.codes.packed.tolist(),
    )
