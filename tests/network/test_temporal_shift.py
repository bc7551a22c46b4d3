"""Temporal shift against a loop, and what it does to a whole network."""

from __future__ import annotations

import pytest
import torch

from bitreel.errors import ConfigError
from bitreel.network import Backbone
from bitreel.network.temporal_shift import shift


def test_it_moves_an_eighth_each_way_as_a_loop_does() -> None:
    clips = torch.randn(2, 16, 5, 3, 3)
    slow = torch.zeros_like(clips)
    for channel in range(16):
        for t in range(5):
            source = t - 1 if channel < 2 else t + 1 if channel < 4 else t
            if 0 <= source < 5:
                slow[:, channel, t] = clips[:, channel, source]
    torch.testing.assert_close(shift(clips), slow)


@pytest.mark.parametrize("name", ["mobilenetv3_small_050", "resnet10t", "convnext_atto"])
def test_a_picture_sees_its_neighbours_but_not_those_of_another_clip(name: str) -> None:
    torch.manual_seed(0)
    network = Backbone(name, mixing="shift").eval()
    for module in network.modules():  # some start with residual branches that give nothing
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.ones_(module.weight)
    pictures = torch.rand(2, 6, 3, 64, 64)
    before = network(pictures)
    assert before.shape == (2, 6, network.feature_size)
    changed = pictures.clone()
    changed[0, 3] = torch.rand(3, 64, 64)
    moved = (network(changed) - before).abs().amax(dim=2) > 1e-7
    assert moved[0, 2]
    assert moved[0, 4]
    assert not moved[1].any()


def test_it_adds_no_weight() -> None:
    plain, shifted = (Backbone("resnet10t", mixing=mixing) for mixing in ("frame", "shift"))
    assert plain.state_dict().keys() == shifted.state_dict().keys()


def test_a_network_without_such_blocks_is_refused() -> None:
    with pytest.raises(ConfigError, match="take a ResNet"):
        Backbone("vit_tiny_patch16_224", mixing="shift")
