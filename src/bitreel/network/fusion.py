"""Features over time to one feature of the clip."""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

Fusion = Literal["weighted", "mean", "attention", "segments", "temporal"]
FUSIONS: tuple[str, ...] = get_args(Fusion)
# Those that are of use untrained: the first three are the mean then.
READY_FUSIONS = ("weighted", "mean", "attention", "segments")


class FusionModule(nn.Module):
    """[N,T,D] → [N,feature_size]."""

    feature_size: int


def make_fusion(name: Fusion, *, feature_size: int, positions: int) -> FusionModule:
    """The fusion of that name for features [N,T,D] with D = feature_size, T = positions."""
    if name == "weighted":
        return WeightedAverage(feature_size, positions)
    if name == "mean":
        return Mean(feature_size)
    if name == "attention":
        return Attention(feature_size)
    if name == "segments":
        return Segments(feature_size)
    return TemporalConvolution(feature_size)


class Mean(FusionModule):
    """Every position counts the same."""

    def __init__(self, feature_size: int) -> None:
        super().__init__()
        self.feature_size = feature_size

    def forward(self, features: Tensor) -> Tensor:
        return features.mean(dim=1)


class WeightedAverage(FusionModule):
    """The seed's fusion: a learned weight for each temporal position, softmax-normalised.

    Uniform at first, so that training starts from the plain mean. A clip of another number of
    positions gets the weights resampled linearly over time.
    """

    def __init__(self, feature_size: int, positions: int) -> None:
        super().__init__()
        self.feature_size = feature_size
        self.position_logits = nn.Parameter(torch.zeros(positions))

    def weights(self, positions: int) -> Tensor:
        """The weights [T], which sum to 1."""
        logits: Tensor = self.position_logits
        if positions != len(logits):
            logits = functional.interpolate(
                logits[None, None], size=positions, mode="linear", align_corners=False
            )[0, 0]
        return logits.softmax(dim=0)

    def forward(self, features: Tensor) -> Tensor:
        return torch.einsum("ntd,t->nd", features, self.weights(features.shape[1]))


class Attention(FusionModule):
    """A weight for each position that its own feature asks for, softmax-normalised over time.

    Uniform at first (Yang et al., CVPR 2017, "neural aggregation", with one query).
    """

    def __init__(self, feature_size: int) -> None:
        super().__init__()
        self.feature_size = feature_size
        self.score = nn.Linear(feature_size, 1, bias=False)
        nn.init.zeros_(self.score.weight)

    def weights(self, features: Tensor) -> Tensor:
        """[N,T,D] → [N,T], each row summing to 1."""
        scores: Tensor = self.score(features)[..., 0] / math.sqrt(self.feature_size)
        return scores.softmax(dim=1)

    def forward(self, features: Tensor) -> Tensor:
        return torch.einsum("ntd,nt->nd", features, self.weights(features))


class Segments(FusionModule):
    """The means of equal parts of the clip, side by side: what comes first stays first.

    Nothing in it is learned, so that few clips suffice for what is above it (the temporal half of
    spatio-temporal pyramids: Laptev et al., CVPR 2008). A clip of fewer positions than parts gives
    some to two parts.
    """

    PARTS = 4

    def __init__(self, feature_size: int) -> None:
        super().__init__()
        self.feature_size = self.PARTS * feature_size

    def forward(self, features: Tensor) -> Tensor:
        means = functional.adaptive_avg_pool1d(features.transpose(1, 2), self.PARTS)  # [N,D,parts]
        return means.transpose(1, 2).flatten(1)


class TemporalConvolution(FusionModule):
    """Two convolutions over time, then the mean and the maximum over time side by side.

    It sees the order of the positions, at the cost of a small head: what a CPU can train on cached
    features. Clips are reversed, and actions told apart, by what follows what.
    """

    WIDTH = 256
    KERNEL = 3

    def __init__(self, feature_size: int) -> None:
        super().__init__()
        width, pad = self.WIDTH, self.KERNEL // 2
        self.feature_size = 2 * width
        self.convolutions = nn.Sequential(
            nn.Conv1d(feature_size, width, self.KERNEL, padding=pad),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Conv1d(width, width, self.KERNEL, padding=pad),
            nn.ReLU(),
        )

    def forward(self, features: Tensor) -> Tensor:
        over_time = self.convolutions(features.transpose(1, 2))  # [N,W,T]
        return torch.cat([over_time.mean(dim=2), over_time.amax(dim=2)], dim=1)
