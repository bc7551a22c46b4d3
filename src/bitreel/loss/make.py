"""From a loss's name and options to the loss."""

from __future__ import annotations

from typing import Literal, get_args

from bitreel.errors import ConfigError
from bitreel.loss.central import CentralLoss
from bitreel.loss.ortho import OrthoLoss
from bitreel.loss.regularisers import RegularisedLoss
from bitreel.loss.terms import Loss
from bitreel.loss.triplet import TripletStrategy
from bitreel.loss.two_term import TwoTermLoss

LossName = Literal["two-term", "ortho", "central"]
LOSS_NAMES: tuple[str, ...] = get_args(LossName)


def make_loss(
    name: LossName,
    *,
    bits: int,
    classes: int,
    alpha: float = 1.0,
    beta: float = 1.0,
    margin: float | None = None,
    triplets: TripletStrategy = "semi-hard",
    scale: float = 8.0,
    cosine_margin: float = 0.2,
    smoothing: float = 0.0,
    quantisation: float = 0.0,
    balance: float = 0.0,
) -> Loss:
    """The loss of this name for codes of `bits` bits and `classes` classes.

    alpha, beta, margin (in bits; None: a quarter of the bits) and triplets are `two-term`'s, scale
    and cosine_margin `ortho`'s; smoothing, quantisation and balance go with every loss. Raises
    ConfigError for an unknown name and for an option of the named loss that is out of its range.
    """
    if name not in LOSS_NAMES:
        raise ConfigError(f"Unknown loss {name!r}: choose from {', '.join(LOSS_NAMES)}.")
    loss: Loss
    match name:
        case "two-term":
            margin = bits / 4 if margin is None else margin
            loss = TwoTermLoss(margin, alpha, beta, triplets, smoothing)
        case "ortho":
            loss = OrthoLoss(bits, classes, scale, cosine_margin, smoothing)
        case "central":
            loss = CentralLoss(bits, classes, smoothing)
    regularised = RegularisedLoss(loss, quantisation, balance)
    return regularised if quantisation or balance else loss
