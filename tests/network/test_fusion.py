"""The seed's weighted average over time."""

from __future__ import annotations

import pytest
import torch

from bitreel.network import WeightedAverage


def test_it_starts_as_the_plain_mean() -> None:
    features = torch.randn(2, 5, 7)
    torch.testing.assert_close(WeightedAverage(5)(features), features.mean(dim=1))


def test_it_weighs_each_position_as_a_loop_does() -> None:
    fusion = WeightedAverage(4)
    with torch.no_grad():
        fusion.position_logits.copy_(torch.tensor([0.0, 1.0, -2.0, 0.5]))
    features = torch.randn(3, 4, 6)
    powers = [2.718281828**logit for logit in (0.0, 1.0, -2.0, 0.5)]
    slow = sum(w / sum(powers) * features[:, t] for t, w in enumerate(powers))
    torch.testing.assert_close(fusion(features), slow)


@pytest.mark.parametrize("frames", [1, 3, 4, 9])
def test_another_number_of_frames_still_gives_weights_that_sum_to_one(frames: int) -> None:
    fusion = WeightedAverage(4)
    with torch.no_grad():
        fusion.position_logits.copy_(torch.tensor([3.0, 1.0, 1.0, -3.0]))
    weights = fusion.weights(frames)
    assert weights.shape == (frames,)
    assert float(weights.detach().sum()) == pytest.approx(1.0)
    assert (weights.detach().diff() <= 0).all()  # it keeps the shape of what was learned
