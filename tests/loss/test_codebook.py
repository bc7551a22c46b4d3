"""The codes of the classes: far apart, balanced, and the same each time."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bitreel.errors import ConfigError
from bitreel.loss import class_codes


def least_distance_bits(codes: Tensor) -> int:
    return min(int((a != b).sum()) for a, b in combinations(codes, 2))


def different(rows: Tensor) -> int:
    return len({tuple(row) for row in rows.tolist()})


sizes = st.integers(1, 70).flatmap(
    lambda bits: st.tuples(st.integers(1, min(2**bits, 40)), st.just(bits))
)


@given(size=sizes)
@settings(max_examples=60, deadline=None)
def test_every_class_has_its_own_code_of_ones_and_minus_ones(size: tuple[int, int]) -> None:
    codes = class_codes(*size)
    assert codes.shape == size
    assert codes.dtype == torch.float32
    assert bool((codes.abs() == 1).all())
    assert different(codes) == size[0]


@pytest.mark.parametrize("bits", [1, 2, 8, 64])
def test_a_power_of_two_gives_codes_half_the_bits_apart(bits: int) -> None:
    codes = class_codes(2 * bits, bits)
    for number, code in enumerate(codes):
        for other in codes[:number]:
            assert int((code != other).sum()) in (bits // 2, bits) or bits == 1
    # Every code with its complement: each bit is on for half of the classes.
    assert not codes.sum(dim=0).any()


@pytest.mark.parametrize(
    ("classes", "bits", "apart"),
    [(3, 20, 10), (101, 16, 4), (101, 32, 8), (51, 48, 12), (101, 100, 25), (129, 64, 16)],
)
def test_other_sizes_give_codes_a_quarter_of_the_bits_apart(
    classes: int, bits: int, apart: int
) -> None:
    assert least_distance_bits(class_codes(classes, bits)) >= apart


def test_farthest_first_beats_a_random_draw_of_the_same_size() -> None:
    generator = np.random.default_rng(0)
    drawn = [torch.from_numpy(generator.random((101, 16)) < 0.5) for _ in range(20)]
    assert least_distance_bits(class_codes(101, 16)) > max(map(least_distance_bits, drawn))


@pytest.mark.parametrize(("classes", "bits"), [(101, 64), (16, 64), (3, 20), (101, 48), (101, 16)])
def test_half_of_a_code_is_on(classes: int, bits: int) -> None:
    sums = class_codes(classes, bits).sum(dim=1)
    # The row of ones is the one row of a Hadamard matrix that is not; it and its complement are
    # called upon only where there are no others.
    assert int((sums != 0).sum()) <= (1 if classes >= bits else 0)


def test_an_odd_width_is_half_on_but_for_one_bit() -> None:
    assert class_codes(20, 33).sum(dim=1).abs().max() == 1


@pytest.mark.parametrize("classes", [16, 101])
def test_no_bit_is_constant_or_a_copy_of_another(classes: int) -> None:
    columns = class_codes(classes, 64).T
    assert columns.mean(dim=1).abs().max() < 1
    assert different(columns) == 64


def test_few_bits_use_every_code_there_is() -> None:
    assert class_codes(2, 1).flatten().sort().values.tolist() == [-1, 1]
    assert different(class_codes(128, 7)) == 128


@pytest.mark.parametrize("size", [(101, 64), (101, 48), (9, 5)])
def test_they_are_the_same_each_time_and_touch_no_global_generator(size: tuple[int, int]) -> None:
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    first = class_codes(*size)
    left = torch.rand(1), np.random.random()  # noqa: NPY002
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    assert left == (torch.rand(1), np.random.random())  # noqa: NPY002
    assert torch.equal(first, class_codes(*size))


def test_what_has_no_codes_is_refused_with_a_way_out() -> None:
    with pytest.raises(
        ConfigError, match=r"4 bits have 16 codes, too few for 17 classes: .* 5 bits"
    ):
        class_codes(17, 4)
    with pytest.raises(ConfigError, match="at least, got 0 and 8"):
        class_codes(0, 8)
    with pytest.raises(ConfigError, match="at least, got 3 and 0"):
        class_codes(3, 0)
