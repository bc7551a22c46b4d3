"""Which index for these codes? The one that answers soonest, by a short measurement on themselves.

What an index is worth depends on the codes: tables find the near codes of a trained model at once
and are of no use on random ones. So each kind that may give the recall wished for is made, asked
for the neighbours of codes drawn from the collection, one at a time as a person asks, and timed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.errors import ConfigError
from bitreel.progress import Progress, Step, silent
from bitreel.search.exact import ExactIndex
from bitreel.search.index import TUNED_FROM, Index
from bitreel.search.index_file import arrays_of
from bitreel.search.lsh import LSHIndex
from bitreel.search.multi_index import MultiIndex
from bitreel.search.neighbours import Neighbours

# Fewer are scanned by every kind.
MEASURED_FROM = TUNED_FROM
QUERIES = 200  # that are timed
# Another index than the scan must be worth its memory and the time to make it.
WORTH = 1.2


@dataclass(frozen=True)
class Wish:
    """What is asked of an index. recall: the share of the k nearest that must be found, in (0,1];
    1.0 is exact. k: how many neighbours are asked for, as a rule."""

    recall: float = 1.0
    k: int = 10

    def __post_init__(self) -> None:
        if not 0 < self.recall <= 1:
            raise ConfigError(
                f"A recall lies above 0 and up to 1, got {self.recall}: 1.0 asks for exact answers."
            )
        if self.k < 1:
            raise ConfigError(f"Plan for 1 neighbour or more, got k={self.k}.")


@dataclass(frozen=True)
class Measured:
    """What one kind of index did on the collection's own codes.

    milliseconds, milliseconds_p99: for one query on all threads, median and 99th percentile.
    recall: of the k nearest, counting a neighbour as far as the true k-th as found.
    """

    kind: str
    milliseconds: float
    milliseconds_p99: float
    recall: float
    build_seconds: float
    megabytes: float


@dataclass(frozen=True)
class Plan:
    """The kind that was chosen for a wish, why, and what was measured (nothing for few codes)."""

    kind: str
    wish: Wish
    codes: int
    distinct: int
    reason: str
    measured: tuple[Measured, ...] = ()


def plan_index(
    codes: BinaryCodes,
    ids: NDArray[np.int64] | None = None,
    wish: Wish | None = None,
    *,
    threads: int | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> tuple[Index, Plan]:
    """The index that answers soonest with the recall wished for, and how that was found out.

    Raises CodesError for ids that do not fit.
    """
    wish = wish or Wish()
    makers = _makers(codes, ids, wish, threads)
    exact = makers.pop("exact")()
    about = Plan("exact", wish, len(codes), exact.distinct, "")
    if len(codes) < MEASURED_FROM:
        reason = f"fewer than {MEASURED_FROM:,} codes are compared one by one in no time"
        return exact, replace(about, reason=reason)
    queries = _drawn(codes, seed)
    truth, row = _measure("exact", exact, queries, wish.k, None, 0.0)
    best, rows = exact, [row]
    for number, (kind, make) in enumerate(makers.items(), start=1):
        progress(Step("planning", number, len(makers) + 1, kind))
        start = time.perf_counter()
        index = make()
        seconds = time.perf_counter() - start
        _, row = _measure(kind, index, queries, wish.k, truth, seconds)
        if row.recall >= wish.recall and row.milliseconds * WORTH < _time_of(best, rows):
            best = index
        rows.append(row)
    progress(Step("planning", len(makers) + 1, len(makers) + 1))
    reason = _reason(best.kind, rows)
    return best, replace(about, kind=best.kind, reason=reason, measured=tuple(rows))


def _makers(
    codes: BinaryCodes, ids: NDArray[np.int64] | None, wish: Wish, threads: int | None
) -> dict[str, Callable[[], Index]]:
    """The kinds that may grant the wish; exact comes first."""
    makers: dict[str, Callable[[], Index]] = {
        "exact": lambda: ExactIndex(codes, ids, threads=threads),
        "mih": lambda: MultiIndex(codes, ids, threads=threads),
    }
    if wish.recall < 1:
        makers["lsh"] = lambda: LSHIndex(codes, ids, recall=wish.recall, threads=threads)
    return makers


def _drawn(codes: BinaryCodes, seed: int) -> BinaryCodes:
    rows = np.random.default_rng(seed).choice(len(codes), min(QUERIES, len(codes)), replace=False)
    return codes[rows]


def _measure(
    kind: str,
    index: Index,
    queries: BinaryCodes,
    k: int,
    truth: NDArray[np.int32] | None,
    build_seconds: float,
) -> tuple[NDArray[np.int32], Measured]:
    """The distances [Q,k'] that it found, and its row. truth: those of an exact index.

    A query is one of the codes: it is asked for one neighbour more, and itself left out.
    """
    found, seconds = zip(*_asked(index, queries, k + 1), strict=True)
    distances = np.concatenate([one.distances_bits[:, 1:] for one in found])
    farthest = (distances if truth is None else truth)[:, -1:]
    megabytes = sum(array.nbytes for array in arrays_of(index)[0].values()) / 1e6
    return distances, Measured(
        kind,
        milliseconds=1e3 * float(np.median(seconds)),
        milliseconds_p99=1e3 * float(np.quantile(seconds, 0.99)),
        recall=float(np.mean(distances <= farthest)),
        build_seconds=build_seconds,
        megabytes=megabytes,
    )


def _asked(index: Index, queries: BinaryCodes, k: int) -> Iterator[tuple[Neighbours, float]]:
    index.search(queries[:2], k)  # compiles, and wakes the memory
    for row in range(len(queries)):
        start = time.perf_counter()
        found = index.search(queries[row : row + 1], k)
        yield found, time.perf_counter() - start


def _time_of(index: Index, rows: list[Measured]) -> float:
    return next(row.milliseconds for row in rows if row.kind == index.kind)


def _reason(kind: str, rows: list[Measured]) -> str:
    times = {row.kind: row.milliseconds for row in rows}
    if kind == "exact":
        return "no other kind answers these codes enough sooner"
    return f"{times['exact'] / times[kind]:.1f} times as fast as comparing every code"
