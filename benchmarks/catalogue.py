"""A library of a million segments: what opening, adding, deleting and the first answer take.

Codes are random and no video is behind them: the catalogue is measured, not the network. Seconds
are of the wall clock on this disk; the bytes a segment are compared with those of its code.

    python benchmarks/catalogue.py [--segments 1000000] [--bits 256] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from bitreel.clip import Clip, Segment
from bitreel.library import Library
from bitreel.library.records import CodedSegment, FileState, VideoRecord
from bitreel.model import Model, ModelConfig, Sampling

SEGMENTS_OF_A_VIDEO = 20
SIZE = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--segments", type=int, default=1_000_000)
    parser.add_argument("--bits", type=int, default=256)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measured(Path(folder) / "library", options.segments, options.bits)
    print("| what | measured |\n|---|---|")
    for what, value in rows.items():
        print(f"| {what} | {value:,.2f} |")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


def measured(folder: Path, segments: int, bits: int) -> dict[str, float]:
    rows: dict[str, float] = {}
    sampling = Sampling(frames=1, height=SIZE, width=SIZE)
    model = Model(
        ModelConfig(labels=("a",), bits=bits, backbone="mobilenetv3_small_050", sampling=sampling)
    )
    videos = segments // SEGMENTS_OF_A_VIDEO
    with Library.create(folder, model) as library, timed(rows, "seconds to add"):
        for record in records(videos, bits):
            library._catalogue.put(record)
    rows["segments added a second"] = segments / rows["seconds to add"]
    size = sum(path.stat().st_size for path in folder.glob("catalogue.sqlite*"))
    rows["bytes a segment"] = size / segments
    rows["bytes of a code"] = bits / 8
    with timed(rows, "seconds to open"):
        library = Library.open(folder, model=model)
    with timed(rows, "seconds to count all (status)"):
        library.status()
    query = blank()
    with timed(rows, "seconds to the first answer, codes read from the catalogue"):
        library.search(query)
    with timed(rows, "seconds to the next answer"):
        library.search(query)
    with timed(rows, "seconds to plan the index"):
        library.plan_index()
    library.close()
    with Library.open(folder, model=model) as library:
        with timed(rows, "seconds to the first answer, index mapped"):
            library.search(query)
        gone = [Path(f"/nowhere/{number}.mp4") for number in range(0, videos, 10)]
        with timed(rows, "seconds to delete a tenth"):
            library._catalogue.remove(gone)
        rows["segments deleted a second"] = (
            len(gone) * SEGMENTS_OF_A_VIDEO / rows["seconds to delete a tenth"]
        )
        with timed(rows, "seconds to the next answer, the index follows"):
            library.search(query)
    return rows


def records(videos: int, bits: int) -> Iterator[VideoRecord]:
    dice = np.random.default_rng(0)
    for number in range(videos):
        path = Path(f"/nowhere/{number}.mp4")
        codes = dice.integers(0, 256, (SEGMENTS_OF_A_VIDEO, bits // 8), np.uint8)
        coded = tuple(
            CodedSegment(Segment(path, 2.0 * k, 2.0 * k + 4), code.tobytes())
            for k, code in enumerate(codes)
        )
        end = coded[-1].segment.end_seconds
        yield VideoRecord(
            path,
            FileState(number, number),
            duration_seconds=end,
            segments=coded,
            content=number.to_bytes(16, "big"),
        )


def blank() -> Clip:
    frames = np.zeros((1, SIZE, SIZE, 3), np.uint8)
    return Clip(frames, np.zeros(1), Segment(Path("query.mp4"), 0.0, 1.0))


@contextmanager
def timed(rows: dict[str, float], what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    rows[what] = time.perf_counter() - start


if __name__ == "__main__":
    main()
