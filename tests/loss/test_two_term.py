"""alpha and beta weigh the two terms, and nothing else."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from bitreel.errors import ConfigError
from bitreel.loss import TwoTermLoss, triplet_loss


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_the_total_is_the_weighted_sum_of_its_parts(smoothing: float) -> None:
    bit_logits = 2 * torch.randn(6, 8, generator=torch.Generator().manual_seed(1))
    class_logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(2))
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    loss = TwoTermLoss(margin=2.0, alpha=0.3, beta=1.7, triplets="all", smoothing=smoothing)(
        bit_logits, class_logits, labels
    )
    rows = (class_logits.exp() / class_logits.exp().sum(dim=1, keepdim=True)).tolist()
    classification = 0.0
    for row, label in zip(rows, labels.tolist(), strict=True):
        for number, probability in enumerate(row):
            target = smoothing / 3 + (1 - smoothing if number == label else 0.0)
            classification -= target * math.log(probability) / 6
    relaxed = 1 / (1 + (-bit_logits).exp())
    triplet = float(triplet_loss(relaxed, labels, margin=2.0, strategy="all"))
    assert float(loss.terms["classification"]) == pytest.approx(classification, rel=1e-5)
    assert float(loss.terms["triplet"]) == pytest.approx(triplet, rel=1e-5)
    assert float(loss.total) == pytest.approx(0.3 * classification + 1.7 * triplet, rel=1e-5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"alpha": -1.0}, "alpha and beta"),
        ({"beta": -0.1}, "alpha and beta"),
        ({"alpha": 0.0, "beta": 0.0}, "not both 0"),
        ({"margin": 0.0}, "positive number of bits"),
        ({"triplets": "easy"}, "semi-hard"),
        ({"smoothing": 1.0}, "less than 1, got 1.0"),
        ({"smoothing": -0.1}, "0 or more"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        TwoTermLoss(**({"margin": 1.0} | options))
