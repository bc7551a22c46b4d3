"""What a code depends on beside the weights."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from pydantic.dataclasses import dataclass

from bitreel.config import STRICT
from bitreel.errors import ConfigError
from bitreel.modality import Modality, find_modalities
from bitreel.network import DEFAULT_BACKBONE, Encoder, find_encoder

Precision = Literal["float32", "int8"]


@dataclass(frozen=True, config=STRICT)
class Sampling:
    """T positions, uniform over the segment, squashed to one shape so that no aspect ratio shows.

    clips: how many times T positions, each set between those of the others: every one is a clip to
    the network, and the code is that of their mean relaxed bits. spacing_seconds: how far apart the
    frames are that one position's motion is seen from.
    """

    frames: int = 16
    clips: int = 1
    height: int = 224
    width: int = 224
    spacing_seconds: float = 0.08

    def __post_init__(self) -> None:
        if self.frames < 1 or min(self.height, self.width) < 32:
            raise ConfigError(
                f"Sampling takes 1 frame or more of 32x32 pixels or more, got {self.frames} frames "
                f"of {self.width}x{self.height}."
            )
        if not 1 <= self.clips <= 64:
            raise ConfigError(f"A segment is seen as 1 to 64 clips, got {self.clips}.")
        if not 0 < self.spacing_seconds < 60:
            raise ConfigError(
                f"The spacing of a position's frames lies between 0 and 60 seconds, "
                f"got {self.spacing_seconds}."
            )


@dataclass(frozen=True, config=STRICT)
class ModelConfig:
    """What a code depends on beside the weights. Modality and encoder are kept in their plain
    spelling, so that equal options are equal values."""

    labels: tuple[str, ...]  # class names, in the classifier's order; none without labels
    bits: int = 64
    backbone: str = DEFAULT_BACKBONE
    modality: str = "rgb"  # one or several, as "rgb,difference"
    encoder: str = "weighted"
    sampling: Sampling = field(default_factory=Sampling)
    precision: Precision = "float32"  # of the backbones; int8 ones are made by `quantise`

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 4096:
            raise ConfigError(f"A code has 1 to 4096 bits, got {self.bits}.")
        object.__setattr__(self, "modality", ",".join(map(str, find_modalities(self.modality))))
        object.__setattr__(self, "encoder", str(find_encoder(self.encoder)))

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """What each stream sees."""
        return find_modalities(self.modality)

    @property
    def encoder_parts(self) -> Encoder:
        return find_encoder(self.encoder)

    @property
    def snippet(self) -> int:
        """How many frames a clip has at each position: what the longest modality wants."""
        return max(modality.snippet for modality in self.modalities)
