"""OrthoHash beside a loop, and what minimising it does to codes."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bitreel.errors import ConfigError
from bitreel.loss import OrthoLoss

NO_CLASSIFIER = torch.empty(0)


def batch(seed: int, clips: int, bits: int, classes: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(clips, bits, generator=generator, dtype=torch.float64)
    return logits, torch.randint(classes, (clips,), generator=generator)


def slow(loss: OrthoLoss, bit_logits: Tensor, labels: Tensor) -> float:
    total = 0.0
    for u, y in zip(bit_logits.tolist(), labels.tolist(), strict=True):
        length = math.sqrt(sum(x * x for x in u))
        scores = []
        for c, code in enumerate(loss.codes.tolist()):
            dot = sum(x * b for x, b in zip(u, code, strict=True))
            cosine = dot / (length * math.sqrt(len(u)))
            scores.append(loss.scale * (cosine - (loss.margin if c == y else 0.0)))
        whole = math.log(sum(math.exp(score) for score in scores))
        mean = sum(whole - score for score in scores) / len(scores)
        total += (1 - loss.smoothing) * (whole - scores[y]) + loss.smoothing * mean
    return total / len(labels)


@given(
    seed=st.integers(0, 10_000),
    bits=st.integers(3, 40),
    classes=st.integers(1, 8),
    scale=st.floats(0.1, 30),
    margin=st.floats(0, 1),
    smoothing=st.sampled_from([0.0, 0.1, 0.9]),
)
@settings(max_examples=60, deadline=None)
def test_equals_the_loop(
    seed: int, bits: int, classes: int, scale: float, margin: float, smoothing: float
) -> None:
    loss = OrthoLoss(bits, classes, scale, margin, smoothing)
    bit_logits, labels = batch(seed, 5, bits, classes)
    got = loss(bit_logits, NO_CLASSIFIER, labels)
    assert float(got.total) == pytest.approx(slow(loss, bit_logits, labels), abs=1e-9)
    assert got.terms == {"ortho": got.total}


def test_its_value_at_the_codes_of_the_classes() -> None:
    """Hadamard codes are orthogonal: the other cosines are 0, whatever the length of u."""
    loss = OrthoLoss(16, 10)
    labels = torch.arange(10)
    expected = math.log(math.exp(8 * 0.8) + 9) - 8 * 0.8
    for length in (0.1, 1.0, 50.0):
        got = loss(length * loss.codes, NO_CLASSIFIER, labels)
        assert float(got.total) == pytest.approx(expected, rel=1e-5)
    wrong = loss(loss.codes.roll(1, dims=0), NO_CLASSIFIER, labels)
    assert float(wrong.total) > expected + 8


def test_the_gradient_points_to_the_own_code() -> None:
    loss = OrthoLoss(32, 6)
    bit_logits, labels = batch(3, 12, 32, 6)
    bit_logits.requires_grad_()
    loss(bit_logits, NO_CLASSIFIER, labels).total.backward()  # type: ignore[no-untyped-call]
    assert bit_logits.grad is not None
    towards = (-bit_logits.grad * loss.codes[labels]).sum(dim=1)
    assert (towards > 0).all()
    # A cosine leaves the length alone.
    along = (bit_logits.grad * bit_logits.detach()).sum(dim=1)
    assert along.abs().max() < 1e-9


def test_minimising_it_gives_the_codes() -> None:
    loss = OrthoLoss(16, 16)
    bit_logits, labels = batch(4, 32, 16, 16)
    bit_logits = (bit_logits / 6).requires_grad_()
    optimiser = torch.optim.Adam([bit_logits], lr=0.1)
    for _ in range(300):
        optimiser.zero_grad()
        loss(bit_logits, NO_CLASSIFIER, labels).total.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert torch.equal(bit_logits.detach().sign(), loss.codes[labels].double())


def test_logits_of_zero_have_a_finite_gradient() -> None:
    bit_logits = torch.zeros(2, 8, requires_grad=True)
    loss = OrthoLoss(8, 3)(bit_logits, NO_CLASSIFIER, torch.tensor([0, 2])).total
    loss.backward()  # type: ignore[no-untyped-call]
    assert bit_logits.grad is not None
    assert bit_logits.grad.isfinite().all()
    assert bit_logits.grad.any()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bits": 1}, "2 bits or more, got 1"),
        ({"scale": 0.0}, "above 0, got 0.0"),
        ({"scale": math.inf}, "above 0, got inf"),
        ({"margin": -0.1}, "0 to 1, got -0.1"),
        ({"margin": 1.1}, "0 to 1, got 1.1"),
        ({"smoothing": 1.0}, "Label smoothing"),
        ({"classes": 300}, "8 bits have 256 codes, too few for 300 classes"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        OrthoLoss(**({"bits": 8, "classes": 3} | options))
