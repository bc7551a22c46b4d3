"""A small 3D CNN that learns from a few hundred clips, from nothing, on a CPU."""

from __future__ import annotations

from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import Tensor, nn

from bitreel.errors import WeightsError
from bitreel.network.backbone import load_adapted, normalisation
from bitreel.network.weights import HUB_PREFIX, PretrainedWeights, find_video_weights

SMALL_BACKBONE = "small3d"
WIDTH = 16


class SmallBackbone(nn.Module):
    """Four 3D convolutions, each halving the picture and the last two halving time as well.

    Inflated ImageNet networks start from weights that know what things look like; where motion
    alone tells actions apart those are no help, and the network is then too large for its clips.
    This one has 0.3 million weights. Take it with the encoder `conv3d`, no weights, fine-tuning,
    differences or flow, and pictures of 64 to 112 pixels (after C3D; Tran et al., ICCV 2015).
    """

    mean: Tensor
    deviation: Tensor
    by_picture = False

    def __init__(self, *, channels: int = 3, signed: bool = False) -> None:
        super().__init__()
        self.name = SMALL_BACKBONE
        for what, values in (("mean", IMAGENET_DEFAULT_MEAN), ("deviation", IMAGENET_DEFAULT_STD)):
            key, buffer = normalisation(what, values, channels, signed)
            self.register_buffer(key, buffer[:, None])
        self.cnn = nn.Sequential(
            _stage(channels, WIDTH, space=5, time_stride=1),
            _stage(WIDTH, 2 * WIDTH, space=3, time_stride=1),
            _stage(2 * WIDTH, 4 * WIDTH, space=3, time_stride=2),
            _stage(4 * WIDTH, 8 * WIDTH, space=3, time_stride=2),
        )
        self.feature_size = 8 * WIDTH

    def load_pretrained(self, spec: str) -> str:
        """Nobody publishes weights of it: `none`, or a file of one's own. Raises WeightsError."""
        if spec in ("package", "hub") or spec.startswith(HUB_PREFIX):
            raise WeightsError(
                f"There are no pretrained weights of {self.name}: name --weights none to start at "
                f"random (with --finetune), or a file."
            )
        found: PretrainedWeights = find_video_weights(spec, None)
        if found.state is not None:
            load_adapted(self, found.state, first="0.0.weight", source=found.source)
        return found.source

    def forward(self, pictures: Tensor) -> Tensor:
        """[N,T,C,H,W] → [N,T/4,D], T/4 rounded up."""
        normal = (pictures.transpose(1, 2) - self.mean) / self.deviation
        features: Tensor = self.cnn(normal)  # [N,D,T/4,H/16,W/16]
        return features.mean(dim=(3, 4)).transpose(1, 2)


def _stage(channels: int, width: int, *, space: int, time_stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(
            channels,
            width,
            (3, space, space),
            stride=(time_stride, 2, 2),
            padding=(1, space // 2, space // 2),
            bias=False,
        ),
        nn.BatchNorm3d(width),
        nn.ReLU(),
    )
