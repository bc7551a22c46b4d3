"""What re-ranking by the query's relaxed bits buys on the 64-bit codes that CSQ published.

Database and queries are split 1 of UCF101 and HMDB51 (Yuan et al., CVPR 2020). Beside the codes
compared with codes: the queries' outputs with the codes, over Hamming shortlists of growing length,
and outputs with outputs, which needs 32 times the memory. mAP@10 ÷k, ties in stored order, as
papers print it, and in expectation over their orders: clips of one video often share a code.

The second table tells which asymmetric distance compares best between queries, where one order
within each query does not: all queries' ten first answers in one list, by average precision.

    python benchmarks/asymmetric.py CSQ_DIR [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import hamming
from bitreel.evaluation import AveragePrecision, CodeFile, Ranking
from bitreel.search import AsymmetricReranker, ExactIndex

Floats = NDArray[np.float64]
SETS = ("ucf101", "hmdb51")
PLACES = 10
SHORTLISTS = (10, 20, 50, 100, 500, None)
# Places kept for the expectation over ties: more than the largest group of equal codes has.
DEPTH = 500


class Published:
    """One set: the codes and labels, and the outputs in [-1,1] that the codes are the signs of."""

    def __init__(self, path: Path) -> None:
        file = CodeFile.load(path)
        self.query, self.database = file.query, file.database
        self.query_labels, self.database_labels = file.query_labels, file.database_labels
        with np.load(path) as arrays:
            self.query_outputs = arrays["query_relaxed"].astype(np.float64)
            self.database_outputs = arrays["database_relaxed"].astype(np.float64)
        self.relaxed = (self.query_outputs + 1) / 2

    def relevant(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each of the answers [Q,k] has the query's label."""
        return np.asarray(self.database_labels[rows] == self.query_labels[:, None])


def main() -> None:
    options = parse()
    sets = {name: Published(options.csq / f"{name}_64bit.npz") for name in SETS}
    rows: list[dict[str, Any]] = []
    print("| codes | method | stored order | expected over ties | µs a query |")
    print("|---|---|---|---|---|")
    for name, published in sets.items():
        for found in figures(published):
            rows.append({"codes": name, **found})
            numbers = (
                f"{found['stored']:.4f} | {found['expected']:.4f} | {found['microseconds'] or ''}"
            )
            print(f"| {name} | {found['method']} | {numbers} |", flush=True)
    print("\n| codes | distance | AP of all first ten together |\n|---|---|---|")
    for name, published in sets.items():
        for found in between_queries(published):
            rows.append({"codes": name, **found})
            print(f"| {name} | {found['distance']} | {found['pooled']:.4f} |", flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "csq", metavar="CSQ_DIR", type=Path, help="folder of {ucf101,hmdb51}_64bit.npz"
    )
    parser.add_argument("--json", type=Path, help="write the rows here")
    options = parser.parse_args()
    for name in SETS:
        if not (options.csq / f"{name}_64bit.npz").is_file():
            parser.error(f"{options.csq} has no {name}_64bit.npz: name the folder of CSQ's codes")
    return options


def figures(published: Published) -> Iterator[dict[str, Any]]:
    """mAP@10 of codes with codes, outputs with codes by shortlist, outputs with outputs."""
    index = ExactIndex(published.database)
    near = index.search(published.query, DEPTH)
    yield summary(published, "codes with codes", near.ids, near.distances_bits)
    reranker = AsymmetricReranker(published.database)
    for length in SHORTLISTS:
        shortlist = index.search(published.query, length or len(index))
        start = time.perf_counter()
        best = reranker.rerank(published.relaxed, shortlist, DEPTH)
        microseconds = round((time.perf_counter() - start) / len(best) * 1e6)
        method = f"outputs with codes, shortlist of {length or 'all'}"
        yield summary(published, method, best.ids, best.asymmetric_bits, microseconds)
    cosine = unit(published.query_outputs) @ unit(published.database_outputs).T
    top = np.argsort(-cosine, axis=1, kind="stable")[:, :DEPTH].astype(np.int64)
    distances = -np.take_along_axis(cosine, top, axis=1)
    yield summary(published, "outputs with outputs, cosine", top, distances)


def summary(
    published: Published,
    method: str,
    ids: NDArray[np.int64],
    distances: NDArray[Any],
    microseconds: int | None = None,
) -> dict[str, Any]:
    ranking = ranked(distances, published.relevant(ids))
    figure = {
        "expected": AveragePrecision(PLACES).per_query(ranking),
        "stored": AveragePrecision(PLACES, ties="stored").per_query(ranking),
    }
    means = {name: float(values.mean()) for name, values in figure.items()}
    return {"method": method, **means, "microseconds": microseconds}


def ranked(distances: NDArray[Any], relevant: NDArray[np.bool_]) -> Ranking:
    """First places [Q,k] with their distances, as groups of ties.

    What a shortlist left out can not come up whatever the order of ties, and has no group.
    """
    queries, places = distances.shape
    if places >= DEPTH and np.any(distances[:, PLACES - 1] == distances[:, -1]):
        raise SystemExit(f"A tie runs past {places} places: give DEPTH more.")
    groups = np.cumsum(np.diff(distances, axis=1, prepend=distances[:, :1]) > 0, axis=1)
    items = np.zeros((queries, places), np.int64)
    hits = np.zeros((queries, places), np.int64)
    line = np.arange(queries)[:, None]
    np.add.at(items, (line, groups), 1)
    np.add.at(hits, (line, groups), relevant)
    return Ranking(items, hits, relevant[:, :PLACES])


def between_queries(published: Published) -> Iterator[dict[str, Any]]:
    """AP of every query's ten first answers in one list, by each asymmetric distance in bits."""
    outputs, bits = published.query_outputs, published.query.bits
    dot = outputs @ np.where(published.database.unpack(), 1.0, -1.0).T
    square = np.square(outputs).sum(axis=1, keepdims=True)
    distances: dict[str, NDArray[Any]] = {
        "codes with codes": hamming(published.query, published.database),
        "sum of abs(h − b)": (bits - dot) / 2,
        "sum of (h − b)²": (bits + square - 2 * dot) / 4,
        "cosine, in bits": bits / 2 * (1 - dot / np.sqrt(square * bits)),
    }
    top = np.argsort(-dot, axis=1, kind="stable")[:, :PLACES]
    relevant = published.relevant(top).ravel()
    for name, distance in distances.items():
        order = np.argsort(np.take_along_axis(distance, top, axis=1).ravel(), kind="stable")
        hits = relevant[order]
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        yield {"distance": name, "pooled": float(precision[hits].mean())}


def unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


if __name__ == "__main__":
    main()
