"""BinaryCodes: the bit order on disk, what is refused, distances against a twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes, hamming
from bitreel.errors import CodesError


def random_bits(seed: int, shape: tuple[int, int]) -> NDArray[np.bool_]:
    return np.random.default_rng(seed).random(shape) < 0.5


def test_bit_0_is_the_most_significant_bit_of_byte_0() -> None:
    bits = np.zeros((1, 16), bool)
    bits[0, [0, 9]] = True
    assert BinaryCodes.from_bits(bits).packed.tolist() == [[0b1000_0000, 0b0100_0000]]


def test_a_width_not_a_multiple_of_8_is_padded_with_zeros_at_the_end_of_the_last_byte() -> None:
    codes = BinaryCodes.from_bits(np.ones((2, 11), bool))
    assert codes.packed.tolist() == [[0xFF, 0b1110_0000]] * 2
    assert codes.bits == 11


def test_golden_bytes_of_a_13_bit_code() -> None:
    text = "1011001110001"
    bits = np.array([[digit == "1" for digit in text]])
    assert BinaryCodes.from_bits(bits).packed.tolist() == [[0b1011_0011, 0b1000_1000]]


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(0, 9), bits=st.integers(1, 140))
def test_packing_and_unpacking_gives_the_bits_back(seed: int, n: int, bits: int) -> None:
    given_bits = random_bits(seed, (n, bits))
    codes = BinaryCodes.from_bits(given_bits)
    assert codes.packed.shape == (n, -(-bits // 8))
    np.testing.assert_array_equal(codes.unpack(), given_bits)
    for row, packed in zip(given_bits, codes.packed, strict=True):
        text = "".join("1" if bit else "0" for bit in row).ljust(8 * len(packed), "0")
        assert int(text, 2).to_bytes(len(packed), "big") == packed.tobytes()


@given(
    seed=st.integers(0, 2**32 - 1),
    queries=st.integers(0, 7),
    database=st.integers(0, 9),
    bits=st.integers(1, 300),
)
def test_hamming_agrees_with_comparing_unpacked_bits(
    seed: int, queries: int, database: int, bits: int
) -> None:
    left, right = random_bits(seed, (queries, bits)), random_bits(seed + 1, (database, bits))
    distances = hamming(BinaryCodes.from_bits(left), BinaryCodes.from_bits(right))
    assert distances.dtype == np.int32
    np.testing.assert_array_equal(distances, (left[:, None] != right[None]).sum(axis=2))


@pytest.mark.parametrize(("bits", "words"), [(1, 1), (64, 1), (65, 2), (128, 2), (500, 8)])
def test_codes_make_no_more_words_than_they_need(bits: int, words: int) -> None:
    codes = BinaryCodes.from_bits(random_bits(1, (3, bits)))
    assert codes.words().shape == (words, 3)
    np.testing.assert_array_equal(
        np.bitwise_count(codes.words()).sum(axis=0), codes.unpack().sum(axis=1)
    )


@pytest.mark.parametrize(("queries", "database"), [(3, 70_000), (70_000, 3), (300, 300)])
def test_hamming_is_right_on_both_sides_of_a_tile_border(queries: int, database: int) -> None:
    left, right = random_bits(1, (queries, 72)), random_bits(2, (database, 72))
    distances = hamming(BinaryCodes.from_bits(left), BinaryCodes.from_bits(right))
    signs = np.where(left, 1.0, -1.0) @ np.where(right, 1.0, -1.0).T
    np.testing.assert_array_equal(distances, (72 - signs) / 2)


def test_the_largest_distance_is_the_number_of_bits() -> None:
    ones, zeros = np.ones((1, 513), bool), np.zeros((1, 513), bool)
    assert hamming(BinaryCodes.from_bits(ones), BinaryCodes.from_bits(zeros)).tolist() == [[513]]


def test_a_relaxed_bit_of_exactly_one_half_is_1() -> None:
    relaxed = np.array([[0.0, 0.4999, 0.5, 0.5001, 1.0]])
    assert BinaryCodes.from_relaxed(relaxed).unpack().tolist() == [[False, False, True, True, True]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_relaxed_bits_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(CodesError, match="finite"):
        BinaryCodes.from_relaxed(np.array([[0.1, bad]]))


@pytest.mark.parametrize("bad", [-0.3, 1.01])
def test_outputs_before_the_sigmoid_are_refused(bad: float) -> None:
    with pytest.raises(CodesError, match=r"lie in \[0,1\]"):
        BinaryCodes.from_relaxed(np.array([[0.1, bad]]))


def test_padding_bits_that_are_not_0_are_refused() -> None:
    BinaryCodes(np.array([[0xFF, 0b1110_0000]], np.uint8), 11)
    with pytest.raises(CodesError, match="5 padding bits"):
        BinaryCodes(np.array([[0xFF, 0b1110_0001]], np.uint8), 11)


@pytest.mark.parametrize(
    ("packed", "bits"),
    [
        (np.zeros((2, 1), np.uint8), 9),
        (np.zeros((2, 2), np.uint8), 8),
        (np.zeros((2, 1), np.int8), 8),
        (np.zeros(2, np.uint8), 8),
        (np.zeros((2, 0), np.uint8), 0),
    ],
)
def test_packed_codes_of_a_wrong_shape_or_type_are_refused(
    packed: NDArray[np.uint8], bits: int
) -> None:
    with pytest.raises(CodesError):
        BinaryCodes(packed, bits)


@pytest.mark.parametrize("bits", [np.ones((2, 8)), np.ones((2, 8), np.uint8), np.ones(8, bool)])
def test_only_a_table_of_booleans_is_packed(bits: NDArray[np.bool_]) -> None:
    with pytest.raises(CodesError, match="booleans"):
        BinaryCodes.from_bits(bits)


def test_codes_of_unequal_width_can_not_be_compared() -> None:
    with pytest.raises(CodesError, match="8 and of 16 bits"):
        hamming(
            BinaryCodes.from_bits(np.ones((1, 8), bool)),
            BinaryCodes.from_bits(np.ones((1, 16), bool)),
        )


def test_rows_are_taken_by_slice_list_and_mask() -> None:
    codes = BinaryCodes.from_bits(random_bits(3, (5, 12)))
    for rows in (slice(1, 3), [1, 2], np.array([False, True, True, False, False])):
        assert codes[rows].packed.tolist() == codes.packed[1:3].tolist()
        assert codes[rows].bits == 12
