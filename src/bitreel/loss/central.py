"""CSQ: every bit drawn to the fixed code of its class (Yuan et al., CVPR 2020)."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor
from torch.nn import functional

from bitreel.loss.codebook import class_codes
from bitreel.loss.smoothing import check_smoothing
from bitreel.loss.terms import LossTerms


@dataclass(frozen=True, eq=False)
class CentralLoss:
    """`mean_{n,i} BCE(h_ni, c_i(y_n))`, with h the relaxed bits and c(y) in {0,1} the class's code.

    Yuan et al., "Central similarity quantization for efficient image and video retrieval", equation
    4, as the mean over bits and clips. Their second term, weight lambda, is
    `RegularisedLoss(loss, quantisation=lambda)`. The code of each class is fixed (`class_codes`).

    smoothing: the share of each bit's target that is spread over 0 and 1. codes: float32 ±1
    [classes,bits]. Raises ConfigError for a smoothing outside [0,1) and for more classes than
    codes.
    """

    bits: int
    classes: int
    smoothing: float = 0.0
    codes: Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_smoothing(self.smoothing)
        object.__setattr__(self, "codes", class_codes(self.classes, self.bits))

    def __call__(self, bit_logits: Tensor, class_logits: Tensor, labels: Tensor) -> LossTerms:
        """bit_logits [N,K], class_logits [N,classes] (not read), labels int64 [N]."""
        codes = self.codes.to(bit_logits)
        target = 0.5 + (0.5 - self.smoothing / 2) * codes[labels]
        loss = functional.binary_cross_entropy_with_logits(bit_logits, target)
        return LossTerms(loss, {"central": loss})
