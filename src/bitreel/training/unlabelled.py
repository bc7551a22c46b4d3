"""A hash layer for people without labels: fitted on the features of their own videos."""

from __future__ import annotations

import torch

from bitreel.model import Model
from bitreel.training.features import LabelledFeatures
from bitreel.training.itq import fit_itq


@torch.no_grad()
def fit_itq_head(model: Model, data: LabelledFeatures, *, seed: int) -> None:
    """Set the hash layer by ITQ on these features; labels are not looked at.

    The bits part these very clips evenly, so clips that look alike get codes that are alike.
    """
    model.standardise(data.streams)
    head = model.network.head
    clips = [stream.reshape(-1, *stream.shape[2:]) for stream in data.streams]  # [N·V,T,D]
    fused = head.fused([torch.from_numpy(part).to(model.device) for part in clips]).cpu().numpy()
    projection = fit_itq(fused, bits=model.bits, seed=seed)
    layer = head.hash_head.hash_layer
    layer.weight.copy_(torch.from_numpy(projection.weights))
    layer.bias.copy_(torch.from_numpy(projection.bias))
