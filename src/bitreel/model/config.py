"""What a code depends on beside the weights."""

from __future__ import annotations

from dataclasses import field

from pydantic.dataclasses import dataclass

from bitreel.config import STRICT
from bitreel.errors import ConfigError
from bitreel.modality import find_modality
from bitreel.network import DEFAULT_BACKBONE


@dataclass(frozen=True, config=STRICT)
class Sampling:
    """T frames, uniform over the segment, squashed to one shape so that no aspect ratio shows."""

    frames: int = 16
    height: int = 224
    width: int = 224

    def __post_init__(self) -> None:
        if self.frames < 1 or min(self.height, self.width) < 32:
            raise ConfigError(
                f"Sampling takes 1 frame or more of 32x32 pixels or more, got {self.frames} frames "
                f"of {self.width}x{self.height}."
            )


@dataclass(frozen=True, config=STRICT)
class ModelConfig:
    """What a code depends on beside the weights."""

    labels: tuple[str, ...]  # class names, in the classifier's order
    bits: int = 64
    backbone: str = DEFAULT_BACKBONE
    modality: str = "rgb"
    sampling: Sampling = field(default_factory=Sampling)

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 4096:
            raise ConfigError(f"A code has 1 to 4096 bits, got {self.bits}.")
        if not self.labels:
            raise ConfigError("A model needs one label or more to train on.")
        find_modality(self.modality)
