"""An index that was saved answers as it did, from maps of its files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import bitreel.search.index as index_module
from bitreel.codes import BinaryCodes
from bitreel.errors import CodesError
from bitreel.search import (
    ExactIndex,
    Index,
    LSHIndex,
    MultiIndex,
    open_index,
    save_index,
    saved_facts,
)
from bitreel.search.array_folder import write_arrays
from bitreel.search.scan import Scan

BITS = 70  # two words, and not a multiple of 8

MAKERS: dict[str, Callable[[BinaryCodes, NDArray[np.int64]], Index]] = {
    "exact": ExactIndex,
    "mih": lambda codes, ids: MultiIndex(codes, ids, tables=4),
    "lsh": lambda codes, ids: LSHIndex(codes, ids, recall=0.9),
}
every_kind = pytest.mark.parametrize("kind", list(MAKERS))


@pytest.fixture(autouse=True)
def tables_for_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "TUNED_FROM", 1000)


def codes_of(seed: int, count: int) -> BinaryCodes:
    """Around a few centres, some of them equal."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(0).random((20, BITS)) < 0.5
    flips = random.random((count, BITS)) < 0.03
    return BinaryCodes.from_bits(centres[random.integers(0, 20, count)] ^ flips)


def changed_index(kind: str) -> Index:
    """Several parts, and ids taken out of each."""
    ids = np.random.default_rng(1).permutation(9000).astype(np.int64)
    index = MAKERS[kind](codes_of(1, 6000), ids[:6000])
    index.add(codes_of(2, 300), ids[6000:6300])
    index.add(codes_of(3, 20), ids[6300:6320])
    index.remove(ids[:6320:7])
    return index


def check_same(one: Index, other: Index) -> None:
    queries = codes_of(9, 25)
    assert (type(one), one.bits, one.options) == (type(other), other.bits, other.options)
    np.testing.assert_array_equal(one.ids, other.ids)
    for k in (1, 10):
        first, second = one.search(queries, k), other.search(queries, k)
        np.testing.assert_array_equal(first.ids, second.ids)
        np.testing.assert_array_equal(first.distances_bits, second.distances_bits)


@every_kind
def test_a_saved_index_answers_as_it_did(tmp_path: Path, kind: str) -> None:
    index = changed_index(kind)
    save_index(index, tmp_path, {"revision": 5})
    opened, facts = open_index(tmp_path, threads=2)
    assert facts == saved_facts(tmp_path) == {"revision": 5}
    check_same(index, opened)


@pytest.mark.parametrize("kind", ["mih", "lsh"])
def test_small_parts_are_scanned_and_large_ones_get_tables(tmp_path: Path, kind: str) -> None:
    """An addition of a few codes need not wait for a choice of tables."""
    index = changed_index(kind)
    save_index(index, tmp_path)
    for one in (index, open_index(tmp_path)[0]):
        large, *small = [part.finder for part in one.parts]
        assert not isinstance(large, Scan)
        assert all(isinstance(finder, Scan) for finder in small)
        assert len(small) == 2


@every_kind
def test_an_opened_index_takes_additions_and_deletions_and_is_saved_again(
    tmp_path: Path, kind: str
) -> None:
    index = changed_index(kind)
    save_index(index, tmp_path)
    opened, _ = open_index(tmp_path)
    for one in (index, opened):
        one.remove(one.ids[::5])
        one.add(codes_of(4, 50), np.arange(20_000, 20_050))
    check_same(index, opened)
    save_index(opened, tmp_path)
    check_same(index, open_index(tmp_path)[0])


def test_codes_are_mapped_and_not_read(tmp_path: Path) -> None:
    save_index(changed_index("exact"), tmp_path)
    for part in open_index(tmp_path)[0].parts:
        for array in (part.table.words, part.table.offsets, part.table.ids):
            base: object = array
            while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
                base = base.base
            assert isinstance(base, np.memmap)


@every_kind
def test_an_empty_index_is_saved_and_filled_later(tmp_path: Path, kind: str) -> None:
    save_index(MAKERS[kind](codes_of(1, 0), np.empty(0, np.int64)), tmp_path)
    opened, _ = open_index(tmp_path)
    assert len(opened) == 0
    opened.add(codes_of(1, 40), np.arange(40))
    check_same(MAKERS[kind](codes_of(1, 40), np.arange(40)), opened)


@pytest.mark.parametrize(
    "about",
    [{}, {"kind": "tree", "bits": 8, "parts": 0, "options": {}, "facts": {}}],
    ids=["other", "kind"],
)
def test_arrays_of_something_else_are_refused(tmp_path: Path, about: dict[str, object]) -> None:
    write_arrays(tmp_path, {}, about)
    with pytest.raises(CodesError, match="make it anew from the codes"):
        open_index(tmp_path)


def test_facts_of_something_else_are_refused(tmp_path: Path) -> None:
    write_arrays(tmp_path, {}, {"revision": 1})
    with pytest.raises(CodesError, match="no index"):
        saved_facts(tmp_path)


def test_a_part_whose_arrays_do_not_fit_is_refused(tmp_path: Path) -> None:
    arrays = {
        "0.words": np.zeros((1, 3), np.uint64),
        "0.offsets": np.arange(3),
        "0.ids": np.arange(9),
    }
    about = {"kind": "exact", "bits": 64, "parts": 1, "options": {}, "facts": {}}
    write_arrays(tmp_path, arrays, about)
    with pytest.raises(CodesError, match="expected offsets from 0 to 9"):
        open_index(tmp_path)
