"""A 2D CNN made 3D: every spatial kernel gets a time axis (I3D; Carreira & Zisserman, CVPR 2017).

The weights are repeated along time and divided by the kernel's length, so that a clip that stands
still gives what its picture gave: training starts from what the 2D network knows.
"""

from __future__ import annotations

from typing import Any

import torch
from timm.layers.conv2d_same import Conv2dSame
from timm.layers.padding import pad_same
from torch import Tensor, nn
from torch.nn import functional

from bitreel.errors import ConfigError
from bitreel.network.over_time import fold, unfold

KERNEL_TIME = 3
# Stages, by how far they have shrunk the picture, after which 3D pooling halves the time.
_POOLED_REDUCTIONS = (4, 8)


class InflatedConvolution(nn.Conv3d):
    """A 3D convolution in the place of a 2D one. [N·T,C,H,W] → [N·T,C',H',W'].

    The clip's first and last picture stand in for those before and after it.
    """

    def __init__(self, flat: nn.Conv2d) -> None:
        super().__init__(
            flat.in_channels,
            flat.out_channels,
            (KERNEL_TIME, *_pair(flat.kernel_size)),
            stride=(1, *_pair(flat.stride)),
            padding=(0, *_pair(flat.padding)),
            dilation=(1, *_pair(flat.dilation)),
            groups=flat.groups,
            bias=flat.bias is not None,
        )
        self.pads_itself = isinstance(flat, Conv2dSame)  # as TensorFlow does: by the input's size
        with torch.no_grad():
            self.weight.copy_(inflated(flat.weight))
            if self.bias is not None and flat.bias is not None:
                self.bias.copy_(flat.bias)

    def forward(self, rows: Tensor) -> Tensor:
        if self.pads_itself:
            kernel, stride, dilation = (
                list(sizes[1:]) for sizes in (self.kernel_size, self.stride, self.dilation)
            )
            rows = pad_same(rows, kernel, stride, dilation)
        ends = (0, 0, 0, 0, KERNEL_TIME // 2, KERNEL_TIME // 2)
        return fold(super().forward(functional.pad(unfold(rows), ends, mode="replicate")))


def _pair(sizes: tuple[int, ...] | str) -> tuple[int, int]:
    height, width = sizes if not isinstance(sizes, str) else (0, 0)
    return int(height), int(width)


def inflated(weight: Tensor) -> Tensor:
    """[O,I,H,W] → [O,I,T,H,W] with the sum over time that the weight had."""
    return weight[:, :, None].repeat(1, 1, KERNEL_TIME, 1, 1) / KERNEL_TIME


def inflate(cnn: Any, name: str) -> None:
    """Make a timm CNN 3D in place: 3D kernels throughout, 3D max pooling after two stages.

    Raises ConfigError for an architecture without convolutions on the way.
    """
    convolutions = {
        path: module
        for path, module in cnn.named_modules()
        if isinstance(module, nn.Conv2d) and max(module.kernel_size) > 1
    }
    stages = [
        stage["module"]
        for stage in getattr(cnn, "feature_info", [])
        if stage["reduction"] in _POOLED_REDUCTIONS
    ]
    plain = all(type(module) in (nn.Conv2d, Conv2dSame) for module in convolutions.values())
    if not plain or len(convolutions) < 2 or len(stages) < len(_POOLED_REDUCTIONS):
        raise ConfigError(
            f"{name} can not be made 3D (it has too few plain convolutions or stages): take a "
            f"ResNet, EfficientNet, MobileNet or ConvNeXt, or one of torchvision's video networks."
        )
    for path, flat in convolutions.items():
        cnn.set_submodule(path, InflatedConvolution(flat))
    for path in stages:
        cnn.get_submodule(path).register_forward_hook(lambda _, __, rows: _halve_time(rows))


def _halve_time(rows: Tensor) -> Tensor:
    """3D max pooling with a window of two pictures, the last of an odd number by itself."""
    return fold(functional.max_pool3d(unfold(rows), (2, 1, 1), ceil_mode=True))
