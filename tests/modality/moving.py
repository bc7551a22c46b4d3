"""A smooth texture that moves by a known amount a frame, and every modality of a size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitreel.modality import Modality, find_modality

SPECS = (
    "rgb",
    "difference",
    "difference:length=3:gain=1",
    "difference:length=2:camera=steady",
    "difference:length=2:focus=motion",
    "rgb:focus=motion",
    "flow",
    "flow:length=3:camera=median",
    "dynamic",
    "dynamic:window=3",
)


def modality_of(spec: str) -> Modality:
    return find_modality(spec)


def texture(size: int, seed: int = 0) -> NDArray[np.float64]:
    """Waves of many directions and lengths, [size,size,3] from 0 to 255."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size].astype(np.float64)
    waves = np.zeros((size, size, 3))
    for _ in range(40):
        angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(9, 40)
        phase = rng.uniform(0, 2 * np.pi, 3) * 0.2 + rng.uniform(0, 2 * np.pi)
        along = (x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / length
        waves += np.sin(along[..., None] + phase)
    return np.interp(waves, (waves.min(), waves.max()), (0, 255))


def moving_frames(
    count: int, *, right: int = 0, down: int = 0, height: int = 96, width: int = 96
) -> NDArray[np.uint8]:
    """uint8 [count,H,W,3]: a window on the texture, in which all moves by that many pixels."""
    margin = count * max(abs(right), abs(down))
    picture = texture(2 * margin + max(height, width)).astype(np.uint8)
    corners = [(margin - down * t, margin - right * t) for t in range(count)]
    return np.stack([picture[y : y + height, x : x + width] for y, x in corners])


def snippets_of(frames: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """[N,H,W,3] → [N-size+1,size,H,W,3]: a snippet from each frame on."""
    return np.stack([frames[k : k + size] for k in range(len(frames) - size + 1)])


def random_snippets(
    positions: int, size: int, *, height: int = 8, width: int = 10, seed: int = 0
) -> NDArray[np.uint8]:
    shape = (positions, size, height, width, 3)
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
