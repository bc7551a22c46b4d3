"""Features averaged over a picture by how much moves in each place, not evenly."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from bitreel.errors import ConfigError

# Of motion in [0,1]: where nothing moves at all, every place counts the same.
FLOOR = 1e-4


def focus(maps: Tensor, motion: Tensor) -> Tensor:
    """Maps [B,D,h,w] so weighted that their plain mean is the mean by motion [B,1,H,W], squared.

    Squared, as a place that moves twice as much is noise by far less than half as often.
    """
    height, width = maps.shape[-2:]
    weights = (functional.adaptive_avg_pool2d(motion, (height, width)) + FLOOR) ** 2
    return maps * (weights / weights.mean(dim=(2, 3), keepdim=True))


def check_averages(cnn: Any, name: str) -> None:
    """Raises ConfigError unless the CNN ends in a plain mean over maps [B,D,h,w]."""
    pools = (getattr(part, "global_pool", None) for part in (cnn, getattr(cnn, "head", None)))
    pool = next((pool for pool in pools if isinstance(pool, nn.Module)), None)
    if not isinstance(getattr(pool, "pool", None), nn.AdaptiveAvgPool2d):
        raise ConfigError(
            f"{name} does not average maps over the picture, so that focus has nothing to weight: "
            f"take an EfficientNet, ResNet, MobileNet or ConvNeXt, or a modality without focus."
        )
