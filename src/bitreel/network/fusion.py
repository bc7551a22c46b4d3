"""Per-frame features to one feature of the clip."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class WeightedAverage(nn.Module):
    """The seed's fusion: a learned weight for each temporal position, softmax-normalised.

    Uniform at first, so that training starts from the plain mean. A clip of another number of
    frames gets the weights resampled linearly over time.
    """

    def __init__(self, frames: int) -> None:
        super().__init__()
        self.position_logits = nn.Parameter(torch.zeros(frames))

    def weights(self, frames: int) -> Tensor:
        """The weights [T], which sum to 1."""
        logits: Tensor = self.position_logits
        if frames != len(logits):
            logits = functional.interpolate(
                logits[None, None], size=frames, mode="linear", align_corners=False
            )[0, 0]
        return logits.softmax(dim=0)

    def forward(self, features: Tensor) -> Tensor:
        """[N,T,D] → [N,D]."""
        return torch.einsum("ntd,t->nd", features, self.weights(features.shape[1]))
