"""What the encoder sees of a clip. A modality is one file here and one line in `MODALITIES`."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bitreel.errors import ConfigError
from bitreel.modality.rgb import Rgb


class Modality(Protocol):
    """Frames of a clip to what the first convolution takes."""

    @property
    def name(self) -> str: ...

    @property
    def channels(self) -> int:
        """Channels of each picture it gives."""
        ...

    def __call__(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [T,H,W,3] → float32 [T',C,H,W]."""
        ...


MODALITIES: dict[str, Modality] = {"rgb": Rgb()}


def find_modality(name: str) -> Modality:
    """The modality of that name. Raises ConfigError with the names that exist."""
    if name not in MODALITIES:
        raise ConfigError(f"Unknown modality {name!r}: choose from {', '.join(MODALITIES)}.")
    return MODALITIES[name]


__all__ = ["MODALITIES", "Modality", "Rgb", "find_modality"]
