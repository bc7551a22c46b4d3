"""The whole network: a backbone for each stream, and the head that makes one code of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from bitreel.errors import ConfigError
from bitreel.modality import Modality
from bitreel.network.backbone import Backbone
from bitreel.network.code_head import CodeHead
from bitreel.network.encoder import Encoder
from bitreel.network.hash_head import HeadOutput
from bitreel.network.small_backbone import SMALL_BACKBONE, SmallBackbone
from bitreel.network.video_backbone import VIDEO_BACKBONES, VideoBackbone


class Network(nn.Module):
    """Pictures of a clip to bits, in two halves so that the result of the first can be cached.

    `backbones`: one for each modality, pictures [N,T,C,H,W] → features [N,T',D]. `head`: the
    features of all streams → HeadOutput. The seed's network (Dong & Li, 2017) is the one with the
    modality rgb and the encoder `weighted`.
    """

    def __init__(
        self,
        *,
        backbone: str,
        encoder: Encoder,
        modalities: Sequence[Modality],
        frames: int,
        size: tuple[int, int],
        bits: int,
        classes: int,
    ) -> None:
        super().__init__()
        counts = [modality.pictures(frames) for modality in modalities]
        backbones = [
            make_backbone(backbone, encoder, modality, pictures=count, size=size)
            for modality, count in zip(modalities, counts, strict=True)
        ]
        self.backbones: Any = nn.ModuleList(backbones)  # whose items have no types
        self.head = CodeHead(
            feature_sizes=[backbone.feature_size for backbone in backbones],
            positions=counts,
            fusion=encoder.fusion,
            bits=bits,
            classes=classes,
        )

    def forward(self, streams: Sequence[Tensor]) -> HeadOutput:
        """The pictures of each stream [N,T,C,H,W] → bit logits [N,K], class logits [N,classes]."""
        features = [
            backbone(pictures) for backbone, pictures in zip(self.backbones, streams, strict=True)
        ]
        output: HeadOutput = self.head(features)
        return output


def make_backbone(
    name: str, encoder: Encoder, modality: Modality, *, pictures: int, size: tuple[int, int]
) -> Backbone | SmallBackbone | VideoBackbone:
    """The CNN of one stream. Raises ConfigError where name and encoder do not fit."""
    channels, signed = modality.channels - modality.focused, modality.signed
    if modality.focused and encoder.mixing == "conv3d":
        raise ConfigError(
            f"{modality} says where to look in each picture, and 3D convolution makes one of "
            f"several pictures: leave out its focus, or take another encoder than {encoder}."
        )
    if name not in (SMALL_BACKBONE, *VIDEO_BACKBONES):
        return Backbone(
            name,
            mixing=encoder.mixing,
            channels=channels,
            signed=signed,
            focused=modality.focused,
        )
    if encoder.mixing != "conv3d":
        raise ConfigError(
            f"{name} is 3D throughout: give it the encoder conv3d, or take a backbone that timm "
            f"knows for the encoder {encoder}."
        )
    if name == SMALL_BACKBONE:
        return SmallBackbone(channels=channels, signed=signed)
    return VideoBackbone(name, frames=pictures, size=size, channels=channels, signed=signed)
