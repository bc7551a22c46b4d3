"""A first convolution that takes C channels, from one that was trained on RGB."""

from __future__ import annotations

from torch import Tensor


def for_channels(weight: Tensor, channels: int) -> Tensor:
    """[O,3,…] → [O,C,…]: the mean over RGB, C times over, scaled by 3/C.

    So C equal channels give what three equal colours gave (Wang et al., 2016, "cross-modality
    pre-training"). Three channels keep the weights as they are: they are colours here, of frames or
    of differences of frames.
    """
    if channels == weight.shape[1]:
        return weight
    mean = weight.mean(dim=1, keepdim=True)
    shape = (weight.shape[0], channels, *weight.shape[2:])
    return mean.expand(shape) * (weight.shape[1] / channels)
