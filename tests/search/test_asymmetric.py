"""Asymmetric re-ranking beside loops that anyone can read, and on published codes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes, hamming
from bitreel.errors import CodesError, ConfigError
from bitreel.search import AsymmetricNeighbours, AsymmetricReranker, ExactIndex, Neighbours

Floats = NDArray[np.float32]
CSQ = Path(__file__).parents[2] / ".." / "shared" / "data" / "csq"
SETS = ("ucf101", "hmdb51")


def relaxed_of(seed: int, n: int, bits: int) -> Floats:
    return np.random.default_rng(seed).random((n, bits), dtype=np.float32)


def codes_of(seed: int, n: int, bits: int) -> BinaryCodes:
    return BinaryCodes.from_relaxed(relaxed_of(seed, n, bits))


def shortlist_of(
    codes: BinaryCodes, relaxed: Floats, k: int, ids: NDArray[np.int64] | None = None
) -> Neighbours:
    return ExactIndex(codes, ids).search(BinaryCodes.from_relaxed(relaxed), k)


def slow_distance(relaxed: Floats, code: NDArray[np.bool_]) -> Fraction:
    """`sum (h − b)²` in whole numbers of 2^-24: exact, so that ties are ties."""
    parts = 0
    for h, b in zip(relaxed.tolist(), code.tolist(), strict=True):
        parts += round((h - b) ** 2 * 2**24)
    return Fraction(parts, 2**24)


@given(
    seed=st.integers(0, 10_000),
    bits=st.sampled_from([1, 7, 8, 20, 64, 130]),
    size=st.integers(1, 40),
    shortlist=st.integers(0, 45),
    k=st.integers(0, 50),
)
@settings(max_examples=60, deadline=None)
def test_equals_a_loop_over_the_shortlist(
    seed: int, bits: int, size: int, shortlist: int, k: int
) -> None:
    codes, relaxed = codes_of(seed, size, bits), relaxed_of(seed + 1, 3, bits)
    ids = np.random.default_rng(seed).permutation(size).astype(np.int64) * 3 - 20
    near = shortlist_of(codes, relaxed, shortlist, ids)
    got = AsymmetricReranker(codes, ids).rerank(relaxed, near, k)
    unpacked, row_of = codes.unpack(), {int(id_): row for row, id_ in enumerate(ids)}
    for query in range(3):
        expected = sorted(
            (
                float(np.float32(float(slow_distance(relaxed[query], unpacked[row_of[id_]])))),
                far,
                id_,
            )
            for far, id_ in zip(
                near.distances_bits[query].tolist(), near.ids[query].tolist(), strict=True
            )
        )[:k]
        assert got.ids[query].tolist() == [id_ for *_, id_ in expected]
        assert got.distances_bits[query].tolist() == [far for _, far, _ in expected]
        assert got.asymmetric_bits[query].tolist() == [distance for distance, *_ in expected]


@given(seed=st.integers(0, 1000), bits=st.integers(1, 70))
@settings(max_examples=30, deadline=None)
def test_saturated_bits_give_the_hamming_distance_and_order(seed: int, bits: int) -> None:
    codes = codes_of(seed, 30, bits)
    saturated = (relaxed_of(seed + 1, 4, bits) >= 0.5).astype(np.float32)
    near = shortlist_of(codes, saturated, 12)
    got = AsymmetricReranker(codes).rerank(saturated, near, 12)
    np.testing.assert_array_equal(got.asymmetric_bits, near.distances_bits)
    np.testing.assert_array_equal(got.ids, near.ids)


def test_the_whole_database_as_shortlist_ranks_by_the_cosine() -> None:
    codes, relaxed = codes_of(1, 200, 48), relaxed_of(2, 5, 48)
    got = AsymmetricReranker(codes).rerank(relaxed, shortlist_of(codes, relaxed, 200), 10)
    signs = np.where(codes.unpack(), 1.0, -1.0)
    cosine = (2.0 * relaxed - 1) @ signs.T
    np.testing.assert_array_equal(got.ids, np.argsort(-cosine, axis=1, kind="stable")[:, :10])


def test_a_sure_bit_weighs_more_than_a_doubtful_one() -> None:
    relaxed = np.array([[0.99, 0.51]], np.float32)
    codes = BinaryCodes.from_bits(np.array([[False, True], [True, False]]))
    near = shortlist_of(codes, relaxed, 2)
    assert near.distances_bits.tolist() == [[1, 1]]
    got = AsymmetricReranker(codes).rerank(relaxed, near, 2)
    assert got.ids.tolist() == [[1, 0]]
    assert got.asymmetric_bits[0] == pytest.approx([0.01**2 + 0.51**2, 0.99**2 + 0.49**2])


def test_a_nearer_code_may_be_overtaken_only_within_the_shortlist() -> None:
    relaxed = np.array([[0.9, 0.49, 0.49]], np.float32)  # its code is 100
    codes = BinaryCodes.from_bits(np.array([[False, False, False], [True, True, True]]))
    reranker = AsymmetricReranker(codes)
    assert reranker.rerank(relaxed, shortlist_of(codes, relaxed, 2), 1).ids.tolist() == [[1]]
    assert reranker.rerank(relaxed, shortlist_of(codes, relaxed, 1), 1).ids.tolist() == [[0]]


def test_equal_codes_tie_wherever_they_stand_and_go_by_id() -> None:
    relaxed = relaxed_of(5, 1, 512)
    codes = codes_of(6, 1, 512)[[0] * 300]
    ids = np.random.default_rng(0).permutation(300).astype(np.int64)
    got = AsymmetricReranker(codes, ids).rerank(relaxed, shortlist_of(codes, relaxed, 300, ids), 9)
    assert got.ids.tolist() == [list(range(9))]
    assert len(np.unique(got.asymmetric_bits)) == 1


def test_equal_asymmetric_distances_go_by_hamming_distance_and_then_by_id() -> None:
    relaxed = np.full((1, 2), 0.5, np.float32)  # its code is 11, and it is .25 a bit from any
    codes = BinaryCodes.from_bits(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=bool))
    ids = np.array([0, 8, 9, 7], np.int64)
    got = AsymmetricReranker(codes, ids).rerank(relaxed, shortlist_of(codes, relaxed, 4, ids), 4)
    assert got.ids.tolist() == [[9, 7, 8, 0]]
    assert got.distances_bits.tolist() == [[0, 1, 1, 2]]
    assert got.asymmetric_bits.tolist() == [[0.5] * 4]


def test_it_keeps_its_answers_when_the_codes_given_to_it_are_overwritten() -> None:
    codes, relaxed = codes_of(1, 20, 16), relaxed_of(2, 2, 16)
    near, reranker = shortlist_of(codes, relaxed, 9), AsymmetricReranker(codes)
    before = reranker.rerank(relaxed, near, 5)
    codes.packed[:] = 0
    np.testing.assert_array_equal(reranker.rerank(relaxed, near, 5).ids, before.ids)


def test_no_queries_and_no_codes_give_empty_rows() -> None:
    codes, none = codes_of(1, 5, 8), relaxed_of(0, 0, 8)
    assert AsymmetricReranker(codes).rerank(none, shortlist_of(codes, none, 3), 2).ids.size == 0
    relaxed = relaxed_of(2, 2, 8)
    empty = AsymmetricReranker(codes[:0])
    assert empty.rerank(relaxed, shortlist_of(codes[:0], relaxed, 3), 2).ids.shape == (2, 0)


def test_what_does_not_fit_is_refused_by_name() -> None:
    codes, relaxed = codes_of(1, 5, 8), relaxed_of(2, 2, 8)
    reranker, near = AsymmetricReranker(codes), shortlist_of(codes, relaxed, 3)
    with pytest.raises(CodesError, match="12 and of 8 bits can not be compared"):
        reranker.rerank(relaxed_of(2, 2, 12), near, 2)
    with pytest.raises(CodesError, match=r"Relaxed bits lie in \[0,1\]"):
        reranker.rerank(relaxed * 2 - 1, near, 2)
    with pytest.raises(CodesError, match="a shortlist for each query, got 2 for 1"):
        reranker.rerank(relaxed[:1], near, 2)
    with pytest.raises(ConfigError, match="k=-1"):
        reranker.rerank(relaxed, near, -1)
    for stranger in (-7, 99):
        with pytest.raises(CodesError, match=f"holds id {stranger}, which is none of the 5 codes"):
            reranker.rerank(relaxed, replace(near, ids=np.full_like(near.ids, stranger)), 2)
    with pytest.raises(CodesError, match=r"Expected ids int64 \[5\]"):
        AsymmetricReranker(codes, np.arange(4, dtype=np.int64))
    with pytest.raises(CodesError, match="Two codes have one id"):
        AsymmetricReranker(codes, np.zeros(5, np.int64))


def test_the_answer_checks_itself_and_says_its_size() -> None:
    ids, far = np.zeros((2, 3), np.int64), np.zeros((2, 3), np.int32)
    rising = np.array([[0, 0.5, 0.5], [2, 2, 3]], np.float32)
    answer = AsymmetricNeighbours(ids, far, rising)
    assert (len(answer), repr(answer)) == (2, "AsymmetricNeighbours(2 queries x 3)")
    assert repr(AsymmetricReranker(codes_of(1, 4, 12))) == "AsymmetricReranker(4 x 12 bits)"
    with pytest.raises(ValueError, match="never decrease"):
        AsymmetricNeighbours(ids, far, np.ascontiguousarray(rising[:, ::-1]))
    with pytest.raises(ValueError, match="both distances for each id"):
        AsymmetricNeighbours(ids, far[:, :2], rising)
    with pytest.raises(ValueError, match="asymmetric distances float32"):
        AsymmetricNeighbours(ids, far, rising.astype(np.float64))


# mAP@10÷k in stored order of ties, by the length of the shortlist. The figures of the whole
# database were known beforehand, from the dot product of the published outputs with the codes.
GOLDEN = {
    "ucf101": {10: 0.8632, 20: 0.8685, 50: 0.8692, 100: 0.8696, 500: 0.8700},
    "hmdb51": {10: 0.5195, 20: 0.5316, 50: 0.5345, 100: 0.5348, 500: 0.5352},
}
WHOLE = {"ucf101": {9537: 0.8700}, "hmdb51": {3570: 0.5352}}

needs_csq = pytest.mark.skipif(
    not all((CSQ / f"{name}_64bit.npz").is_file() for name in SETS),
    reason=f"the published codes of CSQ are not in {CSQ}",
)


def reranked_figures(name: str, shortlists: Iterable[int]) -> dict[int, float]:
    with np.load(CSQ / f"{name}_64bit.npz") as file:
        relaxed = (file["query_relaxed"].astype(np.float32) + 1) / 2  # they end in a tanh
        codes = BinaryCodes(file["database_codes"], 64)
        query_labels, database_labels = file["query_labels"], file["database_labels"]
    far = hamming(BinaryCodes.from_relaxed(relaxed), codes)
    reranker, got = AsymmetricReranker(codes), {}
    for length in shortlists:
        answer = reranker.rerank(relaxed, shortlist_of(codes, relaxed, length), 10)
        expected = np.take_along_axis(far, answer.ids, axis=1)
        np.testing.assert_array_equal(answer.distances_bits, expected)
        hits = database_labels[answer.ids] == query_labels[:, None]
        precision = hits.cumsum(axis=1) / np.arange(1, 11)
        got[length] = round(float((precision * hits).sum(axis=1).mean() / 10), 4)
    return got


@needs_csq
@pytest.mark.parametrize("name", SETS)
def test_published_outputs_give_the_known_figures(name: str) -> None:
    assert reranked_figures(name, GOLDEN[name]) == GOLDEN[name]


@needs_csq
@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_published_outputs_give_the_known_figures_over_the_whole_database(name: str) -> None:
    assert reranked_figures(name, WHOLE[name]) == WHOLE[name]
