"""Dynamic image: a clip, or a window of it, summed up in one picture of how it evolves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic.dataclasses import dataclass

from bitreel.config import STRICT
from bitreel.errors import ConfigError
from bitreel.modality.protocol import check_snippets, flip_columns
from bitreel.modality.spec import write_spec

# Change that does not reach this many grey levels is not stretched to the full range: the noise of
# a static clip stays small.
FLOOR_LEVELS = 32


def rank_pooling_weights(positions: int) -> NDArray[np.float64]:
    """alpha [T] = sum over i = t..T of (2i - T - 1)/i, t = 1..T: approximate rank pooling.

    They sum to 0, so that what stands still leaves nothing. (Bilen et al., Dynamic Image Networks,
    CVPR 2016, equation 5.)
    """
    i = np.arange(1, positions + 1, dtype=np.float64)
    return np.cumsum(((2 * i - positions - 1) / i)[::-1])[::-1]


@dataclass(frozen=True, config=STRICT)
class Dynamic:
    """Dynamic images by approximate rank pooling: one of the whole clip, or one a window.

    window: 0, or how many positions a window takes. Windows start half a window apart, and the last
    one ends with the clip.
    """

    window: int = 0

    name = "dynamic"
    channels = 3
    snippet = 1
    signed = True
    focused = False
    weights = ""

    def __post_init__(self) -> None:
        if self.window != 0 and self.window < 2:
            raise ConfigError(
                f"A window takes 2 positions or more, or is 0 for the whole clip, got "
                f"window={self.window}."
            )

    def __str__(self) -> str:
        return write_spec(self)

    def pictures(self, positions: int) -> int:
        """One a window."""
        return len(self.windows(positions))

    def windows(self, positions: int) -> list[slice]:
        """The positions of each window of a clip of T positions."""
        size = min(self.window or positions, positions)
        last = positions - size
        return [slice(k, k + size) for k in [*range(0, last, max(1, size // 2)), last]]

    def __call__(self, snippets: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [T,1,H,W,3] → float32 [T',3,H,W], each divided by its largest absolute value."""
        check_snippets(self, snippets)
        planes = snippets[:, 0].transpose(0, 3, 1, 2).astype(np.float32, order="C")
        return np.stack([_dynamic_image(planes[window]) for window in self.windows(len(planes))])

    def mirror(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """[...,3,H,W]: left and right exchanged."""
        return flip_columns(pictures)


def _dynamic_image(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Frames [T,3,H,W] to [3,H,W] in [-1,1]."""
    weights = rank_pooling_weights(len(planes))
    total: NDArray[np.float32] = np.zeros_like(planes[0])
    # Change from the first frame on, whose weight it takes over as all sum to 0: what stands still
    # is 0 exactly. One frame after the other rounds each pixel alike, wherever it lies.
    for weight, plane in zip(weights[1:], planes[1:], strict=True):
        total += np.float32(weight) * (plane - planes[0])
    floor = FLOOR_LEVELS * np.abs(weights).sum() / 2
    peak = max(float(np.abs(total).max()), floor)
    if peak:  # of a single frame all is 0
        total /= np.float32(peak)
    return total
