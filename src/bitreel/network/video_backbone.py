"""torchvision's 3D networks: a whole clip to one feature, pretrained on Kinetics where wanted."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from bitreel.errors import ConfigError
from bitreel.network.backbone import load_adapted, normalisation
from bitreel.network.torchvision_ops import import_torchvision
from bitreel.network.weights import find_video_weights

import_torchvision()

from torchvision import models as torchvision_models  # noqa: E402

VIDEO_BACKBONES: tuple[str, ...] = tuple(
    torchvision_models.list_models(module=torchvision_models.video)
)
_MVIT_CLIP = (16, (224, 224))
# Where each family keeps its classifier, and what else it does at the very end.
_CLASSIFIERS = {"r3d": "fc", "mc3": "fc", "r2plus1d": "fc", "swin3d": "head", "mvit": "head"}


class VideoBackbone(nn.Module):
    """R(2+1)D, R3D, MC3, S3D, Swin3D or MViT without its classifier, and its normalisation.

    It pools over time by itself: its feature has one position.
    """

    mean: Tensor
    deviation: Tensor
    by_picture = False

    def __init__(
        self,
        name: str,
        *,
        frames: int,
        size: tuple[int, int],
        channels: int = 3,
        signed: bool = False,
    ) -> None:
        super().__init__()
        self.name = name
        if name.startswith("mvit") and (frames, size) != _MVIT_CLIP:
            raise ConfigError(
                f"{name} learns a place for each patch of 16 frames of 224x224 and takes no other "
                f"clips, got {frames} of {size[1]}x{size[0]}: choose those, or another backbone."
            )
        self.cnn: Any = torchvision_models.get_model(name, weights=None)
        self.feature_size = _without_classifier(self.cnn, name)
        self.pretrained = torchvision_models.get_model_weights(name).DEFAULT
        transforms = self.pretrained.transforms()
        for what, values in (("mean", transforms.mean), ("deviation", transforms.std)):
            key, buffer = normalisation(what, tuple(values), channels, signed)
            self.register_buffer(key, buffer[:, None])
        self._first = next(k for k, m in self.cnn.named_modules() if isinstance(m, nn.Conv3d))
        _take_channels(self.cnn, self._first, channels)

    def load_pretrained(self, spec: str) -> str:
        """Load the weights that `spec` names; says where they came from. Raises WeightsError."""
        found = find_video_weights(spec, self.pretrained)
        if found.state is not None:
            first = f"{self._first}.weight"
            load_adapted(self, found.state, first=first, source=found.source)
        return found.source

    def forward(self, pictures: Tensor) -> Tensor:
        """[N,T,C,H,W] → [N,1,D]."""
        normal = (pictures.transpose(1, 2) - self.mean) / self.deviation
        features: Tensor = self.cnn(normal)
        return features[:, None]


def _without_classifier(network: Any, name: str) -> int:
    """Cut the classifier off; the width of what is left."""
    if name == "s3d":
        width: int = network.classifier[1].in_channels
        network.classifier = nn.Identity()
        network.avgpool = nn.Identity()  # its window wants 224 pixels; the mean that follows none
        return width
    place = _CLASSIFIERS[name.split("_")[0]]
    classifier: Any = getattr(network, place)
    linear: Any = classifier[-1] if isinstance(classifier, nn.Sequential) else classifier
    setattr(network, place, nn.Identity())
    return int(linear.in_features)


def _take_channels(network: Any, path: str, channels: int) -> None:
    first = network.get_submodule(path)
    if first.in_channels == channels:
        return
    network.set_submodule(
        path,
        nn.Conv3d(
            channels,
            first.out_channels,
            first.kernel_size,
            stride=first.stride,
            padding=first.padding,
            bias=first.bias is not None,
        ),
    )
