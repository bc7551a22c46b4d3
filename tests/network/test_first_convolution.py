"""Weights that saw RGB, for other channels."""

from __future__ import annotations

import pytest
import torch

from bitreel.network.first_convolution import for_channels


@pytest.mark.parametrize("channels", [1, 2, 15, 20])
@pytest.mark.parametrize("shape", [(4, 3, 3, 3), (4, 3, 3, 7, 7)])
def test_the_mean_over_rgb_is_copied_and_the_sum_kept(
    channels: int, shape: tuple[int, ...]
) -> None:
    weight = torch.randn(shape)
    other = for_channels(weight, channels)
    assert other.shape == (4, channels, *shape[2:])
    torch.testing.assert_close(other.sum(1), weight.sum(1))
    for channel in range(channels):
        torch.testing.assert_close(other[:, channel], weight.mean(1) * 3 / channels)


def test_three_channels_keep_their_colours() -> None:
    weight = torch.randn(4, 3, 3, 3)
    assert for_channels(weight, 3) is weight
