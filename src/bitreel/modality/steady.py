"""Two frames as a steady camera would have seen them: its shift and its exposure taken away.

A camera that shakes by a pixel moves every edge of a busy background, and their differences drown
those of what moves by itself.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

ENOUGH_PIXELS = 96  # a side: larger pictures are looked at smaller
LEAST_PIXELS = 16  # a side: below it there is too little to tell a camera's motion from any other
ITERATIONS = 6  # at each scale
LONGEST_STEP = 1.0  # pixels of the scale, in one iteration
MOST_EXPOSURE = 1.5  # between two frames: more is a change of scene rather than of light
NOISE_LEVELS = 1.0  # grey levels that are no motion

Floats = NDArray[np.float32]
Frame = NDArray[np.uint8] | Floats


def steadied(first: Frame, second: Frame) -> tuple[Floats, Floats]:
    """[H,W,3] in grey levels twice → float32 [H,W,3] twice, each moved half the way to the other.

    Both are resampled alike, so that neither is the sharper one, and the frames in opposite order
    give the same in opposite order (but for rounding). What one of them does not show is 0 in both.
    """
    before, after = first.astype(np.float32), second.astype(np.float32)
    if min(first.shape[:2]) < LEAST_PIXELS:
        return before, after
    down, right, exposure = camera_motion(before.mean(axis=2), after.mean(axis=2))
    before = shifted(before, -down / 2, -right / 2) * math.sqrt(exposure)
    after = shifted(after, down / 2, right / 2) / math.sqrt(exposure)
    seen = _seen(first.shape[0], down)[:, None, None] * _seen(first.shape[1], right)[:, None]
    return before * seen, after * seen


def camera_motion(first: Floats, second: Floats) -> tuple[float, float, float]:
    """How far down and to the right the picture went, in pixels, and by how much it got brighter.

    Grey frames [H,W]. Least squares on the gradients (Lucas & Kanade, 1981), from coarse to fine,
    in which what does not move along counts less and less (Odobez & Bouthemy, 1995).
    """
    down = right = 0.0
    scales = [(first, second)]
    while min(scales[-1][0].shape) >= 2 * LEAST_PIXELS:
        scales.append((_halved(scales[-1][0]), _halved(scales[-1][1])))
    exposure, growth = 1.0, 2.0
    for before, after in reversed(scales):
        if min(before.shape) >= 2 * ENOUGH_PIXELS:
            growth *= 2
            continue
        down, right, exposure = _refined(before, after, 2 * down, 2 * right)
    return growth / 2 * down, growth / 2 * right, exposure


def _refined(
    first: Floats, second: Floats, down: float, right: float
) -> tuple[float, float, float]:
    exposure, weights = 1.0, np.ones_like(first)
    for _ in range(ITERATIONS):
        before, after = shifted(first, -down / 2, -right / 2), shifted(second, down / 2, right / 2)
        exposure = _exposure(before, after, weights)
        before, after = before * math.sqrt(exposure), after / math.sqrt(exposure)
        left_over = after - before
        weights = _weights(left_over)
        step = _step(np.asarray((before + after) / 2, np.float32), left_over, weights)
        down, right = (
            float(np.clip(place + move, -side / 2, side / 2))
            for place, move, side in zip((down, right), step, first.shape, strict=True)
        )
    return down, right, exposure


def _exposure(before: Floats, after: Floats, weights: Floats) -> float:
    """How many times as bright the second frame is."""
    light = [float(np.sum(weights * frame**2)) + 1.0 for frame in (before, after)]
    return min(max(math.sqrt(light[1] / light[0]), 1 / MOST_EXPOSURE), MOST_EXPOSURE)


def _step(picture: Floats, left_over: Floats, weights: Floats) -> NDArray[np.float64]:
    """The further shift (down, right) that explains most of what is left over."""
    by_row, by_column = np.gradient(picture)
    slopes = np.stack([by_row.ravel(), by_column.ravel()])
    weighted = slopes * weights.ravel()
    # Where nothing has an edge no shift shows: the small constant lets it be none.
    normal = (weighted @ slopes.T).astype(np.float64) + 1e-3 * np.eye(2)
    step = -np.linalg.solve(normal, weighted @ left_over.ravel())
    return np.clip(step, -LONGEST_STEP, LONGEST_STEP)


def _weights(left_over: Floats) -> Floats:
    """Of each pixel, near 1 where it moves with the most of them, near 0 where it does not."""
    error = np.abs(left_over)
    usual = 1.5 * np.median(error) + NOISE_LEVELS
    weights = 1 / (1 + np.square(error / (2 * usual))) ** 2
    weights[[0, -1]] = weights[:, [0, -1]] = 0  # whose neighbours are not all there
    return np.asarray(weights, np.float32)


def shifted(picture: Floats, down: float, right: float) -> Floats:
    """What [H,W,…] shows that far down and to the right of each pixel, between pixels linearly."""
    for axis, way in enumerate((down, right)):
        whole = int(np.floor(way))
        part = np.float32(way - whole)
        last = picture.shape[axis] - 1
        places = np.arange(last + 1) + whole
        near, far = (picture.take(np.clip(places + k, 0, last), axis) for k in (0, 1))
        picture = near * (1 - part) + far * part
    return picture


def _seen(side: int, way: float) -> Floats:
    """Of a side's pixels, 1 where both frames show it, each moved half the way, and 0 where one
    does not: by degrees, so that no pixel hangs on a rounding."""
    places = np.arange(side, dtype=np.float32)
    inside = np.minimum(places, side - 1 - places)  # from the nearer end
    return np.clip(1 + inside - abs(way) / 2, 0, 1)


def _halved(picture: Floats) -> Floats:
    """[H,W] to half the size, by the mean of four pixels."""
    height, width = (side // 2 * 2 for side in picture.shape)
    even = picture[:height, :width]
    return np.asarray((even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4)
