"""What is bit sampling's alone; what every index must do is in tests/contract."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes, hamming_words
from bitreel.errors import ConfigError
from bitreel.search import LSHIndex, MultiIndex
from bitreel.search.best import fixed
from bitreel.search.bit_sampling import BitSampling
from bitreel.search.buckets import Buckets
from bitreel.search.code_table import NOT_ALLOWED, CodeTable
from bitreel.search.lsh_samples import Differences, Samples
from bitreel.search.lsh_tuning import (
    UNREACHED,
    choose_sampling,
    ranked_masks,
)
from bitreel.search.multi_index_tuning import masks
from bitreel.search.scan import Scan


def codes_of(seed: int, n: int, bits: int) -> BinaryCodes:
    return BinaryCodes.from_bits(np.random.default_rng(seed).random((n, bits)) < 0.5)


def clustered(seed: int, n: int, bits: int, share: float, classes: int = 300) -> BinaryCodes:
    random = np.random.default_rng(seed)
    bits_of_all = codes_of(1000, classes, bits).unpack()[random.integers(0, classes, n)]
    return BinaryCodes.from_bits(bits_of_all ^ (random.random((n, bits)) < share))


def table_of(codes: BinaryCodes) -> CodeTable:
    return CodeTable.of(codes, np.arange(len(codes), dtype=np.int64))


def sampling(table: CodeTable, groups: list[list[int]], look_ups: int) -> BitSampling:
    """Tables by these bits, each of one width, with so many look-ups whatever is found."""
    flips, _ = masks(len(groups[0]))
    every = np.stack([flips[: max(1, look_ups)]] * len(groups))
    needed = np.full((2, table.bits + 1), look_ups, np.int64)
    buckets = Buckets.of(table, [np.array(group, np.int64) for group in groups])
    return BitSampling(table, buckets, fixed(every), fixed(needed), 0.95, 0.95, 1)


def recall(found: NDArray[np.int32], true: NDArray[np.int32]) -> float:
    """The share of answers no farther than the true k-th."""
    return float((found <= true[:, -1:]).mean())


@pytest.fixture(scope="module", params=[(64, 0.1), (64, 0.15), (200, 0.12)], ids=str)
def built(request: pytest.FixtureRequest) -> tuple[BitSampling, BinaryCodes]:
    """A finder of 30,000 codes that goes by its tables, and queries that it was not tuned with."""
    bits, share = request.param
    table = table_of(clustered(1, 30_000, bits, share))
    finder = BitSampling.of(table, forced=True)
    return finder, clustered(2, 500, bits, share)


def test_the_recall_stated_is_the_recall_measured(built: tuple[BitSampling, BinaryCodes]) -> None:
    finder, queries = built
    keys = finder.table.view.keys
    assert finder.stated_recall == 0.95
    assert finder.measured_recall >= 0.94
    for k in (1, 10, 30):
        true = Scan(finder.table).nearest(queries.words(), k, keys, None, 2)[1]
        found = finder.nearest(queries.words(), k, keys, None, 2)[1]
        assert recall(found, true) >= 0.93


@pytest.mark.parametrize("told", ["saturated", "nothing", "wrong"])
def test_relaxed_bits_that_do_not_help_leave_the_recall_as_it_is(
    built: tuple[BitSampling, BinaryCodes], told: str
) -> None:
    """Whatever a query says of its bits comes on top of the look-ups that were checked."""
    finder, queries = built
    bits, random = queries.unpack(), np.random.default_rng(5)
    sureness = random.uniform(0.001, 0.5, bits.shape)
    if told == "wrong":  # most sure of the bits in which it differs from the nearest
        nearest = finder.nearest(queries.words(), 1, finder.table.view.keys, None, 2)[0][:, 0]
        sureness = np.where(bits == bits_in_order(finder.table)[nearest], sureness / 2, 0.5)
    relaxed = np.where(bits, 0.5 + sureness, 0.499 - sureness * 0.998).astype(np.float32)
    if told == "saturated":
        relaxed = bits.astype(np.float32)
    for k in (1, 10):
        asked = (queries.words(), k, finder.table.view.keys)
        true = Scan(finder.table).nearest(*asked, None, 2)[1]
        plain = finder.nearest(*asked, None, 2)
        found = finder.nearest(*asked, relaxed, 2)
        assert recall(found[1], true) >= min(0.93, recall(plain[1], true) - 0.01)
        if told == "saturated":
            np.testing.assert_array_equal(found[0], plain[0])


def test_relaxed_bits_that_help_raise_the_recall(built: tuple[BitSampling, BinaryCodes]) -> None:
    """A query in doubt of the bits in which it differs from its nearest."""
    finder, queries = built
    asked = (queries.words(), 10, finder.table.view.keys)
    positions, true = Scan(finder.table).nearest(*asked, None, 2)
    bits = queries.unpack()
    doubted = bits != bits_in_order(finder.table)[positions[:, -1]]
    relaxed = np.where(bits, np.where(doubted, 0.55, 0.9), np.where(doubted, 0.45, 0.1))
    found = finder.nearest(*asked, relaxed.astype(np.float32), 2)[1]
    assert recall(found, true) > recall(finder.nearest(*asked, None, 2)[1], true)


def test_an_answer_does_not_depend_on_what_is_asked_with_it() -> None:
    """Nor on the threads. Queries of another kind than the codes are left to the scan, and those
    after them none the more: what the tables miss of their nearest is missed all the same."""
    table = table_of(clustered(1, 5000, 64, 0.1))
    needed = np.where(np.arange(65) < 20, 1, UNREACHED)
    finder = sampling(table, [[0, 5, 9, 14], [20, 33, 41, 60]], 1)
    finder = replace(finder, needed=fixed(np.stack([needed, needed])))
    near, far = clustered(2, 30, 64, 0.1).packed, codes_of(7, 30, 64).packed
    words = BinaryCodes(np.concatenate([far, near]), 64).words()
    together = finder.nearest(words, 10, table.view.keys, None, 3)[0]
    alone = [finder.nearest(words[:, [n]], 10, table.view.keys, None, 1)[0][0] for n in range(60)]
    np.testing.assert_array_equal(np.stack(alone), together)
    true = Scan(table).nearest(words, 10, table.view.keys, None, 1)[0]
    np.testing.assert_array_equal(together[:30], true[:30])
    assert np.any(together[30:] != true[30:])


def test_a_filter_keeps_the_recall(built: tuple[BitSampling, BinaryCodes]) -> None:
    """What is left lies farther away, and takes more look-ups."""
    finder, queries = built
    keys = finder.table.view.keys.copy()
    keys[np.random.default_rng(3).random(len(keys)) < 0.7] = NOT_ALLOWED
    true = Scan(finder.table).nearest(queries.words(), 10, keys, None, 2)[1]
    positions, found = finder.nearest(queries.words(), 10, keys, None, 2)
    assert np.all(keys[positions] != NOT_ALLOWED)
    assert recall(found, true) >= 0.93


def test_distances_are_true_and_rows_in_order(built: tuple[BitSampling, BinaryCodes]) -> None:
    finder, queries = built
    positions, found = finder.nearest(queries.words(), 10, finder.table.view.keys, None, 2)
    far = hamming_words(queries.words(), finder.table.words)
    np.testing.assert_array_equal(np.take_along_axis(far, positions, axis=1), found)
    order = found.astype(np.int64) << 40 | positions
    assert np.all(np.diff(order, axis=1) > 0)


def test_what_was_saved_answers_as_what_was_built(built: tuple[BitSampling, BinaryCodes]) -> None:
    finder, queries = built
    arrays = {name: np.array(array) for name, array in finder.arrays().items()}
    again = BitSampling.from_arrays(finder.table, arrays)
    assert (again.stated_recall, again.measured_recall) == (0.95, finder.measured_recall)
    assert again.parameters == finder.parameters
    keys = finder.table.view.keys
    for one, other in zip(
        finder.nearest(queries.words(), 9, keys, None, 2),
        again.nearest(queries.words(), 9, keys, None, 1),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("bits", [12, 70])
def test_tables_that_cover_everything_answer_exactly(bits: int) -> None:
    """Of 2 bits a key, all 4 keys looked up: whatever is in the table is met."""
    table = table_of(codes_of(1, 300, bits))
    finder = sampling(table, [[0, 5], [3, bits - 1]], 4)
    queries, keys = codes_of(2, 20, bits), table.view_of(np.arange(300) % 3 > 0).keys
    expected = Scan(table).nearest(queries.words(), 12, keys, None, 1)
    found = finder.nearest(queries.words(), 12, keys, None, 1)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


@pytest.mark.parametrize("bits", [30, 80])
def test_what_one_look_up_a_table_shows_is_what_agrees_in_its_bits(bits: int) -> None:
    codes = codes_of(1, 2000, bits)
    table, groups = table_of(codes), [[0, 9, 17, 28], [1, 2, 3, bits - 1]]
    queries = codes_of(2, 30, bits)
    found = sampling(table, groups, 1).nearest(queries.words(), 5, table.view.keys, None, 1)
    far = hamming_words(queries.words(), table.words)
    stored, asked = bits_in_order(table), queries.unpack()
    for row in range(30):
        agrees = [np.all(stored[:, group] == asked[row, group], axis=1) for group in groups]
        met = np.flatnonzero(np.any(agrees, axis=0))
        assert found[0][row].tolist() == met[np.argsort(far[row, met], kind="stable")][:5].tolist()


def bits_in_order(table: CodeTable) -> NDArray[np.bool_]:
    packed = np.ascontiguousarray(table.words.T).view(np.uint8)
    return np.unpackbits(packed, axis=1, count=table.bits).astype(bool)


@pytest.mark.parametrize("doubted", [1, 5])
def test_the_bits_that_a_query_doubts_are_flipped_first(doubted: int) -> None:
    """Half of the codes differ from the query in bit 1 of the key, the others in bit 5."""
    stored = codes_of(1, 400, 30).unpack()
    stored[:, :8] = False
    stored[::2, 1] = stored[1::2, 5] = True
    table = table_of(BinaryCodes.from_bits(stored))
    relaxed = np.full((1, 30), 0.1, np.float32)
    relaxed[0, doubted] = 0.45
    query = BinaryCodes.from_relaxed(relaxed)
    found = sampling(table, [list(range(8))], 2).nearest(
        query.words(), 20, table.view.keys, relaxed, 1
    )[0]
    assert bits_in_order(table)[found[0], doubted].all()


def test_a_query_that_meets_fewer_than_k_is_answered_by_the_scan() -> None:
    table = table_of(codes_of(1, 500, 64))
    finder = sampling(table, [list(range(20))], 1)
    queries = codes_of(2, 10, 64)
    expected = Scan(table).nearest(queries.words(), 10, table.view.keys, None, 1)
    found = finder.nearest(queries.words(), 10, table.view.keys, None, 1)
    np.testing.assert_array_equal(found[0], expected[0])


def test_a_query_whose_nearest_are_too_far_is_answered_by_the_scan() -> None:
    table = table_of(clustered(1, 5000, 64, 0.1, classes=5))
    finder = sampling(table, [list(range(4))], 1)
    finder = replace(finder, needed=fixed(np.full((2, 65), UNREACHED, np.int64)))
    queries = clustered(2, 10, 64, 0.1, classes=5)
    expected = Scan(table).nearest(queries.words(), 10, table.view.keys, None, 1)
    found = finder.nearest(queries.words(), 10, table.view.keys, None, 1)
    np.testing.assert_array_equal(found[0], expected[0])


def test_farther_codes_never_need_fewer_look_ups_and_less_recall_needs_no_more() -> None:
    table = table_of(clustered(1, 20_000, 64, 0.1))
    chosen = [choose_sampling(table, recall, forced=True) for recall in (0.5, 0.98)]
    for sampled in chosen:
        assert len(sampled.groups) > 0
        assert np.all(np.diff(sampled.needed, axis=1) >= 0)
        assert len({len(group) for group in sampled.groups}) == 1
        assert all(len(set(group.tolist())) == len(group) for group in sampled.groups)
        assert sampled.flips.shape[0] == len(sampled.groups)
        assert np.all(sampled.flips[:, 0] == 0)


def test_bits_that_neighbours_agree_in_are_flipped_last() -> None:
    random = np.random.default_rng(1)
    bits = codes_of(3, 200, 40).unpack()[random.integers(0, 200, 8000)]
    shares = np.where(np.arange(40) < 20, 0.02, 0.2)
    table = table_of(BinaryCodes.from_bits(bits ^ (random.random(bits.shape) < shares)))
    differences = Differences.of(Samples.of(table, seed=1))
    assert differences.surprise[:20].min() > differences.surprise[20:].max()


def test_made_up_differences_have_the_distance_they_stand_for() -> None:
    differences = Differences.of(Samples.of(table_of(clustered(1, 6000, 40, 0.1)), seed=1))
    counted = np.bitwise_count(differences.words).sum(axis=0)
    np.testing.assert_array_equal(counted, differences.distances)
    assert np.bincount(differences.distances).min() > 0
    assert np.bincount(differences.distances).size == 41


def test_ranks_of_doubt_rise_by_their_sum() -> None:
    flips = ranked_masks(6, 8).tolist()
    assert flips == [0b0, 0b1, 0b10, 0b100, 0b11, 0b1000, 0b101, 0b10000]


def test_copies_change_neither_parameters_nor_answers() -> None:
    codes = clustered(1, 20_000, 64, 0.12)
    copied = codes[np.concatenate([np.arange(20_000), np.arange(200).repeat(900)])]
    once, often = (BitSampling.of(table_of(each), forced=True) for each in (codes, copied))
    queries = clustered(2, 50, 64, 0.12).words()
    expected = Scan(once.table).nearest(queries, 10, once.table.view.keys, None, 2)[1]
    assert len(often.table) == len(once.table)
    assert often.parameters == once.parameters
    found = often.nearest(queries, 10, often.table.view.keys, None, 2)[1]
    assert recall(found, expected) >= 0.9


def test_uniform_and_few_codes_are_scanned() -> None:
    for codes in (codes_of(1, 5000, 256), codes_of(1, 100, 64)):
        finder = BitSampling.of(table_of(codes))
        assert finder.parameters.tables == 0
        assert finder.measured_recall == 1.0
        queries = codes_of(2, 5, codes.bits).words()
        expected = Scan(finder.table).nearest(queries, 7, finder.table.view.keys, None, 1)
        found = finder.nearest(queries, 7, finder.table.view.keys, None, 1)
        np.testing.assert_array_equal(found[0], expected[0])


def test_an_index_states_what_it_was_asked_for_and_what_was_measured() -> None:
    codes = clustered(1, 60_000, 64, 0.1)
    index = LSHIndex(codes, recall=0.9)
    assert index.stated_recall == 0.9
    assert index.measured_recall >= 0.89
    assert index.options == {"recall": 0.9}
    queries = clustered(2, 300, 64, 0.1)
    true = MultiIndex(codes).search(queries, 10).distances_bits
    assert recall(index.search(queries, 10).distances_bits, true) >= 0.88
    assert (
        index.within(queries[:5], 6).ids.tolist()
        == MultiIndex(codes).within(queries[:5], 6).ids.tolist()
    )


def test_an_empty_index_has_parameters_too() -> None:
    index = LSHIndex(codes_of(1, 0, 16))
    assert index.parameters.tables == 0
    assert index.measured_recall == 1.0


@pytest.mark.parametrize("recall", [0.0, 1.0, 1.5])
def test_a_recall_that_bit_sampling_can_not_have_is_refused(recall: float) -> None:
    with pytest.raises(ConfigError, match=f"recall={recall}"):
        LSHIndex(codes_of(1, 10, 8), recall=recall)


@pytest.mark.parametrize("flips", [0.15, 0.5])
def test_queries_farther_off_than_the_codes_are_keep_the_recall(flips: float) -> None:
    """New videos are: what is learned holds for a distance, not for the codes' own neighbours."""
    table = table_of(clustered(1, 20_000, 64, 0.05))
    finder = BitSampling.of(table, forced=True)
    queries = clustered(2, 300, 64, flips).words()
    true = Scan(table).nearest(queries, 10, table.view.keys, None, 1)[1]
    assert recall(finder.nearest(queries, 10, table.view.keys, None, 1)[1], true) >= 0.92
