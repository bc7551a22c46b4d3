"""Temporal shift: a 2D CNN that mixes neighbouring pictures at no cost (Lin et al., ICCV 2019)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bitreel.errors import ConfigError
from bitreel.network.over_time import fold, unfold

SHIFTED = 8  # one channel of so many moves forward in time, another one backward
# What timm calls the first convolution on the residual branch of its blocks.
_BRANCH_STARTS = ("conv_pw", "conv1", "conv_dw")


def shift(clips: Tensor) -> Tensor:
    """[N,C,T,…] → same: an eighth of the channels one step later, an eighth one step earlier.

    Zeros come in at the ends. The other channels stay.
    """
    part = clips.shape[1] // SHIFTED
    shifted = torch.zeros_like(clips)
    shifted[:, :part, 1:] = clips[:, :part, :-1]
    shifted[:, part : 2 * part, :-1] = clips[:, part : 2 * part, 1:]
    shifted[:, 2 * part :] = clips[:, 2 * part :]
    return shifted


def insert_shift(cnn: nn.Module, name: str) -> None:
    """Shift what enters the residual branch of each block; the shortcut past it is left alone.

    No weight is added, so pretrained ones fit. Raises ConfigError for a CNN without such blocks.
    """
    starts = []
    for block in list(cnn.modules())[1:]:  # the first is the CNN itself, with its stem
        children = block.named_children()  # in the order in which they run
        found = (child for name_, child in children if name_ in _BRANCH_STARTS)
        starts += [child for child in found if isinstance(child, nn.Conv2d)][:1]
    if not starts:
        raise ConfigError(
            f"Temporal shift wants residual blocks with a convolution first, and {name} has none "
            f"that it knows: take a ResNet, EfficientNet, MobileNet or ConvNeXt."
        )
    for start in starts:
        start.register_forward_pre_hook(lambda _, inputs: (fold(shift(unfold(inputs[0]))),))
