"""The hash layer: a feature to K relaxed bits, and the classifier that trains it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class HeadOutput(NamedTuple):
    """relaxed: [N,K] in [0,1]. class_logits: [N,classes], read by the loss only.

    A named tuple, as it crosses wrappers of torch that take apart what a module gives.
    """

    relaxed: Tensor
    class_logits: Tensor


class HashHead(nn.Module):
    """Standardise, Linear(D→K), sigmoid; above it Linear(K→classes), for training only.

    Backbone features are positive and of very unequal scale, so a plain linear layer starts with
    bits that are equal for all clips. The feature's mean and deviation over the training part are
    therefore measured once (`fit_standardisation`) and kept fixed: still one linear layer, better
    conditioned.
    """

    feature_mean: Tensor
    feature_deviation: Tensor

    def __init__(self, *, feature_size: int, bits: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("feature_mean", torch.zeros(feature_size))
        self.register_buffer("feature_deviation", torch.ones(feature_size))
        self.hash_layer = nn.Linear(feature_size, bits)
        self.classifier = nn.Linear(bits, classes)

    @torch.no_grad()
    def fit_standardisation(self, features: Tensor) -> None:
        """Measure mean and deviation on fused features [N,D] of the training part."""
        self.feature_mean.copy_(features.mean(dim=0))
        deviation = features.std(dim=0, unbiased=False)
        # A feature that hardly moves would be blown up by its tiny deviation: hence the floor.
        floor = max(float(deviation.mean()) / 100, 1e-6)
        self.feature_deviation.copy_(deviation.clamp_min(floor))

    def forward(self, features: Tensor) -> HeadOutput:
        """[N,D] → relaxed bits [N,K] and class logits [N,classes]."""
        standard = (features - self.feature_mean) / self.feature_deviation
        relaxed = self.hash_layer(standard).sigmoid()
        return HeadOutput(relaxed, self.classifier(relaxed))
