"""What is multi-index hashing's alone; what every index must do is in tests/contract."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes, hamming_words
from bitreel.errors import ConfigError
from bitreel.search.code_table import NOT_ALLOWED, CodeTable
from bitreel.search.multi_index import MultiIndex
from bitreel.search.multi_index_hashing import MultiIndexHashing
from bitreel.search.multi_index_tuning import LEVELS, Probe, choose_groups, look_ups, masks
from bitreel.search.scan import Scan
from bitreel.search.substrings import (
    bits_of,
    decorrelated_groups,
    places_of,
    squared_correlations,
)

Keys = NDArray[np.int64]


def codes_of(seed: int, n: int, bits: int) -> BinaryCodes:
    return BinaryCodes.from_bits(np.random.default_rng(seed).random((n, bits)) < 0.5)


def flipped(codes: BinaryCodes, share: float, seed: int) -> BinaryCodes:
    bits = codes.unpack()
    return BinaryCodes.from_bits(bits ^ (np.random.default_rng(seed).random(bits.shape) < share))


def clustered(seed: int, n: int, bits: int, share: float = 0.1, classes: int = 20) -> BinaryCodes:
    centres = codes_of(1000, classes, bits)
    return flipped(centres[np.random.default_rng(seed).integers(0, classes, n)], share, seed + 1)


def table_of(codes: BinaryCodes) -> CodeTable:
    return CodeTable.of(codes, np.arange(len(codes), dtype=np.int64))


def check(finder: MultiIndexHashing, queries: BinaryCodes, k: int, keys: Keys) -> None:
    """Against a sort of all distances by (distance, key)."""
    positions, distances = finder.nearest(queries.words(), k, keys, None, 2)
    allowed = np.flatnonzero(keys != NOT_ALLOWED)
    for row, far in enumerate(hamming_words(queries.words(), finder.table.words)):
        order = allowed[np.lexsort((keys[allowed], far[allowed]))][:k]
        assert positions[row].tolist() == order.tolist()
        assert distances[row].tolist() == far[order].tolist()


@given(
    seed=st.integers(0, 2**16),
    bits=st.sampled_from([5, 16, 63, 64, 65, 100, 130]),
    tables=st.integers(1, 6),
    k=st.integers(1, 40),
    share=st.sampled_from([0.0, 0.02, 0.2, 0.5]),
    filtered=st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_forced_tables_answer_as_a_sort_does(
    seed: int, bits: int, tables: int, k: int, share: float, filtered: bool
) -> None:
    random = np.random.default_rng(seed)
    codes = clustered(seed, 300, bits, share)[random.integers(0, 300, 500)]
    table = table_of(codes)
    # Wide substrings would take tables of millions of offsets for 300 codes.
    finder = MultiIndexHashing.of(table, tables=max(tables, -(-bits // 14)))
    # A filter leaves keys that are not in the order of the positions, and codes without one.
    keys = table.view_of(random.random(500) < 0.6).keys if filtered else table.view.keys
    check(finder, flipped(codes[:5], 0.1, 7), min(k, len(table)), keys)


@pytest.mark.parametrize("bits", [64, 200])
def test_near_codes_are_found_by_the_tables_alone(bits: int) -> None:
    codes = clustered(1, 3000, bits, 0.03)
    finder = MultiIndexHashing.of(table_of(codes), tables=-(-bits // 12))
    queries = np.ascontiguousarray(flipped(codes[:20], 0.02, 7).words().T)
    _, certain, spent = finder._look_up(queries, 10, finder.table.view.keys[:0])
    assert certain.all()
    assert spent > 0


def test_codes_of_one_word_stand_in_their_buckets_and_longer_ones_do_not() -> None:
    for bits, length in [(64, 4), (65, 2)]:
        table = table_of(codes_of(1, 500, bits))
        buckets = MultiIndexHashing.of(table, tables=4 if bits == 64 else 5).buckets
        assert len(buckets.codes) == length * len(table)


def test_uniform_codes_are_left_to_the_scan() -> None:
    table = table_of(codes_of(1, 20_000, 64))
    finder = MultiIndexHashing.of(table)
    assert finder.buckets.tables == 0
    assert not finder.pays.any()
    check(finder, codes_of(2, 10, 64), 10, table.view.keys)


def test_a_query_that_gets_too_dear_falls_back_to_the_scan() -> None:
    table = table_of(codes_of(1, 20_000, 64))
    forced = MultiIndexHashing.of(table, tables=5)
    guarded = replace(forced, costs=replace(forced.costs, scan=20_000.0))
    queries = codes_of(2, 200, 64)
    rows = np.ascontiguousarray(queries.words().T)
    _, certain, spent = guarded._look_up(rows, 10, table.view.keys[:0])
    assert not certain.any()
    # The slice has 5 % of its scans to lose and half a scan more, and a query up to one of them.
    assert spent <= (0.05 * 200 + 0.5 + 1) * 20_000
    check(guarded, queries, 10, table.view.keys)


def test_where_some_queries_fall_back_each_still_gets_its_own_answer() -> None:
    codes = clustered(1, 20_000, 64, 0.05)
    table = table_of(codes)
    forced = MultiIndexHashing.of(table, tables=4)
    guarded = replace(forced, costs=replace(forced.costs, scan=60_000.0))
    near, far = flipped(codes[:30], 0.03, 5).packed, codes_of(2, 30, 64).packed
    queries = BinaryCodes(np.stack([near, far], axis=1).reshape(60, -1), 64)
    rows = np.ascontiguousarray(queries.words().T)
    certain = guarded._look_up(rows, 10, table.view.keys[:0])[1]
    assert 0 < np.count_nonzero(certain) < 60
    check(guarded, queries, 10, table.view.keys)


@pytest.mark.parametrize("bits", [64, 100])
def test_clustered_codes_get_tables_of_their_own_choice(bits: int) -> None:
    """Whether they pay for a scan of so few is for the clock to say; the answers must hold."""
    codes = clustered(1, 30_000, bits, 0.05, classes=300)
    table = table_of(codes)
    finder = MultiIndexHashing.of(table)
    check(finder, flipped(codes[:40], 0.05, 5), 10, table.view.keys)
    finder = replace(finder, pays=np.ones(3, bool)) if finder.buckets.tables else finder
    check(finder, flipped(codes[:40], 0.05, 5), 10, table.view.keys)


@pytest.mark.parametrize(
    "made",
    [
        codes_of(1, 1, 32)[[0] * 50],
        codes_of(1, 200, 32)[np.arange(2000) % 200],
        BinaryCodes.from_bits(np.tril(np.ones((200, 200), bool))),
        BinaryCodes.from_bits(np.arange(2000)[:, None] >> np.arange(40) & 1 == 1),
    ],
    ids=["one code", "copies of 200", "staircase", "29 constant bits"],
)
def test_strange_codes(made: BinaryCodes) -> None:
    index = MultiIndex(made, tables=-(-made.bits // 14))
    expected = Scan(table_of(made))
    queries = BinaryCodes.from_bits(
        np.concatenate([made[:3].unpack(), ~made[-2:].unpack(), codes_of(4, 3, made.bits).unpack()])
    )
    k = min(17, len(expected.table))
    finder = MultiIndexHashing.of(expected.table, tables=-(-made.bits // 14))
    check(finder, queries, k, expected.table.view.keys)
    assert len(index.search(queries, 5).ids) == len(queries)


@given(
    seed=st.integers(0, 2**16),
    bits=st.sampled_from([9, 64, 90]),
    radius=st.integers(0, 40),
    guarded=st.booleans(),
)
@settings(deadline=None, max_examples=40)
def test_all_within_a_radius_are_found_once(
    seed: int, bits: int, radius: int, guarded: bool
) -> None:
    codes = clustered(seed, 400, bits)
    finder = MultiIndexHashing.of(table_of(codes), tables=-(-bits // 12))
    if guarded:
        finder = replace(finder, costs=replace(finder.costs, scan=3000.0))
    keys = finder.table.view.keys.copy()
    keys[::7] = NOT_ALLOWED
    queries = flipped(codes[:12], 0.1, 7)
    offsets, positions, distances = finder.within(queries.words(), radius, keys, 2)
    for row, far in enumerate(hamming_words(queries.words(), finder.table.words)):
        part = slice(offsets[row], offsets[row + 1])
        there = np.flatnonzero((far <= radius) & (keys != NOT_ALLOWED))
        assert sorted(positions[part].tolist()) == there.tolist()
        assert distances[part].tolist() == far[positions[part]].tolist()


def test_what_was_saved_answers_as_what_was_built() -> None:
    codes = clustered(1, 5000, 72)
    finder = MultiIndexHashing.of(table_of(codes), tables=6)
    arrays = {name: np.array(array) for name, array in finder.arrays().items()}
    again = MultiIndexHashing.from_arrays(finder.table, arrays)
    assert again.costs == finder.costs
    queries, keys = flipped(codes[:9], 0.1, 3).words(), finder.table.view.keys
    for one, other in zip(
        finder.nearest(queries, 9, keys, None, 1),
        again.nearest(queries, 9, keys, None, 1),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    assert again.arrays().keys() == finder.arrays().keys()


def test_bits_that_go_together_are_put_apart() -> None:
    half = codes_of(1, 2000, 8).unpack()
    words = BinaryCodes.from_bits(np.concatenate([half, half], axis=1)).words()
    groups = decorrelated_groups(squared_correlations(words, 16), 2)
    assert [sorted((group % 8).tolist()) for group in groups] == [list(range(8))] * 2
    assert sorted(np.concatenate(groups).tolist()) == list(range(16))


def test_groups_can_not_be_bettered_by_a_swap() -> None:
    mixed = codes_of(1, 4000, 10).unpack()[:, np.random.default_rng(2).integers(0, 10, 60)]
    mixed ^= np.random.default_rng(3).random(mixed.shape) < 0.1
    squared = squared_correlations(BinaryCodes.from_bits(mixed).words(), 60)
    group = np.empty(60, np.int64)
    for number, bits in enumerate(decorrelated_groups(squared, 7)):
        group[bits] = number

    def within(group: NDArray[np.int64]) -> float:
        return float(squared[group[:, None] == group].sum())

    least = within(group)
    for one, other in combinations(range(60), 2):
        swapped = group.copy()
        swapped[[one, other]] = group[[other, one]]
        assert within(swapped) >= least - 1e-3


def test_wide_codes_are_grouped_in_a_moment() -> None:
    """It was a third of a second for each number of tables tried, of some fifty."""
    squared = squared_correlations(clustered(1, 5000, 512).words(), 512)
    start = time.thread_time()
    for groups in (20, 30, 40, 60):
        decorrelated_groups(squared, groups)
    assert time.thread_time() - start < 0.7


def test_wide_codes_without_tables_are_not_kept_twice() -> None:
    finder = MultiIndexHashing.of(table_of(codes_of(1, 500, 256)))
    assert finder.buckets.tables == 0
    assert finder.buckets.bytes == 0


def test_bits_that_never_change_are_shared_out() -> None:
    bits = codes_of(1, 2000, 12).unpack()
    bits[:, :6] = True
    squared = squared_correlations(BinaryCodes.from_bits(bits).words(), 12)
    groups = decorrelated_groups(squared, 3)
    assert [int((group < 6).sum()) for group in groups] == [2, 2, 2]


def test_chosen_groups_hold_every_bit_once_whatever_their_number() -> None:
    probe = Probe.of(table_of(clustered(1, 6000, 100)))
    for tables in (7, 8, 13):
        groups = choose_groups(probe, tables)
        assert len(groups) == tables
        assert sorted(np.concatenate(groups).tolist()) == list(range(100))
        assert max(map(len, groups)) - min(map(len, groups)) <= 1


def test_places_are_where_the_words_hold_the_bits() -> None:
    codes = codes_of(1, 50, 150)
    words, places = codes.words(), places_of(np.arange(150))
    read = words[places >> 6].T >> (places & 63).astype(np.uint64) & np.uint64(1)
    np.testing.assert_array_equal(read.astype(bool), codes.unpack())
    np.testing.assert_array_equal(bits_of(words, 150), codes.unpack())


@pytest.mark.parametrize("width", [1, 3, 9])
def test_masks_are_all_of_a_level_and_narrow_ones_come_first(width: int) -> None:
    flips, firsts = masks(9)
    for level in range(LEVELS):
        count = look_ups(np.array([width]))[0, level]
        assert count == comb(width, level)
        expected = {sum(1 << bit for bit in bits) for bits in combinations(range(width), level)}
        assert set(flips[firsts[level] : firsts[level] + count].tolist()) == expected


@pytest.mark.parametrize("tables", [0, 2, 65])
def test_a_number_of_tables_that_can_not_be_is_refused(tables: int) -> None:
    with pytest.raises(ConfigError, match=f"64 bits takes 3 to 64 tables, got tables={tables}"):
        MultiIndex(codes_of(1, 10, 64), tables=tables)
