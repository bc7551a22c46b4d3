"""Training losses, one file each, behind one call (see `terms.Loss`)."""

from bitreel.loss.central import CentralLoss
from bitreel.loss.codebook import class_codes
from bitreel.loss.make import LOSS_NAMES, LossName, make_loss
from bitreel.loss.ortho import OrthoLoss
from bitreel.loss.regularisers import RegularisedLoss, bit_balance, quantisation
from bitreel.loss.terms import Loss, LossTerms
from bitreel.loss.triplet import TRIPLET_STRATEGIES, TripletStrategy, triplet_loss
from bitreel.loss.two_term import TwoTermLoss

__all__ = [
    "LOSS_NAMES",
    "TRIPLET_STRATEGIES",
    "CentralLoss",
    "Loss",
    "LossName",
    "LossTerms",
    "OrthoLoss",
    "RegularisedLoss",
    "TripletStrategy",
    "TwoTermLoss",
    "bit_balance",
    "class_codes",
    "make_loss",
    "quantisation",
    "triplet_loss",
]
