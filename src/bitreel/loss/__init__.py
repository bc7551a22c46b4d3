"""Training losses, one file each, behind one call (see `terms.Loss`)."""

from bitreel.loss.terms import Loss, LossTerms
from bitreel.loss.triplet import TRIPLET_STRATEGIES, TripletStrategy, triplet_loss
from bitreel.loss.two_term import TwoTermLoss

__all__ = [
    "TRIPLET_STRATEGIES",
    "Loss",
    "LossTerms",
    "TripletStrategy",
    "TwoTermLoss",
    "triplet_loss",
]
