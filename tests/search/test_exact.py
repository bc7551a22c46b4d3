"""What is ExactIndex's alone; what every index must do is in tests/contract."""

from __future__ import annotations

import numpy as np
import pytest

from bitreel.codes import BinaryCodes, hamming
from bitreel.errors import ConfigError
from bitreel.search import ExactIndex, Neighbours, NeighboursWithin, code_table


def codes_of(seed: int, n: int, bits: int) -> BinaryCodes:
    return BinaryCodes.from_bits(np.random.default_rng(seed).random((n, bits)) < 0.5)


@pytest.mark.parametrize("queries", [1, 3, 50])
def test_the_number_of_threads_changes_nothing(queries: int) -> None:
    codes, asked = codes_of(1, 300_000, 64), codes_of(2, queries, 64)
    one, four = ExactIndex(codes, threads=1), ExactIndex(codes, threads=4)
    np.testing.assert_array_equal(one.search(asked, 20).ids, four.search(asked, 20).ids)
    there, here = one.within(asked, 16), four.within(asked, 16)
    np.testing.assert_array_equal(there.offsets, here.offsets)
    np.testing.assert_array_equal(there.ids, here.ids)
    nearest = hamming(asked[:1], codes)[0]
    expected = np.lexsort((np.arange(len(codes)), nearest))[:20]
    assert one.search(asked, 20).ids[0].tolist() == expected.tolist()


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1, 0.3])
def test_a_filter_sorts_no_codes(monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    """They are distinct, however few are left; to find that out anew took longer than a search."""
    index = ExactIndex(codes_of(1, 5000, 64)[np.arange(8000) % 5000])
    allowed = np.random.default_rng(2).random(8000) < share
    monkeypatch.delattr(code_table, "_distinct")
    found = index.search(codes_of(2, 3, 64), 20, allowed=allowed)
    assert allowed[found.ids].all()


def test_a_thread_at_least() -> None:
    with pytest.raises(ConfigError, match="threads=0"):
        ExactIndex(codes_of(1, 4, 12), threads=0)


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


def test_neighbours_within_check_themselves() -> None:
    offsets, ids = np.array([0, 2, 3], np.int64), np.array([4, 9, 1], np.int64)
    distances = np.array([0, 5, 2], np.int32)
    within = NeighboursWithin(offsets, ids, distances)
    assert repr(within) == "NeighboursWithin(2 queries, 3 codes)"
    assert [part.tolist() for part in within.of(0)] == [[4, 9], [0, 5]]
    with pytest.raises(ValueError, match="distances int32"):
        NeighboursWithin(offsets, ids, distances.astype(np.int64))
    with pytest.raises(ValueError, match="a distance for each id"):
        NeighboursWithin(offsets, ids, distances[:2])
    with pytest.raises(ValueError, match="offsets from 0 to 3"):
        NeighboursWithin(offsets[:2], ids, distances)
    with pytest.raises(ValueError, match="offsets that never decrease"):
        NeighboursWithin(np.array([0, 4, 3], np.int64), ids, distances)
