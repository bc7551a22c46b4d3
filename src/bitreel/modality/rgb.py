"""The picture itself: three channels a frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic.dataclasses import dataclass

from bitreel.config import STRICT
from bitreel.modality.focus import Focus, motion_planes
from bitreel.modality.protocol import check_snippets, flip_columns
from bitreel.modality.spec import write_spec


@dataclass(frozen=True, config=STRICT)
class Rgb:
    """Frames as they are, scaled to [0,1]. T positions give T pictures of 3 channels.

    focus: `motion` adds a channel that says how much moves at each pixel.
    """

    focus: Focus = "none"

    name = "rgb"
    signed = False
    weights = ""

    def __str__(self) -> str:
        return write_spec(self)

    @property
    def channels(self) -> int:
        return 3 + self.focused

    @property
    def snippet(self) -> int:
        return 1 + self.focused

    @property
    def focused(self) -> bool:
        return self.focus == "motion"

    def pictures(self, positions: int) -> int:
        """One a position."""
        return positions

    def __call__(self, snippets: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [T,S,H,W,3] → float32 [T,C,H,W] in [0,1]."""
        check_snippets(self, snippets)
        pictures = np.ascontiguousarray(snippets[:, 0].transpose(0, 3, 1, 2), dtype=np.float32)
        pictures /= 255.0
        if self.focused:
            return np.concatenate([pictures, motion_planes(snippets)], axis=1)
        return pictures

    def mirror(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """[...,C,H,W]: left and right exchanged."""
        return flip_columns(pictures)
