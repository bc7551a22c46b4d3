"""Triplet loss on relaxed bits: nearer to the own action than to another, by a margin in bits."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from bitreel.errors import ConfigError

TripletStrategy = Literal["random", "all", "semi-hard", "hard"]
TRIPLET_STRATEGIES: tuple[str, ...] = get_args(TripletStrategy)


def triplet_loss(
    relaxed: Tensor, labels: Tensor, *, margin: float, strategy: TripletStrategy
) -> Tensor:
    """Mean of `max(0, margin + d(x,x+) − d(x,x−))` over the triplets that the strategy draws.

    relaxed: [N,K] in [0,1]. labels: [N]. d is the squared Euclidean distance, so it counts bits
    once they saturate, and so does the margin. A batch without a triplet gives 0.

    - `random`: one positive and one negative drawn for each anchor (Dong & Li, 2017). Draws from
      torch's generator.
    - `all`: every triplet of the batch (Hermans et al., 2017, "batch all").
    - `semi-hard`: every positive pair with the nearest negative that is farther than the
      positive; the farthest negative where there is none (Schroff et al., 2015).
    - `hard`: the farthest positive and the nearest negative of each anchor (Hermans et al., 2017,
      "batch hard").

    Raises ConfigError for an unknown strategy.
    """
    if strategy not in TRIPLET_STRATEGIES:
        raise ConfigError(
            f"Unknown triplet strategy {strategy!r}: choose from {', '.join(TRIPLET_STRATEGIES)}."
        )
    distances = squared_distances(relaxed)  # [N,N]
    same = labels[:, None] == labels[None, :]
    positive = same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    anchors = positive.any(dim=1) & (~same).any(dim=1)
    if not anchors.any():
        return relaxed.sum() * 0.0
    distances, positive, negative = distances[anchors], positive[anchors], ~same[anchors]
    draw = {"random": _random, "all": _all, "semi-hard": _semi_hard, "hard": _hard}[strategy]
    return draw(distances, positive, negative, margin)


def squared_distances(relaxed: Tensor) -> Tensor:
    """[N,K] → [N,N], by plain differences: the diagonal is exactly 0, which a product misses."""
    return (relaxed[:, None, :] - relaxed[None, :, :]).square().sum(dim=2)


# Each takes the anchors' distances to the batch [A,N] and two masks [A,N], no row of them empty.


def _random(distances: Tensor, positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    to_positive = distances.gather(1, torch.multinomial(positive.float(), 1))
    to_negative = distances.gather(1, torch.multinomial(negative.float(), 1))
    return (margin + to_positive - to_negative).clamp_min(0).mean()


def _all(distances: Tensor, positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    hinge = (margin + distances[:, :, None] - distances[:, None, :]).clamp_min(0)  # [A,N+,N−]
    triplets = positive[:, :, None] & negative[:, None, :]
    return hinge[triplets].mean()


def _semi_hard(distances: Tensor, positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    farther = negative[:, None, :] & (distances[:, None, :] > distances[:, :, None])  # [A,N+,N−]
    nearest_farther = distances[:, None, :].masked_fill(~farther, torch.inf).amin(dim=2)
    farthest = distances.masked_fill(~negative, -torch.inf).amax(dim=1, keepdim=True)
    to_negative = torch.where(farther.any(dim=2), nearest_farther, farthest)
    return (margin + distances - to_negative).clamp_min(0)[positive].mean()


def _hard(distances: Tensor, positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    to_positive = distances.masked_fill(~positive, -torch.inf).amax(dim=1)
    to_negative = distances.masked_fill(~negative, torch.inf).amin(dim=1)
    return (margin + to_positive - to_negative).clamp_min(0).mean()
