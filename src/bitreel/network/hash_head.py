"""The hash layer: a feature to K bit logits, and the classifier that trains it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class HeadOutput(NamedTuple):
    """bit_logits: [N,K]. class_logits: [N,classes], read by the loss only.

    A named tuple, as it crosses wrappers of torch that take apart what a module gives.
    """

    bit_logits: Tensor
    class_logits: Tensor

    @property
    def relaxed(self) -> Tensor:
        """The relaxed bits, [N,K] in [0,1]."""
        return self.bit_logits.sigmoid()


class HashHead(nn.Module):
    """Linear(D→K) whose sigmoid are the relaxed bits; above them Linear(K→classes), for training.

    Without classes (codes fitted without labels) there is no classifier.
    """

    def __init__(self, *, feature_size: int, bits: int, classes: int) -> None:
        super().__init__()
        self.hash_layer = nn.Linear(feature_size, bits)
        self.classifier = nn.Linear(bits, classes) if classes else None

    def forward(self, features: Tensor) -> HeadOutput:
        """[N,D] → bit logits [N,K] and class logits [N,classes]."""
        logits = self.hash_layer(features)
        if self.classifier is None:
            return HeadOutput(logits, torch.empty(len(logits), 0, device=logits.device))
        return HeadOutput(logits, self.classifier(logits.sigmoid()))
