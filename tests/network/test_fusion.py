"""Features over time to one feature of the clip."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from bitreel.network.fusion import (
    FUSIONS,
    Attention,
    Mean,
    Segments,
    TemporalConvolution,
    WeightedAverage,
    make_fusion,
)


@pytest.mark.parametrize("name", FUSIONS)
@pytest.mark.parametrize("positions", [1, 2, 5])
def test_each_gives_one_feature_of_the_size_it_says(name: str, positions: int) -> None:
    fusion = make_fusion(name, feature_size=7, positions=5)  # type: ignore[arg-type]
    assert fusion(torch.randn(3, positions, 7)).shape == (3, fusion.feature_size)


@pytest.mark.parametrize("fusion", [WeightedAverage(7, 5), Attention(7), Mean(7)])
def test_those_that_average_start_as_the_plain_mean(fusion: torch.nn.Module) -> None:
    features = torch.randn(2, 5, 7)
    torch.testing.assert_close(fusion(features), features.mean(dim=1))


def test_the_weighted_average_weighs_each_position_as_a_loop_does() -> None:
    fusion = WeightedAverage(6, 4)
    with torch.no_grad():
        fusion.position_logits.copy_(torch.tensor([0.0, 1.0, -2.0, 0.5]))
    features = torch.randn(3, 4, 6)
    powers = [2.718281828**logit for logit in (0.0, 1.0, -2.0, 0.5)]
    slow = sum(w / sum(powers) * features[:, t] for t, w in enumerate(powers))
    torch.testing.assert_close(fusion(features), slow)


@pytest.mark.parametrize("frames", [1, 3, 4, 9])
def test_another_number_of_frames_still_gives_weights_that_sum_to_one(frames: int) -> None:
    fusion = WeightedAverage(6, 4)
    with torch.no_grad():
        fusion.position_logits.copy_(torch.tensor([3.0, 1.0, 1.0, -3.0]))
    weights = fusion.weights(frames)
    assert weights.shape == (frames,)
    assert float(weights.detach().sum()) == pytest.approx(1.0)
    assert (weights.detach().diff() <= 0).all()  # it keeps the shape of what was learned


def test_attention_looks_where_the_feature_says_and_not_when() -> None:
    fusion = Attention(4)
    with torch.no_grad():
        fusion.score.weight.copy_(torch.tensor([[200.0, 0, 0, 0]]))
    features = torch.zeros(1, 5, 4)
    features[0, 3] = torch.tensor([1.0, 5.0, 6.0, 7.0])
    torch.testing.assert_close(fusion(features)[0], features[0, 3])
    order = torch.tensor([3, 0, 4, 2, 1])
    torch.testing.assert_close(fusion(features[:, order]), fusion(features))


@pytest.mark.parametrize("positions", [1, 3, 4, 8, 10])
def test_segments_are_the_means_of_equal_parts(positions: int) -> None:
    features = torch.randn(2, positions, 3)
    parts = []
    for k in range(4):
        first, last = k * positions // 4, -(-(k + 1) * positions // 4)
        parts.append(features[:, first:last].mean(1))
    torch.testing.assert_close(Segments(3)(features), torch.cat(parts, 1))


def test_convolution_and_segments_see_the_order_of_the_positions() -> None:
    torch.manual_seed(0)
    features = torch.randn(2, 8, 6)
    for name in FUSIONS:
        fusion = make_fusion(name, feature_size=6, positions=8).eval()  # type: ignore[arg-type]
        same = torch.allclose(fusion(features), fusion(features.flip(1)), atol=1e-5)
        assert same == (name not in ("temporal", "segments")), name


def test_the_convolution_is_what_a_loop_computes() -> None:
    torch.manual_seed(0)
    fusion = TemporalConvolution(5).eval()
    features = torch.randn(1, 6, 5)
    first, last = fusion.convolutions[0], fusion.convolutions[3]

    def slow(x: torch.Tensor, layer: Any) -> torch.Tensor:
        padded = torch.cat([torch.zeros(1, x.shape[1]), x, torch.zeros(1, x.shape[1])])
        steps = [layer.bias.clone() for _ in range(len(x))]
        for t in range(len(x)):
            for k in range(3):
                steps[t] += layer.weight[:, :, k] @ padded[t + k]
        return torch.stack(steps).clamp_min(0)

    over_time = slow(slow(features[0], first), last)
    expected = torch.cat([over_time.mean(0), over_time.amax(0)])
    torch.testing.assert_close(fusion(features)[0], expected, rtol=1e-4, atol=1e-5)
