"""The seed's network: a shared CNN per frame, fusion over time, hash head (Dong & Li, 2017)."""

from __future__ import annotations

from torch import Tensor, nn

from bitreel.network.backbone import Backbone
from bitreel.network.fusion import WeightedAverage
from bitreel.network.hash_head import HashHead, HeadOutput


class Network(nn.Module):
    """Pictures of a clip to relaxed bits, in two halves so that the first can be cached."""

    def __init__(self, *, backbone: str, frames: int, bits: int, classes: int) -> None:
        super().__init__()
        self.backbone = Backbone(backbone)
        self.fusion = WeightedAverage(frames)
        self.hash_head = HashHead(
            feature_size=self.backbone.feature_size, bits=bits, classes=classes
        )

    def frame_features(self, pictures: Tensor) -> Tensor:
        """[N,T,C,H,W] → [N,T,D]."""
        clips, frames = pictures.shape[:2]
        features: Tensor = self.backbone(pictures.flatten(0, 1))
        return features.view(clips, frames, -1)

    def hash_features(self, features: Tensor) -> HeadOutput:
        """[N,T,D] → relaxed bits [N,K] and class logits [N,classes]."""
        output: HeadOutput = self.hash_head(self.fusion(features))
        return output

    def forward(self, pictures: Tensor) -> HeadOutput:
        """[N,T,C,H,W] → relaxed bits [N,K] and class logits [N,classes]."""
        return self.hash_features(self.frame_features(pictures))
