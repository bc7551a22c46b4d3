"""OrthoHash: one cross-entropy on the cosine to fixed codes (Hoe et al., NeurIPS 2021)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from torch import Tensor
from torch.nn import functional

from bitreel.errors import ConfigError
from bitreel.loss.codebook import class_codes
from bitreel.loss.smoothing import check_smoothing
from bitreel.loss.terms import LossTerms

# A vector of bit logits shorter than this counts as this long: at 0 a cosine has no gradient.
_LEAST_LENGTH = 1e-3


@dataclass(frozen=True, eq=False)
class OrthoLoss:
    """`CE(softmax_c(scale · (cos(u, code_c) − margin · [c = y])), y)`, u the bit logits.

    One term, so nothing to weigh, and neither classifier nor triplets: the codes of the classes are
    fixed (`class_codes`) and stand where the classifier's weights would (Hoe et al., "One loss for
    all", equation 8 with the margin of CosFace; scale 8 and margin .2 are their code's). The cosine
    leaves the length of u free: bits fall on the right side of 0 but need not saturate, for which
    there is the quantisation term. With few classes a large scale is satisfied before every bit is
    its class's: `sqrt(2) · log(classes − 1)` is a smaller choice (Zhang et al., "AdaCos", CVPR
    2019).

    scale: above 0. margin: in [0,1], of a cosine. smoothing: the share of each label that is spread
    over all classes. codes: float32 ±1 [classes,bits]. Raises ConfigError for options out of range,
    for a code of 1 bit, whose cosine is its sign and can not be learned, and for more classes than
    codes.
    """

    bits: int
    classes: int
    scale: float = 8.0
    margin: float = 0.2
    smoothing: float = 0.0
    codes: Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.bits < 2:
            raise ConfigError(
                f"The ortho loss compares directions and needs 2 bits or more, got {self.bits}."
            )
        if not 0 < self.scale < math.inf:
            raise ConfigError(f"The scale of the ortho loss is above 0, got {self.scale}.")
        if not 0 <= self.margin <= 1:
            raise ConfigError(
                f"The margin of the ortho loss is one of a cosine, 0 to 1, got {self.margin}."
            )
        check_smoothing(self.smoothing)
        object.__setattr__(self, "codes", class_codes(self.classes, self.bits))

    def __call__(self, bit_logits: Tensor, class_logits: Tensor, labels: Tensor) -> LossTerms:
        """bit_logits [N,K], class_logits [N,classes] (not read), labels int64 [N]."""
        codes = self.codes.to(bit_logits)
        directions = functional.normalize(bit_logits, dim=1, eps=_LEAST_LENGTH)
        cosines = directions @ codes.T / math.sqrt(self.bits)
        target = functional.one_hot(labels, self.classes).to(cosines)
        logits = self.scale * (cosines - self.margin * target)
        loss = functional.cross_entropy(logits, labels, label_smoothing=self.smoothing)
        return LossTerms(loss, {"ortho": loss})
