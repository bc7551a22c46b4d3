"""What every index promises. A new exact index is one more line in INDEXES."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.errors import CodesError, ConfigError
from bitreel.search import ExactIndex, Neighbours


class Index(Protocol):
    def search(self, queries: BinaryCodes, k: int) -> Neighbours: ...
    def __len__(self) -> int: ...


MakeIndex = Callable[[BinaryCodes, NDArray[np.int64] | None], Index]

INDEXES: list[MakeIndex] = [ExactIndex]

every_index = pytest.mark.parametrize("make", INDEXES)


def twin(
    codes: BinaryCodes, ids: NDArray[np.int64] | None, queries: BinaryCodes, k: int
) -> list[list[tuple[int, int]]]:
    """For each query its (distance, id) pairs, all of them sorted, the first k kept."""
    names = range(len(codes)) if ids is None else ids.tolist()
    return [
        sorted(
            (sum(a != b for a, b in zip(query, code, strict=True)), name)
            for code, name in zip(codes.unpack().tolist(), names, strict=True)
        )[:k]
        for query in queries.unpack().tolist()
    ]


def check(
    make: MakeIndex, codes: BinaryCodes, ids: NDArray[np.int64] | None, queries: BinaryCodes, k: int
) -> None:
    index = make(codes, ids)
    found = index.search(queries, k)
    assert len(index) == len(codes)
    assert found.ids.shape == (len(queries), min(k, len(codes)))
    assert found.ids.dtype == np.int64
    assert found.distances_bits.dtype == np.int32
    pairs = [
        list(zip(distances, names, strict=True))
        for distances, names in zip(found.distances_bits.tolist(), found.ids.tolist(), strict=True)
    ]
    assert pairs == twin(codes, ids, queries, k)


def codes_of(seed: int, n: int, bits: int) -> BinaryCodes:
    return BinaryCodes.from_bits(np.random.default_rng(seed).random((n, bits)) < 0.5)


@st.composite
def made_codes(draw: st.DrawFn, *, bits: int, most: int) -> BinaryCodes:
    """Codes with few distinct values, so that duplicates and ties abound."""
    n, values = draw(st.integers(0, most)), draw(st.integers(1, 6))
    pool = codes_of(draw(st.integers(0, 2**16)), values, bits)
    return pool[draw(st.lists(st.integers(0, values - 1), min_size=n, max_size=n))]


@every_index
@given(data=st.data(), bits=st.integers(1, 140), k=st.integers(0, 45))
def test_the_answer_is_that_of_sorting_everything(
    make: MakeIndex, data: st.DataObject, bits: int, k: int
) -> None:
    codes = data.draw(made_codes(bits=bits, most=40))
    queries = data.draw(made_codes(bits=bits, most=4))
    some_id = st.integers(-(2**63), 2**63 - 1)
    n = len(codes)
    ids = data.draw(
        st.none()
        | st.lists(some_id, unique=True, min_size=n, max_size=n).map(
            lambda names: np.array(names, np.int64)
        )
    )
    check(make, codes, ids, queries, k)


@every_index
@pytest.mark.parametrize("bits", [1, 7, 8, 13, 63, 64, 65, 100, 512])
def test_any_width(make: MakeIndex, bits: int) -> None:
    check(make, codes_of(1, 200, bits), None, codes_of(2, 5, bits), 20)


@every_index
@pytest.mark.parametrize("k", [0, 1, 10])
@pytest.mark.parametrize("n", [0, 1])
def test_an_index_of_no_code_and_of_one(make: MakeIndex, n: int, k: int) -> None:
    check(make, codes_of(1, n, 16), None, codes_of(2, 3, 16), k)


@every_index
def test_more_neighbours_than_codes_gives_all_codes(make: MakeIndex) -> None:
    check(make, codes_of(1, 12, 16), None, codes_of(2, 3, 16), 10**6)


@every_index
def test_no_neighbours_asked_gives_empty_rows(make: MakeIndex) -> None:
    check(make, codes_of(1, 12, 16), None, codes_of(2, 3, 16), 0)


@every_index
def test_no_queries_gives_no_rows(make: MakeIndex) -> None:
    check(make, codes_of(1, 12, 16), None, codes_of(2, 0, 16), 5)


@every_index
def test_duplicates_are_all_answered_in_the_order_of_their_ids(make: MakeIndex) -> None:
    codes = codes_of(1, 1, 24)[[0] * 9]
    ids = np.array([5, -3, 8, 100, 0, 7, 2, 1, 6], np.int64)
    check(make, codes, ids, codes[:1], 9)
    assert make(codes, ids).search(codes[:1], 4).ids.tolist() == [[-3, 0, 1, 2]]


@every_index
def test_a_tie_across_the_last_place_keeps_the_least_ids(make: MakeIndex) -> None:
    bits = np.zeros((6, 8), bool)
    bits[[0, 1, 3, 4, 5], [0, 1, 2, 3, 4]] = True  # five codes at distance 1, row 2 at 0
    ids = np.array([50, 40, 99, 10, 30, 20], np.int64)
    found = make(BinaryCodes.from_bits(bits), ids).search(
        BinaryCodes.from_bits(np.zeros((1, 8), bool)), 3
    )
    assert found.ids.tolist() == [[99, 10, 20]]
    assert found.distances_bits.tolist() == [[0, 1, 1]]


@every_index
def test_the_order_in_which_codes_are_given_changes_nothing(make: MakeIndex) -> None:
    codes, queries = codes_of(1, 300, 10), codes_of(2, 5, 10)
    ids = np.arange(300, dtype=np.int64) * 7 - 500
    shuffled = np.random.default_rng(3).permutation(300)
    there = make(codes, ids).search(queries, 25)
    back = make(codes[shuffled], ids[shuffled]).search(queries, 25)
    np.testing.assert_array_equal(there.ids, back.ids)
    np.testing.assert_array_equal(there.distances_bits, back.distances_bits)


@every_index
def test_many_threads_get_the_answers_of_one(make: MakeIndex) -> None:
    index = make(codes_of(1, 5_000, 64), None)
    queries = [codes_of(seed, 4, 64) for seed in range(40)]
    alone = [index.search(query, 10) for query in queries]
    with ThreadPoolExecutor(16) as threads:
        together = list(threads.map(lambda query: index.search(query, 10), queries * 3))
    for one, other in zip(alone * 3, together, strict=True):
        np.testing.assert_array_equal(one.ids, other.ids)
        np.testing.assert_array_equal(one.distances_bits, other.distances_bits)


@every_index
def test_queries_of_another_width_are_refused(make: MakeIndex) -> None:
    with pytest.raises(CodesError, match="16 and of 24 bits"):
        make(codes_of(1, 12, 24), None).search(codes_of(2, 3, 16), 5)


@every_index
def test_a_negative_number_of_neighbours_is_refused(make: MakeIndex) -> None:
    with pytest.raises(ConfigError, match="k=-1"):
        make(codes_of(1, 12, 16), None).search(codes_of(2, 3, 16), -1)


@every_index
def test_two_codes_with_one_id_are_refused(make: MakeIndex) -> None:
    with pytest.raises(CodesError, match="one id"):
        make(codes_of(1, 3, 16), np.array([4, 7, 4], np.int64))
