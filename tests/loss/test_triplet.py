"""The vectorised triplet loss beside loops that anyone can read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bitreel.errors import ConfigError
from bitreel.loss import TRIPLET_STRATEGIES, TripletStrategy, triplet_loss
from bitreel.loss.triplet import squared_distances

MARGIN = 3.0


def batch(seed: int, sizes: list[int], bits: int = 8) -> tuple[Tensor, Tensor]:
    """Relaxed bits and labels, with as many clips a class as `sizes` says."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.tensor([label for label, size in enumerate(sizes) for _ in range(size)])
    relaxed = torch.rand(len(labels), bits, generator=generator, dtype=torch.float64)
    return relaxed, labels


def d(relaxed: Tensor, a: int, b: int) -> float:
    return float(((relaxed[a] - relaxed[b]) ** 2).sum())


def positives(labels: Tensor, anchor: int) -> list[int]:
    return [i for i in range(len(labels)) if i != anchor and labels[i] == labels[anchor]]


def negatives(labels: Tensor, anchor: int) -> list[int]:
    return [i for i in range(len(labels)) if labels[i] != labels[anchor]]


def anchors(labels: Tensor) -> Iterator[int]:
    for anchor in range(len(labels)):
        if positives(labels, anchor) and negatives(labels, anchor):
            yield anchor


def hinge(relaxed: Tensor, a: int, p: int, n: int) -> float:
    return max(0.0, MARGIN + d(relaxed, a, p) - d(relaxed, a, n))


def mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def slow_all(relaxed: Tensor, labels: Tensor) -> float:
    return mean(
        [
            hinge(relaxed, a, p, n)
            for a in anchors(labels)
            for p in positives(labels, a)
            for n in negatives(labels, a)
        ]
    )


def slow_hard(relaxed: Tensor, labels: Tensor) -> float:
    losses = []
    for a in anchors(labels):
        p = max(positives(labels, a), key=lambda i: d(relaxed, a, i))
        n = min(negatives(labels, a), key=lambda i: d(relaxed, a, i))
        losses.append(hinge(relaxed, a, p, n))
    return mean(losses)


def slow_semi_hard(relaxed: Tensor, labels: Tensor) -> float:
    losses = []
    for a in anchors(labels):
        for p in positives(labels, a):
            away = negatives(labels, a)
            farther = [n for n in away if d(relaxed, a, n) > d(relaxed, a, p)]
            n = (
                min(farther, key=lambda i: d(relaxed, a, i))
                if farther
                else max(away, key=lambda i: d(relaxed, a, i))
            )
            losses.append(hinge(relaxed, a, p, n))
    return mean(losses)


@given(seed=st.integers(0, 10_000), sizes=st.lists(st.integers(1, 4), min_size=2, max_size=5))
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize(
    ("strategy", "slow"), [("all", slow_all), ("hard", slow_hard), ("semi-hard", slow_semi_hard)]
)
def test_equals_the_loop(strategy: TripletStrategy, slow, seed: int, sizes: list[int]) -> None:  # type: ignore[no-untyped-def]
    relaxed, labels = batch(seed, sizes)
    fast = triplet_loss(relaxed, labels, margin=MARGIN, strategy=strategy)
    assert float(fast) == pytest.approx(slow(relaxed, labels), abs=1e-9)


def test_random_draws_every_triplet_equally_often() -> None:
    relaxed, labels = batch(3, [3, 3, 3])
    torch.manual_seed(0)
    draws = [
        float(triplet_loss(relaxed, labels, margin=MARGIN, strategy="random")) for _ in range(3000)
    ]
    deviation = torch.tensor(draws).std().item() / len(draws) ** 0.5
    assert mean(draws) == pytest.approx(slow_all(relaxed, labels), abs=5 * deviation)


def test_random_with_one_choice_equals_the_loop() -> None:
    relaxed, labels = batch(4, [2, 1])  # two anchors, one positive and one negative each
    drawn = float(triplet_loss(relaxed, labels, margin=MARGIN, strategy="random"))
    assert drawn == pytest.approx(slow_all(relaxed, labels))


@pytest.mark.parametrize("strategy", TRIPLET_STRATEGIES)
@pytest.mark.parametrize("sizes", [[4], [1, 1, 1]])
def test_a_batch_without_a_triplet_gives_zero_and_a_gradient(
    strategy: TripletStrategy, sizes: list[int]
) -> None:
    relaxed, labels = batch(0, sizes)
    relaxed.requires_grad_()
    loss = triplet_loss(relaxed, labels, margin=MARGIN, strategy=strategy)
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == 0.0
    assert relaxed.grad is not None
    assert not relaxed.grad.any()


def test_saturated_bits_count_as_bits() -> None:
    relaxed = torch.tensor([[0.0, 0, 0, 0], [1, 1, 1, 0]])
    assert squared_distances(relaxed).tolist() == [[0, 3], [3, 0]]


@pytest.mark.parametrize("strategy", TRIPLET_STRATEGIES)
def test_minimising_it_brings_a_class_together(strategy: TripletStrategy) -> None:
    logits, labels = batch(7, [4, 4])
    logits = (logits - 0.5).requires_grad_()
    optimiser = torch.optim.Adam([logits], lr=0.1)
    torch.manual_seed(0)
    for _ in range(200):
        loss = triplet_loss(logits.sigmoid(), labels, margin=MARGIN, strategy=strategy)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    distances = squared_distances(logits.detach().sigmoid())
    same = labels[:, None] == labels[None, :]
    assert distances[~same].min() > distances[same].max() + MARGIN / 2


def test_an_unknown_strategy_is_refused_with_the_choices() -> None:
    relaxed, labels = batch(0, [2, 2])
    with pytest.raises(ConfigError, match="random, all, semi-hard, hard"):
        triplet_loss(relaxed, labels, margin=1.0, strategy="hardest")  # type: ignore[arg-type]
