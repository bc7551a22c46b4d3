"""What every loss takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True, eq=False)
class LossTerms:
    """total: the scalar to minimise. terms: its parts before weighting, by name, for the log."""

    total: Tensor
    terms: dict[str, Tensor]


class Loss(Protocol):
    """relaxed [N,K] in [0,1], class_logits [N,classes], labels int64 [N] → LossTerms."""

    def __call__(self, relaxed: Tensor, class_logits: Tensor, labels: Tensor) -> LossTerms: ...
