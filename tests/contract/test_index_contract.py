"""What every index promises. A new index is one more line: in EXACT, or in EVERY alone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.errors import CodesError, ConfigError
from bitreel.search import ExactIndex, Index, LSHIndex, MultiIndex, Neighbours
from bitreel.search.bit_sampling import BitSampling
from bitreel.search.code_table import CodeTable
from bitreel.search.finder import Finder
from bitreel.search.multi_index_hashing import MultiIndexHashing
from bitreel.search.scan import Scan

Ids = NDArray[np.int64]
MakeIndex = Callable[[BinaryCodes, Ids | None], Index]
Pairs = list[list[tuple[int, int]]]


class MultiIndexWithTables(MultiIndex):
    """Multi-index hashing that uses its tables for few codes too."""

    def _finder(self, table: CodeTable) -> Finder:
        return MultiIndexHashing.of(table, tables=-(-table.bits // 10))


class LSHIndexWithTables(LSHIndex):
    """Bit sampling that uses tables however fast a scan is. For very few there is nothing to choose
    them by."""

    def _finder(self, table: CodeTable) -> Finder:
        return BitSampling.of(table, forced=True) if len(table) > 1000 else Scan(table)


EXACT: list[MakeIndex] = [ExactIndex, MultiIndex, MultiIndexWithTables]
EVERY: list[MakeIndex] = [*EXACT, LSHIndex, LSHIndexWithTables]

exact_index = pytest.mark.parametrize("make", EXACT)
every_index = pytest.mark.parametrize("make", EVERY)

# The first example may wait for the compiler.
no_deadline = settings(deadline=None)


def twin(codes: BinaryCodes, ids: Ids | None, queries: BinaryCodes) -> Pairs:
    """For each query the (distance, id) pairs of all codes, sorted."""
    names = range(len(codes)) if ids is None else ids.tolist()
    return [
        sorted(
            (sum(a != b for a, b in zip(query, code, strict=True)), name)
            for code, name in zip(codes.unpack().tolist(), names, strict=True)
        )
        for query in queries.unpack().tolist()
    ]


def pairs_of(found: Neighbours) -> Pairs:
    return [
        list(zip(distances, names, strict=True))
        for distances, names in zip(found.distances_bits.tolist(), found.ids.tolist(), strict=True)
    ]


def check(
    make: MakeIndex, codes: BinaryCodes, ids: Ids | None, queries: BinaryCodes, k: int
) -> None:
    index = make(codes, ids)
    found = index.search(queries, k)
    assert len(index) == len(codes)
    assert found.ids.shape == (len(queries), min(k, len(codes)))
    assert found.ids.dtype == np.int64
    assert found.distances_bits.dtype == np.int32
    assert pairs_of(found) == [row[:k] for row in twin(codes, ids, queries)]


def check_within(index: Index, expected: Pairs, queries: BinaryCodes, radius_bits: int) -> None:
    found = index.within(queries, radius_bits)
    assert len(found) == len(queries)
    rows = [found.of(query) for query in range(len(found))]
    pairs = [list(zip(distances.tolist(), ids.tolist(), strict=True)) for ids, distances in rows]
    assert pairs == [[pair for pair in row if pair[0] <= radius_bits] for row in expected]


def codes_of(seed: int, n: int, bits: int) -> BinaryCodes:
    return BinaryCodes.from_bits(np.random.default_rng(seed).random((n, bits)) < 0.5)


def numbered(start: int, n: int) -> Ids:
    return np.arange(start, start + n, dtype=np.int64)


def assert_same(one: Neighbours, other: Neighbours) -> None:
    np.testing.assert_array_equal(one.ids, other.ids)
    np.testing.assert_array_equal(one.distances_bits, other.distances_bits)


@st.composite
def made_codes(draw: st.DrawFn, *, bits: int, most: int) -> BinaryCodes:
    """Codes with few distinct values, so that duplicates and ties abound."""
    n, values = draw(st.integers(0, most)), draw(st.integers(1, 6))
    pool = codes_of(draw(st.integers(0, 2**16)), values, bits)
    return pool[draw(st.lists(st.integers(0, values - 1), min_size=n, max_size=n))]


@exact_index
@given(data=st.data(), bits=st.integers(1, 140), k=st.integers(0, 45))
@no_deadline
def test_the_answer_is_that_of_sorting_everything(
    make: MakeIndex, data: st.DataObject, bits: int, k: int
) -> None:
    codes = data.draw(made_codes(bits=bits, most=40))
    queries = data.draw(made_codes(bits=bits, most=4))
    some_id = st.integers(-(2**63), 2**63 - 2)
    n = len(codes)
    ids = data.draw(
        st.none()
        | st.lists(some_id, unique=True, min_size=n, max_size=n).map(
            lambda names: np.array(names, np.int64)
        )
    )
    check(make, codes, ids, queries, k)
    radius_bits = data.draw(st.integers(0, bits))
    check_within(make(codes, ids), twin(codes, ids, queries), queries, radius_bits)


@exact_index
@given(data=st.data(), bits=st.sampled_from([5, 16, 70]))
@no_deadline
def test_any_additions_and_deletions_leave_what_a_new_index_holds(
    make: MakeIndex, data: st.DataObject, bits: int
) -> None:
    codes = data.draw(made_codes(bits=bits, most=20))
    index, held = make(codes, None), dict(enumerate(codes.packed))
    for step in range(data.draw(st.integers(1, 6))):
        if data.draw(st.booleans()):
            more = data.draw(made_codes(bits=bits, most=20))
            ids = numbered(1000 * (step + 1), len(more))[::-1].copy()
            index.add(more, ids)
            held.update(zip(ids.tolist(), more.packed, strict=True))
        elif held:
            gone = data.draw(st.lists(st.sampled_from(sorted(held)), unique=True))
            index.remove(np.array(gone, np.int64))
            held = {name: code for name, code in held.items() if name not in gone}
    names = np.array(sorted(held), np.int64)
    left = (
        BinaryCodes(np.array([held[name] for name in names.tolist()], np.uint8), bits)
        if (held)
        else codes[:0]
    )
    queries = codes_of(1, 3, bits)
    allowed = np.array(data.draw(st.lists(st.booleans(), min_size=len(names), max_size=len(names))))
    allowed = allowed.astype(bool)
    assert index.ids.tolist() == names.tolist()
    assert pairs_of(index.search(queries, 15)) == [row[:15] for row in twin(left, names, queries)]
    assert pairs_of(index.search(queries, 15, allowed=allowed)) == [
        row[:15] for row in twin(left[allowed], names[allowed], queries)
    ]
    check_within(index, twin(left, names, queries), queries, bits // 2)


@exact_index
@pytest.mark.parametrize("bits", [1, 7, 8, 13, 63, 64, 65, 100, 128, 190, 256, 300, 512, 600])
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
    assert len(make(codes_of(1, 12, 16), None).within(codes_of(2, 0, 16), 5)) == 0


@exact_index
def test_duplicates_are_all_answered_in_the_order_of_their_ids(make: MakeIndex) -> None:
    codes = codes_of(1, 1, 24)[[0] * 9]
    ids = np.array([5, -3, 8, 100, 0, 7, 2, 1, 6], np.int64)
    check(make, codes, ids, codes[:1], 9)
    assert make(codes, ids).search(codes[:1], 4).ids.tolist() == [[-3, 0, 1, 2]]


@exact_index
def test_masses_of_one_code_take_no_place_from_the_others(make: MakeIndex) -> None:
    codes = codes_of(1, 3_000, 64)
    hot = np.where(np.random.default_rng(2).random(3_000) < 0.6, 0, np.arange(3_000))
    check(make, codes[hot], None, codes[np.array([0, 7, 8])], 5)
    far = codes_of(9, 2, 64)
    check(make, codes[hot], None, far, 2_500)


@exact_index
def test_a_tie_across_the_last_place_keeps_the_least_ids(make: MakeIndex) -> None:
    bits = np.zeros((6, 8), bool)
    bits[[0, 1, 3, 4, 5], [0, 1, 2, 3, 4]] = True  # five codes at distance 1, row 2 at 0
    ids = np.array([50, 40, 99, 10, 30, 20], np.int64)
    found = make(BinaryCodes.from_bits(bits), ids).search(
        BinaryCodes.from_bits(np.zeros((1, 8), bool)), 3
    )
    assert found.ids.tolist() == [[99, 10, 20]]
    assert found.distances_bits.tolist() == [[0, 1, 1]]


@exact_index
def test_ties_between_codes_of_several_ids_stand_by_id(make: MakeIndex) -> None:
    near = BinaryCodes.from_bits(np.eye(2, 8, dtype=bool))  # both at distance 1 of zero
    codes, zero = near[[0, 1, 0, 1, 0, 1]], BinaryCodes.from_bits(np.zeros((1, 8), bool))
    index = make(codes, None)
    assert index.search(zero, 4).ids.tolist() == [[0, 1, 2, 3]]
    index.remove(np.array([0], np.int64))
    assert index.search(zero, 4).ids.tolist() == [[1, 2, 3, 4]]


@every_index
def test_the_order_in_which_codes_are_given_changes_nothing(make: MakeIndex) -> None:
    codes, queries = codes_of(1, 300, 10), codes_of(2, 5, 10)
    ids = numbered(0, 300) * 7 - 500
    shuffled = np.random.default_rng(3).permutation(300)
    there = make(codes, ids).search(queries, 25)
    assert_same(make(codes[shuffled], ids[shuffled]).search(queries, 25), there)


@every_index
def test_many_threads_get_the_answers_of_one(make: MakeIndex) -> None:
    index = make(codes_of(1, 5_000, 64), None)
    queries = [codes_of(seed, 4, 64) for seed in range(40)]
    alone = [index.search(query, 10) for query in queries]
    with ThreadPoolExecutor(10) as threads:
        together = list(threads.map(lambda query: index.search(query, 10), queries * 3))
    for one, other in zip(alone * 3, together, strict=True):
        assert_same(one, other)


@every_index
def test_a_search_while_codes_come_and_go_sees_one_state(make: MakeIndex) -> None:
    codes = codes_of(1, 400, 32)
    index = make(codes, None)

    def change() -> None:
        for _ in range(20):
            index.add(codes, numbered(1_000, 400))
            index.remove(numbered(1_000, 400))

    with ThreadPoolExecutor(4) as threads:
        changing = threads.submit(change)
        searches = threads.map(lambda _: index.search(codes[:3], 401), range(60))
        assert {found.ids.shape[1] for found in searches} <= {400, 401}
        changing.result()
    assert len(index) == 400


@exact_index
def test_a_filter_leaves_the_answers_that_it_allows(make: MakeIndex) -> None:
    codes, queries, ids = codes_of(1, 500, 9), codes_of(2, 4, 9), numbered(-50, 500)[::-1].copy()
    index = make(codes, ids)
    for share in (0.9, 0.5, 0.01):
        allowed = np.random.default_rng(3).random(500) < share
        expected = twin(codes[::-1][allowed], np.sort(ids)[allowed], queries)
        found = index.search(queries, 12, allowed=allowed)
        assert pairs_of(found) == [row[:12] for row in expected]


@exact_index
def test_a_filter_of_ids_allows_these_in_any_order_and_passes_over_others(make: MakeIndex) -> None:
    codes, queries, ids = codes_of(1, 500, 9), codes_of(2, 4, 9), numbered(-50, 500)[::-1].copy()
    index = make(codes[:300], ids[:300])
    index.add(codes[300:], ids[300:])
    index.remove(ids[::9])
    kept = np.arange(500) % 9 > 0
    for share in (0.9, 0.5, 0.1, 0.01):
        some = np.random.default_rng(3).random(500) < share
        allowed = np.random.default_rng(4).permutation(np.append(ids[some], [10**9, -(10**9)]))
        expected = twin(codes[some & kept], ids[some & kept], queries)
        found = index.search(queries, 12, allowed=allowed)
        assert pairs_of(found) == [row[:12] for row in expected]
        assert index.within(queries, 9, allowed=allowed).offsets[-1] == 4 * len(expected[0])


@every_index
def test_filters_hold_while_codes_come_and_go(make: MakeIndex) -> None:
    """Ids are looked up in what the search sees; a snapshot keeps its ids and its answers."""
    codes = codes_of(1, 400, 32)
    index = make(codes, numbered(0, 400) * 2)

    def change() -> None:
        for _ in range(15):  # before and between those that are there, as many in as out
            index.add(codes, numbered(-800, 400) * 2 + 1)
            index.remove(index.ids[index.ids % 2 == 0])
            index.add(codes, numbered(0, 400) * 2)
            index.remove(index.ids[index.ids % 2 == 1])

    def search(_: int) -> set[int]:
        by_id = index.search(codes[:2], 40, allowed=numbered(0, 400) * 2).ids
        still = index.snapshot()
        even = still.ids % 2 == 0
        return {*by_id.ravel() % 2, *still.search(codes[:2], 40, allowed=even).ids.ravel() % 2}

    with ThreadPoolExecutor(4) as threads:
        changing = threads.submit(change)
        seen = set().union(*threads.map(search, range(60)))
        changing.result()
    assert seen <= {0}


@every_index
def test_a_snapshot_stays_as_it_was(make: MakeIndex) -> None:
    codes = codes_of(1, 60, 16)
    index = make(codes, None)
    still, before = index.snapshot(), index.search(codes, 5)
    index.remove(numbered(0, 40))
    index.add(codes, numbered(100, 60))
    assert_same(still.search(codes, 5), before)
    still.remove(numbered(0, 1))
    assert (len(still), len(index)) == (59, 80)


@every_index
def test_an_answer_does_not_depend_on_what_is_asked_with_it(make: MakeIndex) -> None:
    centres = codes_of(1, 40, 64).unpack()[np.random.default_rng(2).integers(0, 40, 3_000)]
    flips = np.random.default_rng(3).random(centres.shape) < 0.08
    index = make(BinaryCodes.from_bits(centres ^ flips), None)
    near, far = centres[:40] ^ flips[100:140], codes_of(4, 40, 64).unpack()
    queries = BinaryCodes.from_bits(np.concatenate([far, near]))
    together = index.search(queries, 10)
    for row in range(len(queries)):
        alone = index.search(queries[row : row + 1], 10)
        assert alone.ids[0].tolist() == together.ids[row].tolist()


@every_index
def test_a_filter_that_allows_nothing_gives_empty_rows(make: MakeIndex) -> None:
    index = make(codes_of(1, 50, 16), None)
    for nothing in (np.zeros(50, bool), np.empty(0, np.int64), numbered(50, 3)):
        assert index.search(codes_of(2, 3, 16), 5, allowed=nothing).ids.shape == (3, 0)
        assert index.within(codes_of(2, 3, 16), 16, allowed=nothing).offsets.tolist() == [0] * 4


@every_index
def test_a_range_search_asks_the_filter_too(make: MakeIndex) -> None:
    index, allowed = make(codes_of(1, 50, 16), None), np.arange(50) % 7 == 3
    found = index.within(codes_of(2, 1, 16), 16, allowed=allowed)
    assert sorted(found.ids.tolist()) == np.flatnonzero(allowed).tolist()


@every_index
def test_what_is_removed_is_answered_no_more(make: MakeIndex) -> None:
    codes = codes_of(1, 60, 16)
    index = make(codes, None)
    index.remove(np.array([7, 3, 7], np.int64))
    assert (len(index), 3 in index.ids, 7 in index.ids) == (58, False, False)
    assert not {3, 7} & set(index.search(codes[[3, 7]], 58).ids.ravel().tolist())
    index.add(codes[[7]], np.array([7], np.int64))
    assert index.search(codes[[7]], 1).ids.tolist() == [[7]]
    index.remove(index.ids)
    assert (len(index), index.search(codes, 5).ids.shape) == (0, (60, 0))


@every_index
def test_many_small_additions_give_what_one_gives(make: MakeIndex) -> None:
    codes, queries = codes_of(1, 90, 12), codes_of(2, 5, 12)
    index = make(codes[:0], None)
    for row in range(90):
        index.add(codes[[row]], numbered(row, 1))
    assert_same(index.search(queries, 90), make(codes, None).search(queries, 90))


@every_index
def test_what_does_not_fit_is_refused_and_changes_nothing(make: MakeIndex) -> None:
    codes = codes_of(1, 12, 24)
    index = make(codes, None)
    with pytest.raises(CodesError, match="16 and of 24 bits"):
        index.search(codes_of(2, 3, 16), 5)
    with pytest.raises(CodesError, match="16 and of 24 bits"):
        index.within(codes_of(2, 3, 16), 5)
    with pytest.raises(CodesError, match="16 and of 24 bits"):
        index.add(codes_of(2, 1, 16), numbered(12, 1))
    with pytest.raises(ConfigError, match="k=-1"):
        index.search(codes, -1)
    with pytest.raises(ConfigError, match="radius_bits=-1"):
        index.within(codes, -1)
    with pytest.raises(CodesError, match=r"filter of booleans \[12\]"):
        index.search(codes, 5, allowed=np.ones(11, bool))
    with pytest.raises(CodesError, match=r"ids int64 \[M\], got int32"):
        index.search(codes, 5, allowed=np.ones(12, np.int32))  # type: ignore[arg-type]
    with pytest.raises(CodesError, match=r"relaxed bits \[12,24\]"):
        index.search(codes, 5, relaxed=np.ones((12, 23), np.float32))
    with pytest.raises(CodesError, match="already holds id 11"):
        index.add(codes[:2], numbered(11, 2))
    with pytest.raises(CodesError, match="does not hold id 12"):
        index.remove(numbered(11, 2))
    assert index.ids.tolist() == list(range(12))


@every_index
@pytest.mark.parametrize(
    "ids", [np.arange(3), np.arange(4, dtype=np.int32), np.zeros((4, 1), np.int64)]
)
def test_ids_that_do_not_fit_the_codes_are_refused(make: MakeIndex, ids: Ids) -> None:
    with pytest.raises(CodesError, match=r"Expected ids int64 \[4\]"):
        make(codes_of(1, 4, 8), ids)


@every_index
def test_two_codes_with_one_id_are_refused(make: MakeIndex) -> None:
    with pytest.raises(CodesError, match="one id"):
        make(codes_of(1, 3, 16), np.array([4, 7, 4], np.int64))


@every_index
def test_the_greatest_number_is_no_id(make: MakeIndex) -> None:
    with pytest.raises(CodesError, match="can not be an id"):
        make(codes_of(1, 2, 16), np.array([4, 2**63 - 1], np.int64))


@every_index
def test_an_index_keeps_its_answers_when_what_was_given_to_it_is_overwritten(
    make: MakeIndex,
) -> None:
    codes, queries, ids = codes_of(1, 50, 16), codes_of(2, 5, 16), numbered(0, 50)
    index = make(codes, ids)
    before = index.search(queries, 5).ids.tolist()
    codes.packed[:] = 0
    ids[:] = -1
    assert index.search(queries, 5).ids.tolist() == before
