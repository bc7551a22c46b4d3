"""Hash layers that are worked out in one go, on features over time: with labels and without."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from bitreel.loss import class_codes
from bitreel.model import Features, Model
from bitreel.training.config import TrainConfig
from bitreel.training.features import LabelledFeatures
from bitreel.training.itq import fit_itq
from bitreel.training.ridge import fit_ridge

# Where the regression's ±1 stand as logits: relaxed bits of .12 and .88, sure but not saturated.
_LOGIT_OF_ONE = np.float32(2.0)


@torch.no_grad()
def fit_head(
    model: Model, features: LabelledFeatures, rows: Sequence[int], config: TrainConfig
) -> None:
    """Set standardisation and hash layer by these rows of the features, and by no others."""
    model.standardise(features.rows(rows))
    if config.loss == "itq":
        inputs = _fused(model, features.rows(rows))
        itq = fit_itq(inputs, bits=model.bits, seed=config.seed)
        _set_hash_layer(model, itq.weights, itq.bias)
    else:
        inputs, targets = _examples(model, features, rows)
        ridge = fit_ridge(inputs, targets, ridge=config.ridge)
        _set_hash_layer(model, _LOGIT_OF_ONE * ridge.weights, _LOGIT_OF_ONE * ridge.bias)


def _examples(
    model: Model, features: LabelledFeatures, rows: Sequence[int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What a regression learns from: features [M,D'], and the ±1 codes of their classes [M,K].

    Each clip of a segment is one example, and so is its mirror image where there is one.
    """
    sides = [features.rows(rows), features.mirrored_rows(rows)]
    inputs = [_fused(model, side) for side in sides if side is not None]
    codes = class_codes(len(model.config.labels), model.bits).numpy()
    labels = [model.config.labels.index(features.examples[row].label) for row in rows]
    views = features.streams[0].shape[1]
    targets = np.tile(np.repeat(codes[labels], views, axis=0), (len(inputs), 1))
    return np.concatenate(inputs), targets


def _fused(model: Model, streams: Sequence[Features]) -> NDArray[np.float32]:
    """Each stream [N,V,T,D] → one feature for each clip, [N·V,D']."""
    clips = [torch.from_numpy(np.ascontiguousarray(part)).flatten(0, 1) for part in streams]
    fused = model.network.head.fused([part.to(model.device) for part in clips])
    array: NDArray[np.float32] = fused.cpu().numpy()
    return array


def _set_hash_layer(model: Model, weights: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
    layer = model.network.head.hash_head.hash_layer
    layer.weight.copy_(torch.from_numpy(weights))
    layer.bias.copy_(torch.from_numpy(bias))
