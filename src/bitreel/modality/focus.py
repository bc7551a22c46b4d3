"""Where to look: at what moves by itself. A plane beside the pictures of a modality.

A person who is a tenth of the picture gives a tenth of an average over it, the place the rest. With
the option `focus=motion` the last channel says how much moves at each pixel, and the backbone's
features are averaged by it (`network/backbone.py`): soft attention without anything to learn.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bitreel.modality.steady import steadied

Focus = Literal["none", "motion"]

ENOUGH_PIXELS = 112  # a side: features are averaged over cells that are coarser by far
GAIN = 2.0 / 255  # as that of `difference`

Floats = NDArray[np.float32]


def motion_planes(snippets: NDArray[np.uint8]) -> Floats:
    """uint8 [T,S,H,W,3] → float32 [T,1,H,W] in [0,1]: change from each snippet's first frame to its
    second, the camera's shift and exposure taken away."""
    height, width = snippets.shape[2:4]
    factor = max(1, min(height, width) // ENOUGH_PIXELS)
    planes = np.empty((len(snippets), 1, height, width), np.float32)
    for plane, snippet in zip(planes, snippets, strict=True):
        before, after = steadied(_reduced(snippet[0], factor), _reduced(snippet[1], factor))
        plane[0] = _enlarged(np.abs(after - before).mean(axis=2), factor, (height, width))
    return np.asarray(np.minimum(GAIN * planes, 1), np.float32)


def _reduced(frame: NDArray[np.uint8], factor: int) -> Floats:
    """[H,W,3] to the means of factor x factor pixels, what is left over at the ends cut off."""
    height, width = (side // factor for side in frame.shape[:2])
    cells = frame[: height * factor, : width * factor].astype(np.float32)
    return np.asarray(cells.reshape(height, factor, width, factor, 3).mean(axis=(1, 3)))


def _enlarged(plane: Floats, factor: int, size: tuple[int, int]) -> Floats:
    """[H/factor,W/factor] → [H,W], each value repeated, the last ones to the ends."""
    rows, columns = (
        np.minimum(np.arange(side) // factor, small - 1)
        for side, small in zip(size, plane.shape, strict=True)
    )
    return np.asarray(plane[rows[:, None], columns])
