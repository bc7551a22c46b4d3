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
    """bit_logits [N,K], class_logits [N,classes], labels int64 [N] → LossTerms.

    The relaxed bits are h = sigmoid(bit_logits). Losses take the logits, as a cosine is theirs and
    as a cross-entropy of h is exact on them where h is rounded to 0 or 1.
    """

    def __call__(self, bit_logits: Tensor, class_logits: Tensor, labels: Tensor) -> LossTerms: ...
