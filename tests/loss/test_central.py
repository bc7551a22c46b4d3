"""CSQ's term beside a loop, and what minimising it does to codes."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bitreel.errors import ConfigError
from bitreel.loss import CentralLoss

NO_CLASSIFIER = torch.empty(0)


def slow(loss: CentralLoss, bit_logits: Tensor, labels: Tensor) -> float:
    values = []
    for row, label in zip(bit_logits.tolist(), labels.tolist(), strict=True):
        for logit, code in zip(row, loss.codes[label].tolist(), strict=True):
            h = 1 / (1 + math.exp(-logit))
            centre = (code + 1) / 2
            target = (1 - loss.smoothing) * centre + loss.smoothing * 0.5
            values.append(-target * math.log(h) - (1 - target) * math.log(1 - h))
    return math.fsum(values) / len(values)


@given(
    seed=st.integers(0, 10_000),
    bits=st.integers(3, 40),
    classes=st.integers(1, 8),
    smoothing=st.sampled_from([0.0, 0.1, 0.9]),
)
@settings(max_examples=60, deadline=None)
def test_equals_the_loop(seed: int, bits: int, classes: int, smoothing: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    bit_logits = 3 * torch.randn(5, bits, generator=generator, dtype=torch.float64)
    labels = torch.randint(classes, (5,), generator=generator)
    loss = CentralLoss(bits, classes, smoothing)
    got = loss(bit_logits, NO_CLASSIFIER, labels)
    assert float(got.total) == pytest.approx(slow(loss, bit_logits, labels), abs=1e-9)
    assert got.terms == {"central": got.total}


def test_it_is_zero_at_the_code_and_grows_with_the_bits_that_are_wrong() -> None:
    loss = CentralLoss(16, 4)
    labels = torch.arange(4)
    values = []
    for wrong in (0, 1, 8, 16):
        logits = 100 * loss.codes
        logits[:, :wrong] *= -1
        values.append(float(loss(logits, NO_CLASSIFIER, labels).total))
    assert values == pytest.approx([100 * wrong / 16 for wrong in (0, 1, 8, 16)])


def test_logits_far_out_have_a_finite_gradient_towards_the_code() -> None:
    loss = CentralLoss(8, 2)
    bit_logits = (-1e4 * loss.codes).requires_grad_()
    loss(bit_logits, NO_CLASSIFIER, torch.arange(2)).total.backward()  # type: ignore[no-untyped-call]
    assert bit_logits.grad is not None
    torch.testing.assert_close(bit_logits.grad, -loss.codes / loss.codes.numel())


def test_smoothing_stops_short_of_saturation() -> None:
    loss = CentralLoss(8, 2, smoothing=0.2)
    bit_logits = (math.log(0.9 / 0.1) * loss.codes).requires_grad_()
    loss(bit_logits, NO_CLASSIFIER, torch.arange(2)).total.backward()  # type: ignore[no-untyped-call]
    assert bit_logits.grad is not None
    assert bit_logits.grad.abs().max() < 1e-6


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(ConfigError, match="Label smoothing"):
        CentralLoss(8, 2, smoothing=-1.0)
    with pytest.raises(ConfigError, match=r"2 bits have 4 codes, too few for 5 classes: .* 3 bits"):
        CentralLoss(2, 5)
