"""Saturation and balance of bits beside loops, and the loss that adds them to another."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bitreel.errors import ConfigError
from bitreel.loss import LossTerms, RegularisedLoss, bit_balance, quantisation

rows = st.integers(1, 5).flatmap(
    lambda bits: st.lists(
        st.lists(st.floats(0, 1), min_size=bits, max_size=bits), min_size=1, max_size=6
    )
)


@given(rows=rows)
@settings(max_examples=100, deadline=None)
def test_both_equal_the_loop_and_lie_between_0_and_1(rows: list[list[float]]) -> None:
    relaxed = torch.tensor(rows, dtype=torch.float64)
    clips, bits = relaxed.shape
    unsure = sum(4 * min(h, 1 - h) ** 2 for row in rows for h in row) / (clips * bits)
    leaning = [sum(2 * row[i] - 1 for row in rows) / clips for i in range(bits)]
    assert float(quantisation(relaxed)) == pytest.approx(unsure, abs=1e-12)
    assert float(bit_balance(relaxed)) == pytest.approx(sum(x * x for x in leaning) / bits)
    assert 0 <= float(quantisation(relaxed)) <= 1
    assert 0 <= float(bit_balance(relaxed)) <= 1


def test_quantisation_is_0_at_0_and_1_and_1_between() -> None:
    assert float(quantisation(torch.tensor([[0.0, 1.0], [1.0, 1.0]]))) == 0
    assert float(quantisation(torch.full((2, 3), 0.5))) == 1


def test_quantisation_pushes_each_bit_to_its_own_side() -> None:
    relaxed = torch.tensor([[0.2, 0.4, 0.6, 0.9]], requires_grad=True)
    quantisation(relaxed).backward()  # type: ignore[no-untyped-call]
    assert relaxed.grad is not None
    assert relaxed.grad.sign().tolist() == [[1, 1, -1, -1]]  # descent goes against these


def test_balance_is_0_where_bits_are_half_on_and_1_where_constant() -> None:
    assert float(bit_balance(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))) == 0
    assert float(bit_balance(torch.tensor([[0.0, 1.0], [0.0, 1.0]]))) == 1


def test_balance_pulls_down_what_is_on_too_often() -> None:
    relaxed = torch.tensor([[0.9, 0.2], [0.7, 0.1]], requires_grad=True)
    bit_balance(relaxed).backward()  # type: ignore[no-untyped-call]
    assert relaxed.grad is not None
    assert relaxed.grad.sign().tolist() == [[1, -1], [1, -1]]


@dataclass(frozen=True)
class Five:
    """A loss of 5, whatever comes."""

    def __call__(self, bit_logits: Tensor, class_logits: Tensor, labels: Tensor) -> LossTerms:
        return LossTerms(torch.tensor(5.0), {"five": torch.tensor(5.0)})


def test_it_adds_the_weighted_terms_and_names_them() -> None:
    logits, nothing = torch.tensor([[2.0, -1.0], [0.5, -3.0]]), torch.empty(0)
    got = RegularisedLoss(Five(), quantisation=0.3, balance=2.0)(logits, nothing, nothing)
    unsure, leaning = (float(term(logits.sigmoid())) for term in (quantisation, bit_balance))
    values = {name: float(value) for name, value in got.terms.items()}
    assert values == {"five": 5.0, "quantisation": unsure, "balance": leaning}
    assert float(got.total) == pytest.approx(5 + 0.3 * unsure + 2.0 * leaning)


def test_a_term_of_weight_0_is_not_named() -> None:
    logits, nothing = torch.zeros(2, 3), torch.empty(0)
    assert list(RegularisedLoss(Five())(logits, nothing, nothing).terms) == ["five"]
    balance = RegularisedLoss(Five(), balance=1.0)(logits, nothing, nothing)
    assert list(balance.terms) == ["five", "balance"]


def test_weights_out_of_range_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="quantisation must be 0 or more, got -1"):
        RegularisedLoss(Five(), quantisation=-1.0)
    with pytest.raises(ConfigError, match="balance must be 0 or more, got nan"):
        RegularisedLoss(Five(), balance=float("nan"))
