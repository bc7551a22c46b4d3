"""A loss by its name: which one it is, with which options, and that each of them trains."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from bitreel.errors import ConfigError
from bitreel.loss import (
    LOSS_NAMES,
    CentralLoss,
    LossName,
    OrthoLoss,
    RegularisedLoss,
    TwoTermLoss,
    make_loss,
)


def test_a_name_gives_its_loss_with_its_options() -> None:
    two_term = make_loss("two-term", bits=32, classes=3, alpha=0.5, beta=2.0, triplets="hard")
    assert two_term == TwoTermLoss(margin=8.0, alpha=0.5, beta=2.0, triplets="hard")
    margin = make_loss("two-term", bits=32, classes=3, margin=3.0, smoothing=0.1)
    assert margin == TwoTermLoss(margin=3.0, triplets="semi-hard", smoothing=0.1)
    ortho = make_loss("ortho", bits=32, classes=3, scale=4.0, cosine_margin=0.1, smoothing=0.2)
    assert isinstance(ortho, OrthoLoss)
    assert (ortho.scale, ortho.margin, ortho.smoothing) == (4.0, 0.1, 0.2)
    central = make_loss("central", bits=32, classes=3, smoothing=0.2)
    assert isinstance(central, CentralLoss)
    assert (central.bits, central.classes, central.smoothing) == (32, 3, 0.2)


def test_weights_of_the_further_terms_wrap_it() -> None:
    loss = make_loss("central", bits=8, classes=3, quantisation=0.1, balance=0.2)
    assert isinstance(loss, RegularisedLoss)
    assert isinstance(loss.loss, CentralLoss)
    assert (loss.quantisation, loss.balance) == (0.1, 0.2)


@pytest.mark.parametrize("name", LOSS_NAMES)
def test_each_separates_the_classes(name: LossName) -> None:
    loss = make_loss(name, bits=12, classes=3, quantisation=0.1, balance=0.1)
    generator = torch.Generator().manual_seed(0)
    logits = (torch.randn(9, 12, generator=generator) / 3).requires_grad_()
    classifier = torch.randn(12, 3, generator=generator).requires_grad_()
    labels = torch.arange(3).repeat(3)
    optimiser = torch.optim.Adam([logits, classifier], lr=0.1)
    for _ in range(200):
        terms = loss(logits, logits.sigmoid() @ classifier, labels)
        optimiser.zero_grad()
        terms.total.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    codes = logits.detach() >= 0
    distances = (codes[:, None] != codes[None]).sum(dim=2)
    same = labels[:, None] == labels[None]
    assert distances[same].max() < distances[~same].min()


@pytest.mark.parametrize("name", LOSS_NAMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_keeps_to_the_type_of_the_logits(name: LossName, dtype: torch.dtype) -> None:
    loss = make_loss(name, bits=8, classes=2, quantisation=1.0, balance=1.0)
    logits = torch.randn(4, 8, dtype=dtype)
    terms = loss(logits, torch.randn(4, 2, dtype=dtype), torch.tensor([0, 0, 1, 1]))
    assert {terms.total.dtype, *(term.dtype for term in terms.terms.values())} == {dtype}


@pytest.mark.parametrize("name", ["ortho", "central"])
def test_the_codes_of_the_classes_go_where_the_logits_are(name: LossName) -> None:
    loss = make_loss(name, bits=8, classes=2)
    logits = torch.randn(4, 8, device="meta")
    labels = torch.zeros(4, dtype=torch.int64, device="meta")
    assert loss(logits, logits, labels).total.device.type == "meta"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "orto"}, "'orto': choose from two-term, ortho, central"),
        ({"name": "two-term", "alpha": -1.0}, "alpha and beta"),
        ({"name": "ortho", "cosine_margin": 2.0}, "margin of the ortho loss"),
        ({"name": "central", "smoothing": 1.0}, "Label smoothing"),
        ({"name": "central", "balance": -1.0}, "weight of balance"),
        ({"name": "ortho", "quantisation": -1.0}, "weight of quantisation"),
        ({"name": "ortho", "classes": 257}, "too few for 257 classes"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make_loss(**({"bits": 8, "classes": 3} | options))
