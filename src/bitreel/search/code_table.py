"""Distinct codes with the ids that hold them. Every index works on these.

A library holds masses of equal codes: black pictures, re-uploads. Here they cost one comparison
between them all, and an index that looks near a code never finds its place taken by copies.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes

NOT_ALLOWED = np.iinfo(np.int64).max
"""The key of a code that no allowed id holds. No id may have this value."""


@dataclass(frozen=True, eq=False)
class CodeTable:
    """U distinct codes, in the order of the least id that holds each, and N ids.

    words: uint64 [W,U], word by word as `BinaryCodes.words` gives them; fastest where each row
    starts at a multiple of 64 bytes, as `of` lays them out. offsets: int64 [U+1]. ids: int64 [N]:
    code u is held by ids[offsets[u]:offsets[u+1]], which rise. The arrays may be memory maps.
    Nothing writes into them.
    """

    bits: int
    words: NDArray[np.uint64]
    offsets: NDArray[np.int64]
    ids: NDArray[np.int64]

    def __post_init__(self) -> None:
        fields = (self.words, self.offsets, self.ids)
        types = [str(field.dtype) for field in fields]
        if types != ["uint64", "int64", "int64"] or self.words.ndim != 2:
            raise ValueError(f"expected words uint64 [W,U], offsets and ids int64, got {types}")
        if self.words.shape != ((self.bits + 63) // 64, len(self.offsets) - 1):
            raise ValueError(
                f"expected words [{(self.bits + 63) // 64},{len(self.offsets) - 1}] for "
                f"{self.bits} bits and these offsets, got {list(self.words.shape)}"
            )
        if self.offsets[0] != 0 or self.offsets[-1] != len(self.ids):
            raise ValueError(f"expected offsets from 0 to {len(self.ids)}")

    def __len__(self) -> int:
        """The number of distinct codes, U."""
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        return f"CodeTable({len(self)} distinct of {len(self.ids)} codes, {self.bits} bits)"

    @classmethod
    def of(cls, codes: BinaryCodes, ids: NDArray[np.int64]) -> CodeTable:
        """The table of N codes and their ids [N], in any order, no two ids the same."""
        return cls.of_words(codes.words(), ids, codes.bits)

    @classmethod
    def of_words(cls, words: NDArray[np.uint64], ids: NDArray[np.int64], bits: int) -> CodeTable:
        """The table of codes given as words [W,N]."""
        if np.any(ids[1:] < ids[:-1]):
            by_id = np.argsort(ids)
            words, ids = words[:, by_id], ids[by_id]
        numbers, first = _distinct(words)
        if len(first) == len(ids):
            return cls(bits, in_lines(words), np.arange(len(ids) + 1, dtype=np.int64), ids)
        offsets = np.zeros(len(first) + 1, np.int64)
        np.cumsum(np.bincount(numbers, minlength=len(first)), out=offsets[1:])
        order = np.argsort(numbers, kind="stable")
        return cls(bits, in_lines(words[:, first]), offsets, ids[order])

    @cached_property
    def view(self) -> View:
        """Everything may be answered."""
        return View(self)

    def view_of(self, allowed: NDArray[np.bool_]) -> View:
        """Only the ids where `allowed` [N], in the order of `ids`, is true."""
        return View(self, allowed)

    def only(self, view: View) -> CodeTable:
        """A table of what the view allows. Its codes are distinct, so none is compared again."""
        held = np.flatnonzero(view.keys != NOT_ALLOWED)
        keys = view.keys[held]
        if np.any(keys[1:] < keys[:-1]):  # the least id of a code may be one that is not allowed
            order = np.argsort(keys, kind="stable")
            held, keys = held[order], keys[order]
        if view.one_each:
            offsets, ids = np.arange(len(held) + 1, dtype=np.int64), keys
        else:
            starts = view.offsets[held]
            counts = view.offsets[held + 1] - starts
            offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
            ids = view.ids[np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], counts)]
        return CodeTable(self.bits, in_lines(self.words[:, held]), offsets, ids)

    def places_of(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where in `ids` these stand, int64 [M]; -1 for one that is not there."""
        order, rising = self._by_id
        found = np.searchsorted(rising, ids)
        known = found < len(rising)
        known[known] = rising[found[known]] == ids[known]
        places = found if order is None else order[np.where(known, found, 0)]
        return np.where(known, places, -1)

    @cached_property
    def _by_id(self) -> tuple[NDArray[np.int64] | None, NDArray[np.int64]]:
        """Places in `ids` in the order of the ids, None where they rise; and the ids in order."""
        if self.view.one_each:
            return None, self.ids
        order = np.argsort(self.ids)
        return order, self.ids[order]

    def spelled_out(self, view: View) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """Each allowed id with its code: words [W,M] and ids [M]."""
        if view.one_each:
            held = np.flatnonzero(view.keys != NOT_ALLOWED)
            return self.words[:, held], view.keys[held]
        held = np.repeat(np.arange(len(self)), np.diff(view.offsets))
        return self.words[:, held], view.ids


@dataclass(frozen=True, eq=False)
class View:
    """What of a table may be answered, for one filter and one set of deletions.

    allowed: bool [N], in the order of the table's ids; all are when None.
    """

    table: CodeTable
    allowed: NDArray[np.bool_] | None = None

    @cached_property
    def _count(self) -> int:
        return len(self.table.ids) if self.allowed is None else int(np.count_nonzero(self.allowed))

    def __len__(self) -> int:
        """The number of allowed ids."""
        return self._count

    @cached_property
    def one_each(self) -> bool:
        """No code has more than one allowed id, so that its key is the id."""
        if len(self.table) == len(self.table.ids):
            return True
        return self.allowed is not None and not np.any(np.diff(self.offsets) > 1)

    @cached_property
    def keys(self) -> NDArray[np.int64]:
        """The least allowed id of each distinct code, NOT_ALLOWED where it has none: int64 [U]."""
        all_one_each = len(self.table) == len(self.table.ids)
        if self.allowed is None:
            return self.ids if all_one_each else self.ids[self.offsets[:-1]]
        if all_one_each:
            return np.where(self.allowed, self.table.ids, NOT_ALLOWED)
        keys = np.full(len(self.table), NOT_ALLOWED, np.int64)
        some = self.offsets[1:] > self.offsets[:-1]
        keys[some] = self.ids[self.offsets[:-1][some]]
        return keys

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """Where the allowed ids of each distinct code begin in `ids`: int64 [U+1]."""
        if self.allowed is None:
            return self.table.offsets
        before = np.zeros(len(self.allowed) + 1, np.int64)
        np.cumsum(self.allowed, out=before[1:])
        return before[self.table.offsets]

    @cached_property
    def ids(self) -> NDArray[np.int64]:
        """The allowed ids, code by code, rising for each: int64 [M]."""
        return self.table.ids if self.allowed is None else self.table.ids[self.allowed]


def in_lines(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A copy of [W,U] whose rows start with a cache line: eight codes are then read from one."""
    count, length = words.shape
    line = 64 // words.itemsize
    width = -(-length // line) * line
    room = np.empty(count * width + line, np.uint64)
    start = -room.ctypes.data % 64 // words.itemsize
    rows = room[start : start + count * width].reshape(count, width)[:, :length]
    rows[:] = words
    return rows


def _distinct(words: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number the distinct codes of [W,N] in the order in which they first come.

    Gives the number of each code, [N], and where each number comes first, [U].
    """
    order, starts = _groups(words)
    first = np.minimum.reduceat(order, starts) if len(order) else order
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    numbers = np.empty(len(order), np.int64)
    numbers[order] = np.repeat(rank, np.diff(starts, append=len(order)))
    return numbers, np.sort(first)


def _groups(words: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """An order [N] that puts equal codes of [W,N] together, and where each group starts, [U]."""
    hashes = _hashes(words)
    order = np.argsort(hashes)
    if not np.all(_same(words, order) == _same(hashes[None], order)):
        order = np.lexsort(words)  # two codes with one hash
    return order, np.flatnonzero(np.concatenate([[True], ~_same(words, order)])[: len(order)])


def _same(words: NDArray[np.uint64], order: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where a code in this order equals the one before it, [N-1]."""
    same = np.ones(max(0, len(order) - 1), bool)
    for word in words:
        ordered = word[order]
        same &= ordered[1:] == ordered[:-1]
    return same


def _hashes(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One number a code: sorting one word is many times faster than sorting several."""
    hashes: NDArray[np.uint64] = words[0].copy()
    for word in words[1:]:
        hashes *= np.uint64(0x9E3779B97F4A7C15)
        hashes ^= hashes >> np.uint64(32)
        hashes ^= word
    return hashes
