"""From features over time, which can be cached, to bits: the half of the network that is light."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from bitreel.network.fusion import Fusion, make_fusion
from bitreel.network.hash_head import HashHead, HeadOutput


class Standardise(nn.Module):
    """Centre and scale features by what was measured once on the training part.

    Backbone features are positive and of very unequal scale, so a plain linear layer on them starts
    with bits that are equal for all clips. Measured over the means of whole clips: for a fusion
    that averages, it makes no difference whether it is done before or after.

    root: take the signed square root of each feature first, so that a few large ones do not speak
    for all (Perronnin et al., ECCV 2010, "power normalisation").
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, feature_size: int, *, root: bool = False) -> None:
        super().__init__()
        self.root = root
        self.register_buffer("mean", torch.zeros(feature_size))
        self.register_buffer("deviation", torch.ones(feature_size))

    @torch.no_grad()
    def fit(self, features: Tensor) -> None:
        """Measure on features [N,T,D] of the training part."""
        means = self._rooted(features).mean(dim=1)
        self.mean.copy_(means.mean(dim=0))
        deviation = means.std(dim=0, unbiased=False)
        # A feature that hardly moves would be blown up by its tiny deviation: hence the floor.
        floor = max(float(deviation.mean()) / 100, 1e-6)
        self.deviation.copy_(deviation.clamp_min(floor))

    def forward(self, features: Tensor) -> Tensor:
        return (self._rooted(features) - self.mean) / self.deviation

    def _rooted(self, features: Tensor) -> Tensor:
        return features.sign() * features.abs().sqrt() if self.root else features


class CodeHead(nn.Module):
    """Standardise and fuse the features of each stream, join them, hash.

    A stream is what one modality gives: features [N,T,D] with a T and a D of its own.
    """

    def __init__(
        self,
        *,
        feature_sizes: Sequence[int],
        positions: Sequence[int],
        fusion: Fusion,
        bits: int,
        classes: int,
    ) -> None:
        super().__init__()
        root = fusion == "segments"  # the seed's fusions take features as they are
        self.standardise = nn.ModuleList(Standardise(size, root=root) for size in feature_sizes)
        fusions = [
            make_fusion(fusion, feature_size=size, positions=count)
            for size, count in zip(feature_sizes, positions, strict=True)
        ]
        self.fusions = nn.ModuleList(fusions)
        joined = sum(fusion.feature_size for fusion in fusions)
        self.hash_head = HashHead(feature_size=joined, bits=bits, classes=classes)

    def fit_standardisation(self, streams: Sequence[Tensor]) -> None:
        """Measure mean and deviation of each stream [N,T,D] of the training part."""
        for standardise, features in zip(self.standardise, streams, strict=True):
            standardise.fit(features)  # type: ignore[operator]  # a ModuleList forgets the type

    def fused(self, streams: Sequence[Tensor]) -> Tensor:
        """Each stream [N,T,D] → one feature of the clip [N,D']."""
        parts = [
            fusion(standardise(features))
            for fusion, standardise, features in zip(
                self.fusions, self.standardise, streams, strict=True
            )
        ]
        return torch.cat(parts, dim=1)

    def forward(self, streams: Sequence[Tensor]) -> HeadOutput:
        """Each stream [N,T,D] → bit logits [N,K] and class logits [N,classes]."""
        output: HeadOutput = self.hash_head(self.fused(streams))
        return output
