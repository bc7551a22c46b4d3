"""The seed's loss: classification and triplet, each with its weight (Dong & Li, 2017)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from bitreel.errors import ConfigError
from bitreel.loss.smoothing import check_smoothing
from bitreel.loss.terms import LossTerms
from bitreel.loss.triplet import TRIPLET_STRATEGIES, TripletStrategy, triplet_loss


@dataclass(frozen=True)
class TwoTermLoss:
    """`L = alpha · CE(classifier(h), y) + beta · triplet(h)`, with h the relaxed bits.

    margin is in bits (squared distance on relaxed bits). smoothing: the share of each label that is
    spread over all classes. Raises ConfigError for weights that are negative or both 0, a margin
    that is not positive, an unknown strategy, a smoothing outside [0,1).
    """

    margin: float
    alpha: float = 1.0
    beta: float = 1.0
    triplets: TripletStrategy = "random"
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        if not (min(self.alpha, self.beta) >= 0 and 0 < self.alpha + self.beta < math.inf):
            raise ConfigError(
                f"alpha and beta weigh the two terms: 0 or more, and not both 0. "
                f"Got alpha={self.alpha}, beta={self.beta}."
            )
        if not 0 < self.margin < math.inf:
            raise ConfigError(
                f"The triplet margin is a positive number of bits, got {self.margin}."
            )
        if self.triplets not in TRIPLET_STRATEGIES:
            raise ConfigError(
                f"Unknown triplet strategy {self.triplets!r}: "
                f"choose from {', '.join(TRIPLET_STRATEGIES)}."
            )
        check_smoothing(self.smoothing)

    def __call__(self, bit_logits: Tensor, class_logits: Tensor, labels: Tensor) -> LossTerms:
        """bit_logits [N,K], class_logits [N,classes], labels int64 [N]."""
        terms = {
            "classification": functional.cross_entropy(
                class_logits, labels, label_smoothing=self.smoothing
            ),
            "triplet": triplet_loss(
                bit_logits.sigmoid(), labels, margin=self.margin, strategy=self.triplets
            ),
        }
        total = self.alpha * terms["classification"] + self.beta * terms["triplet"]
        return LossTerms(total, terms)
