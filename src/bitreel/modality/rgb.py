"""The picture itself: three channels a frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Rgb:
    """Frames as they are, scaled to [0,1]. T frames give T pictures of 3 channels."""

    name = "rgb"
    channels = 3

    def __call__(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [T,H,W,3] → float32 [T,3,H,W] in [0,1]."""
        pictures = np.ascontiguousarray(frames.transpose(0, 3, 1, 2), dtype=np.float32)
        pictures /= 255.0
        return pictures
