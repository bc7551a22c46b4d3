"""Tables of buckets over the codes of a table, each by a group of bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitreel.search.best import Best, fixed
from bitreel.search.bucket_kernels import fill, keys_of
from bitreel.search.code_table import CodeTable
from bitreel.search.scan import Scan
from bitreel.search.substrings import places_of
from bitreel.search.threads import in_threads

# Entries are uint32, and a table needs its offsets beside them.
MOST_CODES = (1 << 32) - 1


@dataclass(frozen=True, eq=False)
class Buckets:
    """T tables of the same U codes.

    bits: int64 [B], the bits of all tables' keys one after the other, as they are numbered in a
    code. firsts: int64 [T+1], where each table's begin. offsets: uint32, each table's 2**b + 1 one
    after the other. entries: uint32 [T*U], each table's positions in the order of its keys. codes:
    uint64. Where a code is one word, [T*U]: the codes in the order of the entries, so that a bucket
    is read in one go (a search of one million codes is twice as fast for it). Where it is more,
    [U*W]: the codes one after the other, once for all tables.
    """

    bits: NDArray[np.int64]
    firsts: NDArray[np.int64]
    offsets: NDArray[np.uint32]
    entries: NDArray[np.uint32]
    codes: NDArray[np.uint64]

    @property
    def tables(self) -> int:
        return len(self.firsts) - 1

    @cached_property
    def widths(self) -> NDArray[np.int64]:
        """The number of bits in each table's keys, [T]."""
        return np.diff(self.firsts)

    @cached_property
    def places(self) -> NDArray[np.int64]:
        """Where the bits stand in the words of a code, [B]."""
        return fixed(places_of(self.bits))

    @cached_property
    def offset_firsts(self) -> NDArray[np.int64]:
        """Where each table's offsets begin, [T+1]."""
        return fixed(_offset_firsts(self.widths))

    @property
    def bytes(self) -> int:
        """What the tables take in memory or in a file."""
        return sum(field.nbytes for field in (self.offsets, self.entries, self.codes))

    @classmethod
    def of(cls, table: CodeTable, groups: Sequence[NDArray[np.int64]]) -> Buckets:
        """Tables of at most MOST_CODES codes by these groups of bits, of 1 to 31 each."""
        codes, width = len(table), len(table.words)
        firsts = np.cumsum([0, *map(len, groups)]).astype(np.int64)
        starts = _offset_firsts(np.diff(firsts))
        offsets = np.zeros(starts[-1], np.uint32)
        entries = np.empty(len(groups) * codes, np.uint32)
        in_place = np.empty(len(entries) if width == 1 else 0, np.uint64)
        words = fixed(table.words)

        def build(number: int) -> None:
            keys, mine = np.empty(codes, np.uint32), slice(number * codes, (number + 1) * codes)
            keys_of(words, fixed(places_of(groups[number])), keys)
            part = offsets[starts[number] : starts[number + 1]]
            fill(keys, words[0], part, entries[mine], in_place[mine])

        in_threads(build, range(len(groups)))
        in_buckets = width == 1 or not groups
        rows = in_place if in_buckets else np.ascontiguousarray(words.T).reshape(-1)
        joined = np.concatenate([*groups, np.empty(0, np.int64)])
        return cls(joined, firsts, offsets, entries, rows).read_only()

    def read_only(self) -> Buckets:
        """The same arrays, as the kernels want them."""
        fields = (self.bits, self.firsts, self.offsets, self.entries, self.codes)
        return Buckets(*(fixed(field) for field in fields))

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """For saving. The codes as bytes, which are the same ones on every machine."""
        return {
            "bits": self.bits,
            "firsts": self.firsts,
            "offsets": self.offsets,
            "entries": self.entries,
            "codes": self.codes.view(np.uint8),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Buckets:
        """From what `arrays` gave, which may be memory maps."""
        return cls(
            np.asarray(arrays["bits"], np.int64),
            np.asarray(arrays["firsts"], np.int64),
            np.asarray(arrays["offsets"], np.uint32),
            np.asarray(arrays["entries"], np.uint32),
            np.asarray(arrays["codes"], np.uint8).view(np.uint64),
        ).read_only()


def complete(
    scan: Scan,
    best: Best,
    done: NDArray[np.bool_],
    queries: NDArray[np.uint64],
    k: int,
    view_keys: NDArray[np.int64],
    threads: int,
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Positions and distances [Q,k] of the best, by a scan for the queries [W,Q] not `done` [Q]."""
    left = np.flatnonzero(~done)
    if len(left) == 0:
        return best.positions, best.distances
    scanned = scan.nearest(queries[:, left], k, view_keys, None, threads)
    if len(left) == len(done):
        return scanned
    best.positions[left], best.distances[left] = scanned
    return best.positions, best.distances


def _offset_firsts(widths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.cumsum([0, *((1 << widths) + 1)]).astype(np.int64)
