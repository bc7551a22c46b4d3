"""What runs a backbone, and what it is fed."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Floats = NDArray[np.float32]

# How far two runtimes may be apart on the features of one row: the length of the difference over
# the length of the feature. Measured: 2e-6 for EfficientNet-Lite0, 1e-6 or less for ResNet, ViT,
# ConvNeXt and 3D networks. A bit flips only where its relaxed bit is as near to 0.5 as that; of
# 590 real clips, with five heads of 64 bits, none did.
FEATURE_TOLERANCE = 2e-5


class Runner(Protocol):
    """A backbone ready to run. Threads may call it side by side; each call takes one core."""

    def __call__(self, rows: Floats, /) -> Floats:
        """float32 [B,…], of the shape that it was prepared for, → features float32 [B,…]."""
        ...


class Backbone(Protocol):
    """A module of `bitreel.network` that makes features of pictures [N,T,C,H,W]."""

    by_picture: bool

    def __call__(self, pictures: Tensor) -> Tensor: ...


class Rows(nn.Module):
    """A backbone as runtimes see it: a row for each picture, or for each clip.

    One that works picture by picture takes rows [B,C,H,W] and gives [B,D]: pictures of several
    clips may share a batch. One that mixes them over time takes clips [B,T,C,H,W], gives [B,T',D].
    """

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone
        self.by_picture = backbone.by_picture

    def forward(self, rows: Tensor) -> Tensor:
        return self.backbone(rows[None])[0] if self.by_picture else self.backbone(rows)

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device


def run_in_batches(run: Runner, rows: Floats, *, batch: int) -> Floats:
    """Features of any number of rows, by calls of `batch` rows each; blank ones fill the last.

    Never a batch of another size: operators choose their order of summation by it, and a code must
    not depend on what it was encoded with.
    """
    parts: list[Floats] = []
    for first in range(0, len(rows), batch):
        part = rows[first : first + batch]
        if missing := batch - len(part):
            blank = np.zeros((missing, *part.shape[1:]), np.float32)
            parts.append(run(np.concatenate([part, blank]))[: len(part)])
        else:
            parts.append(run(part))
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
