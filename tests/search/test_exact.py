"""What is ExactIndex's alone; what every index must do is in tests/contract."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import bitreel.search.exact as exact
from bitreel.codes import BinaryCodes
from bitreel.errors import CodesError
from bitreel.search import ExactIndex, Neighbours


def codes_of(seed: int, n: int, bits: int) -> BinaryCodes:
    return BinaryCodes.from_bits(np.random.default_rng(seed).random((n, bits)) < 0.5)


def test_blocks_of_queries_give_the_answers_of_one_block(monkeypatch: pytest.MonkeyPatch) -> None:
    index, queries = ExactIndex(codes_of(1, 50, 20)), codes_of(2, 33, 20)
    whole = index.search(queries, 7)
    monkeypatch.setattr(exact, "_BLOCK_DISTANCES", 130)
    parts = index.search(queries, 7)
    np.testing.assert_array_equal(parts.ids, whole.ids)
    np.testing.assert_array_equal(parts.distances_bits, whole.distances_bits)


def test_an_index_keeps_its_answers_when_the_codes_given_to_it_are_overwritten() -> None:
    codes, queries = codes_of(1, 50, 16), codes_of(2, 5, 16)
    ids = np.arange(50, dtype=np.int64)
    index = ExactIndex(codes, ids)
    before = index.search(queries, 5).ids.tolist()
    codes.packed[:] = 0
    ids[:] = -1
    assert index.search(queries, 5).ids.tolist() == before


@pytest.mark.parametrize(
    "ids", [np.arange(3), np.arange(4, dtype=np.int32), np.zeros((4, 1), np.int64)]
)
def test_ids_that_do_not_fit_the_codes_are_refused(ids: NDArray[np.int64]) -> None:
    with pytest.raises(CodesError, match=r"Expected ids int64 \[4\]"):
        ExactIndex(codes_of(1, 4, 8), ids)


def test_its_text_says_how_much_it_holds() -> None:
    index = ExactIndex(codes_of(1, 4, 12))
    assert (repr(index), index.bits, len(index)) == ("ExactIndex(4 x 12 bits)", 12, 4)


def test_neighbours_check_themselves() -> None:
    ids = np.zeros((2, 3), np.int64)
    rising = np.array([[0, 1, 1], [2, 2, 3]], np.int32)
    assert len(Neighbours(ids, rising)) == 2
    with pytest.raises(ValueError, match="never decrease"):
        Neighbours(ids, np.ascontiguousarray(rising[:, ::-1]))
    with pytest.raises(ValueError, match="a distance for each id"):
        Neighbours(ids, rising[:, :2])
    with pytest.raises(ValueError, match="ids int64"):
        Neighbours(ids.astype(np.int32), rising)
