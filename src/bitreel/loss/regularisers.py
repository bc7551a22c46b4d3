"""What relaxed bits should be whatever the classes: saturated, and on for half of the clips."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from bitreel.errors import ConfigError
from bitreel.loss.terms import Loss, LossTerms


def quantisation(relaxed: Tensor) -> Tensor:
    """`mean_{n,i} (|2h_ni − 1| − 1)²`: 0 where every bit is 0 or 1, 1 where all are at .5.

    relaxed: h [N,K] in [0,1]. The form of CSQ (Yuan et al., CVPR 2020), there on outputs in [-1,1].
    """
    return ((2 * relaxed - 1).abs() - 1).square().mean()


def bit_balance(relaxed: Tensor) -> Tensor:
    """`mean_i (mean_n (2h_ni − 1))²`: 0 where each bit is half on over the batch, 1 where constant.

    relaxed: h [N,K] in [0,1]. A bit that is on for all clips tells none apart (Weiss et al.,
    "Spectral hashing", NeurIPS 2008, as a penalty). A batch of few classes can not balance every
    bit and pays about 1/classes, so weigh this below the loss that it joins.
    """
    return (2 * relaxed - 1).mean(dim=0).square().mean()


@dataclass(frozen=True)
class RegularisedLoss:
    """`loss + quantisation · Q(h) + balance · B(h)`, with h the relaxed bits.

    A term of weight 0 is neither worked out nor named. Raises ConfigError for a weight that is
    negative or not finite.
    """

    loss: Loss
    quantisation: float = 0.0
    balance: float = 0.0

    def __post_init__(self) -> None:
        for name, weight in (("quantisation", self.quantisation), ("balance", self.balance)):
            if not 0 <= weight < math.inf:
                raise ConfigError(f"The weight of {name} must be 0 or more, got {weight}.")

    def __call__(self, bit_logits: Tensor, class_logits: Tensor, labels: Tensor) -> LossTerms:
        """bit_logits [N,K], class_logits [N,classes], labels int64 [N]."""
        inner = self.loss(bit_logits, class_logits, labels)
        total, terms, relaxed = inner.total, dict(inner.terms), bit_logits.sigmoid()
        if self.quantisation:
            terms["quantisation"] = quantisation(relaxed)
            total = total + self.quantisation * terms["quantisation"]
        if self.balance:
            terms["balance"] = bit_balance(relaxed)
            total = total + self.balance * terms["balance"]
        return LossTerms(total, terms)
