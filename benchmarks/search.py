"""Hamming search beside FAISS, usearch and numpy, in one process, on one and the same codes.

queries / CPU s: of one thread, the median of rounds in which the engines take turns, so that what
else the machine does meets all of them alike. recall@k counts an answer as near as the true k-th as
found. Exact engines answer a batch; approximate ones and multi-index hashing too, one query after
the other inside. Peers with a dial are asked at several settings: compare at equal recall.

Graphs (FAISS HNSW, usearch) take minutes to build for a million codes: --quick asks them on the
first hundred thousand, beside ours and the flat scan again, and none is built for ten million.

Then single queries on all threads (p50 and p99 of the wall clock, and the share of the memory's
read bandwidth, measured beside it), duplicates, and what opening ten million codes takes.

    python benchmarks/search.py [--quick] [--codes FOLDER] [--only WORD] [--json FILE]

--quick: a million codes, two minutes of CPU time. --codes: ucf101_64bit.npz in it is tiled with 3 %
flipped bits.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray
from usearch.compiled import MetricKind, ScalarKind
from usearch.index import Index as USearch

from bitreel.codes import BinaryCodes, hamming
from bitreel.search import ExactIndex, Index, LSHIndex, MultiIndex, open_index, save_index
from bitreel.search.index_file import arrays_of
from bitreel.search.threads import available_threads

Packed = NDArray[np.uint8]
Distances = NDArray[np.int32]
Ask = Callable[[Packed, int], Distances]

MILLION, FEW = 1_000_000, 100_000
K = 10
QUERIES = 1000


@dataclass(frozen=True)
class Data:
    """Codes to search and queries from the same source, uint8 [N,bytes] and [Q,bytes]."""

    name: str
    codes: Packed
    queries: Packed

    @property
    def bits(self) -> int:
        return int(self.codes.shape[1]) * 8


@dataclass
class Engine:
    """One engine at one setting. ask: distances int32 [Q,k] of packed queries."""

    name: str
    ask: Ask
    build_seconds: float = 0.0
    megabytes: float = 0.0  # of all that is kept, the codes with it
    queries: int = QUERIES  # fewer for slow ones
    seconds: list[float] = field(default_factory=list, init=False)  # CPU, a query
    recall: float = field(default=1.0, init=False)


def main() -> None:
    options = parse()
    faiss.omp_set_num_threads(1)
    rows = Rows(options.json)
    for name, make in datasets(options):
        if options.only in name:
            data = make()
            if not options.quick:
                graphs = [] if len(data.codes) > MILLION else [graph_engines]
                batches(data, rows, [other_engines, *graphs], rounds=5)
                on_all_cores(data, rows)
                continue
            batches(data, rows, [other_engines], rounds=3)
            on_all_cores(data, rows)
            if data.name != "uniform":
                few = Data(data.name, data.codes[:FEW], data.queries)
                batches(few, rows, [graph_engines], rounds=3)
    if options.only in "single":
        singles(rows, MILLION if options.quick else 10 * MILLION)
    if options.only in "duplicates":
        duplicates(rows, MILLION)
    if options.only in "opening":
        opening(rows, MILLION if options.quick else 10 * MILLION)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="two minutes, a million codes")
    parser.add_argument("--codes", type=Path, help="folder with ucf101_64bit.npz")
    parser.add_argument("--only", default="", help="data or parts whose name has this in it")
    parser.add_argument("--json", type=Path, help="write the rows here as they come")
    return parser.parse_args()


class Rows:
    """Prints rows under the heading of their table, and keeps them in a JSON file."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.rows: list[dict[str, Any]] = []
        self._columns: list[str] = []

    def add(self, **row: Any) -> None:
        self.rows.append(row)
        if list(row) != self._columns:
            self._columns = list(row)
            print(f"\n| {' | '.join(row)} |\n{'|---' * len(row)}|")
        print(f"| {' | '.join(map(shown, row.values()))} |", flush=True)
        if self.path:
            self.path.write_text(json.dumps(self.rows, indent=1) + "\n")


def shown(value: Any) -> str:
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else str(value)
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


# ---------------------------------------------------------------------------------------- data


def datasets(options: argparse.Namespace) -> Iterator[tuple[str, Callable[[], Data]]]:
    """A name for --only, and what makes the data."""
    for n in [MILLION] if options.quick else [MILLION, 10 * MILLION]:
        for bits in (64, 256):
            yield "uniform", partial(uniform, n, bits)
            for flips in (0.10,) if options.quick else (0.05, 0.10, 0.15):
                yield "clustered", partial(clustered, n, bits, flips)
        if options.codes:
            yield "ucf101", partial(tiled, options.codes / "ucf101_64bit.npz", n)


def uniform(n: int, bits: int) -> Data:
    random = np.random.default_rng(0)
    size = bits // 8
    return Data(
        "uniform",
        random.integers(0, 256, (n, size), np.uint8),
        random.integers(0, 256, (QUERIES, size), np.uint8),
    )


def clustered(n: int, bits: int, share: float) -> Data:
    """1,000 classes of equal size: a random code each, of which a clip differs in a share."""
    random = np.random.default_rng(0)
    centres = random.integers(0, 256, (1000, bits // 8), np.uint8)

    def drawn(count: int) -> Packed:
        return flipped(centres[random.integers(0, 1000, count)], share, random)

    return Data(f"clustered {share:.0%}", drawn(n), drawn(QUERIES))


def tiled(path: Path, n: int) -> Data:
    """The real codes of UCF101's database part again and again, each copy a little different."""
    random = np.random.default_rng(0)
    with np.load(path) as stored:
        database, queries = stored["database_codes"], stored["query_codes"]
    codes = np.tile(database, (-(-n // len(database)), 1))[:n]
    some = random.choice(len(queries), QUERIES, replace=False)
    return Data("ucf101 tiled", flipped(codes, 0.03, random), queries[some])


def flipped(codes: Packed, share: float, random: np.random.Generator) -> Packed:
    for top in range(0, len(codes), 100_000):
        block = codes[top : top + 100_000]
        flips = random.random((len(block), codes.shape[1] * 8), np.float32) < share
        codes[top : top + 100_000] = block ^ np.packbits(flips, axis=1)
    return codes


# ------------------------------------------------------------------------------------- engines


def engines(data: Data) -> Iterator[Engine]:
    """faiss flat comes first: the others are compared with it, and its answers are the truth."""
    yield built("faiss flat", partial(faiss_flat, data))
    yield built("bitreel exact", partial(ours, ExactIndex, data))
    yield built("bitreel mih", partial(ours, MultiIndex, data))
    yield built("bitreel lsh .95", partial(ours, partial(LSHIndex, recall=0.95), data))


def other_engines(data: Data) -> Iterator[Engine]:
    yield built("numpy", partial(numpy_scan, data), queries=2)
    width = 16
    index = built(f"faiss hash b={width}", partial(faiss_hash, data, width))
    yield from dial(index, "nflip", (0, 1, 2))
    tables = max(4, data.bits // width)
    index = built(f"faiss multihash {tables}x{width}", partial(faiss_multihash, data, tables))
    yield from dial(index, "nflip", (0, 1), queries=50)
    index = built("faiss ivf 1024", partial(faiss_ivf, data))
    yield from dial(index, "nprobe", (1, 4, 16, 64))


def graph_engines(data: Data) -> Iterator[Engine]:
    index = built("faiss hnsw M=16", partial(faiss_hnsw, data))
    yield from dial(index, "efSearch", (16, 64, 256))
    graph = built("usearch hnsw", partial(usearch_hnsw, data))
    for width in (64, 256):
        ask = partial(usearch_ask, graph.ask.args[0], width)  # type: ignore[attr-defined]
        yield replace(graph, name=f"usearch hnsw expansion={width}", ask=ask)


def built(name: str, make: Callable[[], Any], *, queries: int = QUERIES) -> Engine:
    start = time.process_time()
    made = make()
    seconds = time.process_time() - start
    ask = made if callable(made) else partial(faiss_ask, made)
    return Engine(name, ask, seconds, megabytes(ask.args[0]), queries)


def megabytes(index: Any) -> float:
    """Of the arrays that ours consists of, of what a peer would write to a file."""
    if isinstance(index, Index):
        return sum(array.nbytes for array in arrays_of(index)[0].values()) / 1e6
    if isinstance(index, BinaryCodes):
        return index.packed.nbytes / 1e6
    if isinstance(index, USearch):
        return float(index.serialized_length) / 1e6
    return float(faiss.serialize_index_binary(index).nbytes) / 1e6


def dial(engine: Engine, word: str, values: tuple[int, ...], queries: int = QUERIES) -> Any:
    """The engine at each setting of one of its index's numbers."""
    index = engine.ask.args[0]  # type: ignore[attr-defined]
    for value in values:

        def ask(queries: Packed, k: int, value: int = value) -> Distances:
            target = index.hnsw if word == "efSearch" else index
            setattr(target, word, value)
            return faiss_ask(index, queries, k)

        yield replace(engine, name=f"{engine.name} {word}={value}", ask=ask, queries=queries)


def ours(kind: Any, data: Data, threads: int = 1) -> partial[Distances]:
    ask = partial(ours_ask, kind(BinaryCodes(data.codes, data.bits), threads=threads))
    ask(data.queries[:2], K)  # compiles
    return ask


def ours_ask(index: Index, queries: Packed, k: int) -> Distances:
    return index.search(BinaryCodes(queries, index.bits), k).distances_bits


def numpy_scan(data: Data) -> partial[Distances]:
    return partial(numpy_ask, BinaryCodes(data.codes, data.bits))


def numpy_ask(codes: BinaryCodes, queries: Packed, k: int) -> Distances:
    distances = hamming(BinaryCodes(queries, codes.bits), codes)
    return np.sort(np.partition(distances, k - 1, axis=1)[:, :k], axis=1)


def faiss_ask(index: Any, queries: Packed, k: int) -> Distances:
    distances: Distances = index.search(queries, k)[0]
    return distances


def faiss_flat(data: Data) -> Any:
    return filled(faiss.IndexBinaryFlat(data.bits), data)


def faiss_hash(data: Data, width: int) -> Any:
    return filled(faiss.IndexBinaryHash(data.bits, width), data)


def faiss_multihash(data: Data, tables: int) -> Any:
    return filled(faiss.IndexBinaryMultiHash(data.bits, tables, data.bits // tables), data)


def faiss_hnsw(data: Data) -> Any:
    return filled(faiss.IndexBinaryHNSW(data.bits, 16), data)


def faiss_ivf(data: Data) -> Any:
    quantiser = faiss.IndexBinaryFlat(data.bits)
    index = faiss.IndexBinaryIVF(quantiser, data.bits, 1024)
    index.__dict__["quantiser"] = quantiser  # it must live as long
    index.train(data.codes[:: max(1, len(data.codes) // 50_000)])
    return filled(index, data)


def filled(index: Any, data: Data) -> Any:
    index.add(data.codes)
    return index


def usearch_hnsw(data: Data) -> partial[Distances]:
    index = USearch(ndim=data.bits, metric=MetricKind.Hamming, dtype=ScalarKind.B1)
    index.add(np.arange(len(data.codes)), data.codes, threads=1)
    return partial(usearch_ask, index, 64)


def usearch_ask(index: Any, expansion: int, queries: Packed, k: int) -> Distances:
    index.expansion_search = expansion
    found = index.search(queries, k, threads=1)
    return np.asarray(found.distances, np.int32).reshape(len(queries), -1)


# -------------------------------------------------------------------------------------- tables


def batches(
    data: Data, rows: Rows, peers: list[Callable[[Data], Iterator[Engine]]], *, rounds: int
) -> None:
    """Every engine on one thread: rounds in which they take turns."""
    found = [engine for some in (engines, *peers) for engine in some(data)]
    truth = found[0].ask(data.queries, K)
    for _ in range(rounds):
        for engine in found:
            queries = data.queries[: engine.queries]
            start = time.process_time()
            distances = engine.ask(queries, K)
            engine.seconds.append((time.process_time() - start) / len(queries))
            near = distances <= truth[: len(queries), -1:]
            engine.recall = float(np.mean(near & (distances >= 0)))
            if engine.seconds[-1] * engine.queries > 3:  # once more will do
                engine.queries = max(2, engine.queries // 4)
    flat = float(np.median(found[0].seconds))
    for engine in found:
        seconds = float(np.median(engine.seconds))
        rows.add(
            data=data.name,
            n=len(data.codes),
            bits=data.bits,
            k=K,
            mode="batch",
            engine=engine.name,
            queries_per_cpu_second=1 / seconds,
            recall=engine.recall,
            ratio_to_faiss_flat=flat / seconds,
            build_seconds=engine.build_seconds,
            megabytes=engine.megabytes,
        )


def on_all_cores(data: Data, rows: Rows) -> None:
    """The exact engines by the wall clock, the best of two: what else runs takes from it."""
    every = available_threads()
    asks: dict[str, Ask] = {
        "faiss flat": partial(on_all_threads, faiss_flat(data)),
        "bitreel exact": ours(ExactIndex, data, threads=every),
        "bitreel mih": ours(MultiIndex, data, threads=every),
    }
    seconds: dict[str, float] = {}
    for name, ask in asks.items():
        for _ in range(2):
            start = time.perf_counter()
            ask(data.queries, K)
            took = (time.perf_counter() - start) / len(data.queries)
            seconds[name] = min(took, seconds.get(name, took))
        rows.add(
            data=data.name,
            n=len(data.codes),
            bits=data.bits,
            k=K,
            mode="batch, all cores",
            engine=name,
            queries_per_second=1 / seconds[name],
            ratio_to_faiss_flat=seconds["faiss flat"] / seconds[name],
        )


def singles(rows: Rows, n: int) -> None:
    """One query at a time on all threads, as a person asks."""
    for bits in (64, 256):
        for data in (clustered(n, bits, 0.10), uniform(n, bits)):
            asks: dict[str, Ask] = {
                "read bandwidth": partial(read, data.codes),
                "faiss flat": partial(faiss_ask, faiss_flat(data)),
                "faiss flat, all threads": partial(on_all_threads, faiss_flat(data)),
                "numpy": numpy_scan(data),
                "bitreel exact": ours(ExactIndex, data, threads=available_threads()),
                "bitreel mih": ours(MultiIndex, data, threads=available_threads()),
            }
            clocked = in_turns(asks, data.queries)
            floor, _ = clocked["read bandwidth"].medians()
            flat, _ = clocked["faiss flat"].medians()
            truth = clocked["faiss flat"].distances
            for name, turns in clocked.items():
                p50, cpu = turns.medians()
                near = [
                    np.mean(a <= b[:, -1:]) for a, b in zip(turns.distances, truth, strict=False)
                ]
                rows.add(
                    data=data.name,
                    n=n,
                    bits=bits,
                    k=K,
                    mode="single",
                    engine=name,
                    queries_per_cpu_second=1 / cpu,
                    recall=float(np.mean(near)),
                    ratio_to_faiss_flat=flat / p50,
                    p50_ms=1e3 * p50,
                    p99_ms=1e3 * float(np.quantile(turns.seconds, 0.99)),
                    share_of_bandwidth=floor / p50,
                    gigabytes_per_second=data.codes.nbytes / p50 / 1e9,
                )


@dataclass
class Turns:
    """Of one engine and each query: seconds of the wall clock, of all threads, and its answer."""

    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    distances: list[Distances] = field(default_factory=list)

    def medians(self) -> tuple[float, float]:
        return float(np.median(self.seconds)), float(np.median(self.cpu_seconds))


def in_turns(asks: dict[str, Ask], queries: Packed, rounds: int = 100) -> dict[str, Turns]:
    """Single queries, engine by engine within each round; no more once one took three seconds."""
    turns = {name: Turns() for name in asks}
    for ask in asks.values():
        ask(queries[:1], K)  # compiles
    for row in range(rounds):
        for name, ask in asks.items():
            if sum(turns[name].seconds) > 3:
                continue
            start, cpu = time.perf_counter(), time.process_time()
            turns[name].distances.append(ask(queries[row : row + 1], K))
            turns[name].cpu_seconds.append(time.process_time() - cpu)
            turns[name].seconds.append(time.perf_counter() - start)
    return turns


def read(codes: Packed, queries: Packed, k: int) -> Distances:
    """Every byte once, by all threads: what no search of them all can be faster than."""
    words = codes.reshape(-1).view(np.uint64)
    parts = np.array_split(words, available_threads())
    list(_readers.map(np.bitwise_xor.reduce, parts))
    return np.zeros((1, k), np.int32)


_readers = ThreadPoolExecutor(available_threads())


def on_all_threads(index: Any, queries: Packed, k: int) -> Distances:
    faiss.omp_set_num_threads(available_threads())
    found = faiss_ask(index, queries, k)
    faiss.omp_set_num_threads(1)
    return found


def duplicates(rows: Rows, n: int) -> None:
    """Masses of one code, and of a few: no slower than distinct codes, and nothing is missed."""
    plain = clustered(n, 64, 0.10)
    random = np.random.default_rng(1)
    one, few = plain.codes.copy(), plain.codes.copy()
    one[random.choice(n, 3 * n // 10, replace=False)] = plain.codes[0]
    copied = random.choice(n, 9 * n // 10, replace=False)
    few[copied] = plain.codes[random.integers(0, 200, len(copied))]
    for name, codes in (("distinct", plain.codes), ("30 % one code", one), ("90 % of 200", few)):
        data = Data(name, codes, plain.queries)
        truth = faiss_ask(faiss_flat(data), data.queries, K)
        for kind in (ExactIndex, MultiIndex):
            ask = ours(kind, data)
            seconds = []
            for _ in range(5):
                start = time.process_time()
                distances = ask(data.queries, K)
                seconds.append((time.process_time() - start) / QUERIES)
            rows.add(
                data=name,
                n=n,
                bits=64,
                mode="duplicates",
                engine=f"bitreel {kind.kind}",
                queries_per_cpu_second=1 / float(np.median(seconds)),
                recall=float(np.mean(distances <= truth[:, -1:])),
            )


ASK_ONCE = """
import sys, time
start = time.perf_counter()
from pathlib import Path
import numpy as np
from bitreel.codes import BinaryCodes
from bitreel.search import open_index
imported = time.perf_counter()
index, _ = open_index(Path(sys.argv[1]))
opened = time.perf_counter()
code = BinaryCodes(np.zeros((1, index.bits // 8), np.uint8), index.bits)
index.search(code, 10)
print(imported - start, opened - imported, time.perf_counter() - start)
"""


def opening(rows: Rows, n: int) -> None:
    """A saved index in a process of its own, kernels compiled before."""
    for bits in (64, 256):
        data = clustered(n, bits, 0.10)
        for kind in (ExactIndex, MultiIndex):
            with tempfile.TemporaryDirectory() as folder:
                index = kind(BinaryCodes(data.codes, bits))
                save_index(index, Path(folder))
                assert len(open_index(Path(folder))[0]) == n
                words = [sys.executable, "-c", ASK_ONCE, folder]
                told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
                imports, opens, first = map(float, told.split())
                rows.add(
                    n=n,
                    bits=bits,
                    mode="opening",
                    engine=f"bitreel {kind.kind}",
                    imports_seconds=imports,
                    opens_seconds=opens,
                    first_answer_seconds=first,
                    megabytes=sum(path.stat().st_size for path in Path(folder).iterdir()) / 1e6,
                )


if __name__ == "__main__":
    main()
