"""Distinct codes and posting lists, against a dictionary."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import bitreel.search.code_table as code_table
from bitreel.codes import BinaryCodes
from bitreel.search.code_table import NOT_ALLOWED, CodeTable, in_lines


def codes_of(seed: int, n: int, bits: int) -> BinaryCodes:
    return BinaryCodes.from_bits(np.random.default_rng(seed).random((n, bits)) < 0.5)


def twin(codes: BinaryCodes, ids: NDArray[np.int64]) -> list[tuple[tuple[int, ...], list[int]]]:
    """(code, ids that hold it, rising), in the order of the first id."""
    holders: dict[tuple[int, ...], list[int]] = {}
    for words, name in sorted(
        zip(map(tuple, codes.words().T.tolist()), ids.tolist(), strict=True),
        key=lambda pair: pair[1],
    ):
        holders.setdefault(words, []).append(name)
    return list(holders.items())


def spelled(table: CodeTable) -> list[tuple[tuple[int, ...], list[int]]]:
    starts = table.offsets.tolist()
    lists = [table.ids[a:b].tolist() for a, b in pairwise(starts)]
    return list(zip(map(tuple, table.words.T.tolist()), lists, strict=True))


@given(seed=st.integers(0, 99), n=st.integers(0, 60), bits=st.sampled_from([1, 3, 8, 64, 65, 200]))
def test_a_table_is_what_a_dictionary_makes(seed: int, n: int, bits: int) -> None:
    rng = np.random.default_rng(seed)
    codes = codes_of(seed, max(1, n // 2), bits)[rng.integers(0, max(1, n // 2), n)]
    ids = rng.permutation(n * 3)[:n].astype(np.int64) - n
    table = CodeTable.of(codes, ids)
    assert spelled(table) == twin(codes, ids)
    assert table.ids[table.places_of(ids)].tolist() == ids.tolist()
    assert np.all(table.places_of(np.setdiff1d(np.arange(-200, 200), ids)) == -1)
    allowed = rng.random(n) < 0.4
    view = table.view_of(allowed)
    keep = set(table.ids[allowed].tolist())
    left = [[name for name in names if name in keep] for _, names in spelled(table)]
    assert view.keys.tolist() == [names[0] if names else NOT_ALLOWED for names in left]
    assert [
        view.ids[a:b].tolist() for a, b in zip(view.offsets[:-1], view.offsets[1:], strict=True)
    ] == left
    assert view.one_each == all(len(names) < 2 for names in left)
    again = CodeTable.of_words(*table.spelled_out(view), bits)
    rows = np.isin(ids, view.ids)
    assert spelled(again) == twin(codes[rows], ids[rows])
    assert spelled(table.only(view)) == twin(codes[rows], ids[rows])


def test_codes_that_share_a_hash_stay_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    codes, ids = codes_of(1, 20, 130)[[3, 7, 3, 1, 7, 7, 3]], np.arange(7, dtype=np.int64)
    monkeypatch.setattr(code_table, "_hashes", lambda words: np.zeros(words.shape[1], np.uint64))
    assert spelled(CodeTable.of(codes, ids)) == twin(codes, ids)


@pytest.mark.parametrize("length", [0, 1, 8, 13])
def test_rows_start_with_a_cache_line(length: int) -> None:
    words = np.arange(3 * length, dtype=np.uint64).reshape(3, length)
    rows = in_lines(words)
    np.testing.assert_array_equal(rows, words)
    assert all(row.ctypes.data % 64 == 0 for row in rows if length)
    assert CodeTable.of(codes_of(1, 13, 200), np.arange(13)).words.strides[0] % 64 == 0


def test_a_table_checks_itself() -> None:
    words, offsets = np.zeros((1, 2), np.uint64), np.array([0, 1, 3], np.int64)
    ids = np.array([1, 2, 5], np.int64)
    assert repr(CodeTable(64, words, offsets, ids)) == "CodeTable(2 distinct of 3 codes, 64 bits)"
    with pytest.raises(ValueError, match="ids int64"):
        CodeTable(64, words, offsets, ids.astype(np.int32))
    with pytest.raises(ValueError, match=r"expected words \[2,2\] for 65 bits"):
        CodeTable(65, words, offsets, ids)
    with pytest.raises(ValueError, match="offsets from 0 to 2"):
        CodeTable(64, words, offsets, ids[:2])
