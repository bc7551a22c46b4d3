"""The embedded store beside Milvus: the same segments in each, the same questions, by the clock.

Answers are compared with those of the embedded store, of every query that is timed; distances must
be equal, one by one. A server is asked with the consistency of its address, by default Bounded.

    python benchmarks/store.py [ADDRESS …] [--segments 100000,1000000] [--bits 256] [--json FILE]

    python benchmarks/store.py milvus:codes.db http://127.0.0.1:19530/bench --server-data DIR
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from bitreel.codes import BinaryCodes
from bitreel.library import VideoFilter
from bitreel.library.records import VideoRecord
from bitreel.library.searched_codes import Near
from bitreel.library.store.address import parse_address
from bitreel.library.store.embedded import EmbeddedStore
from bitreel.library.store.milvus_store import scratch_store
from bitreel.library.store.store import Store
from bitreel.library.store.verifying import embedded, made_videos

K, SINGLE, BATCH, AT_ONCE = 10, 200, 200, 2_000
FILTER = VideoFilter(label="run")
COLUMNS = {
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "filtered_p50_ms": "one label, p50 ms",
    "batch_queries_per_second": "queries/s in batch",
    "load_seconds": "load s",
    "disk_mb": "disk MB",
    "same_answers": "same answers",
}


@dataclass
class Row:
    """same_answers: of the queries, those with the distances of the embedded store."""

    store: str
    segments: int
    bits: int
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    filtered_p50_ms: float = 0.0
    batch_queries_per_second: float = 0.0
    load_seconds: float = 0.0
    disk_mb: float | None = None
    same_answers: str = ""


def main() -> None:
    options = parse()
    rows: list[Row] = []
    print(f"| store | segments | {' | '.join(COLUMNS.values())} |\n{'|---' * (len(COLUMNS) + 2)}|")
    for segments in map(int, options.segments.split(",")):
        videos = made_videos(segments, options.bits, seed=0)
        for row in measured(options, videos, segments):
            rows.append(row)
            cells = [shown(getattr(row, column)) for column in COLUMNS]
            print(f"| {row.store} | {segments:,} | {' | '.join(cells)} |", flush=True)
            if options.json:
                options.json.write_text(json.dumps([asdict(r) for r in rows], indent=2) + "\n")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("addresses", nargs="*", help="milvus:FILE.db, http://HOST:19530/NAME")
    parser.add_argument("--segments", default="100000,1000000")
    parser.add_argument("--bits", type=int, default=256)
    parser.add_argument(
        "--server-data", type=Path, help="where a server on this machine keeps its data"
    )
    parser.add_argument("--json", type=Path, help="write the rows here as they come")
    return parser.parse_args()


def shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
    return "" if value is None else str(value)


def measured(
    options: argparse.Namespace, videos: list[VideoRecord], segments: int
) -> Iterator[Row]:
    bits, data = options.bits, options.server_data
    queries = queries_from(videos, bits)
    with embedded(bits) as twin:
        row, expected = timed("embedded", twin, videos, queries)
        yield row
        for text in options.addresses:
            address = parse_address(text)
            with ExitStack() as stack:
                store = stack.enter_context(scratch_store(address, bits))
                before = size_mb(data) if data else 0.0
                name = f"{'Milvus Lite' if address.is_lite else 'Milvus server'}, {address.index}"
                row, found = timed(name, store, videos, queries)
                same = sum(
                    distances(ours) == distances(theirs)
                    for ours, theirs in zip(found, expected, strict=True)
                )
                row.same_answers = f"{same} of {len(found)}"
                if address.is_lite:
                    row.disk_mb = size_mb(Path(address.uri))
                elif data:  # what the server deletes later of others is taken for smaller
                    row.disk_mb = size_mb(data) - before
                yield row


def queries_from(videos: list[VideoRecord], bits: int) -> BinaryCodes:
    """Stored codes with a tenth of the bits changed."""
    generator = np.random.default_rng(1)
    chosen = generator.choice(len(videos), SINGLE + BATCH, replace=len(videos) < SINGLE + BATCH)
    packed = np.stack([np.frombuffer(videos[n].segments[0].code, np.uint8) for n in chosen])
    flips = np.packbits(generator.random((len(chosen), bits)) < 0.1, axis=1)
    return BinaryCodes(packed ^ flips, bits)


def timed(
    name: str, store: Store, videos: list[VideoRecord], queries: BinaryCodes
) -> tuple[Row, list[list[Near]]]:
    row = Row(name, sum(len(video.segments) for video in videos), store.bits)
    start = time.perf_counter()
    for first in range(0, len(videos), AT_ONCE):
        store.add(videos[first : first + AT_ONCE])
    store.flush()
    row.load_seconds = time.perf_counter() - start
    time.sleep(15)  # what was written is searched like all else from then on
    single = [queries[[n]] for n in range(SINGLE)]
    store.search(single[0], K)
    found = [answer_in_ms(store, query, None) for query in single]
    row.p50_ms, row.p99_ms = np.percentile([ms for _, ms in found], [50, 99]).tolist()
    some = [answer_in_ms(store, query, FILTER)[1] for query in single[:50]]
    row.filtered_p50_ms = float(np.median(some))
    start = time.perf_counter()
    batch = store.search(queries[SINGLE:], K)
    row.batch_queries_per_second = len(batch) / (time.perf_counter() - start)
    if isinstance(store, EmbeddedStore):
        row.disk_mb = size_mb(store.catalogue.path.parent)
    return row, [near for near, _ in found] + batch


def answer_in_ms(
    store: Store, query: BinaryCodes, wanted: VideoFilter | None
) -> tuple[list[Near], float]:
    start = time.perf_counter()
    near = store.search(query, K, wanted)[0]
    return near, 1000 * (time.perf_counter() - start)


def distances(near: list[Near]) -> list[int]:
    return [one.distance_bits for one in near]


def size_mb(path: Path) -> float:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


if __name__ == "__main__":
    main()
