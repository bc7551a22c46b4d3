"""Twelve motions of a sprite, five pairs of which are each other's reversal in time.

Every path is stationary: start and phase are drawn evenly round the whole cycle (a sprite that
leaves on one side comes back on the other, a zoom that has ended begins again). So no single frame,
at no place in the clip, tells the two motions of a pair apart, nor does the place of a sprite hint
at any motion. Only the order of frames tells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOTIONS = (
    "left",
    "right",
    "up",
    "down",
    "rot_cw",
    "rot_ccw",
    "zoom_in",
    "zoom_out",
    "orbit_cw",
    "orbit_ccw",
    "oscillate",
    "bounce",
)
REVERSAL_OF = {
    "right": "left",
    "down": "up",
    "rot_ccw": "rot_cw",
    "zoom_out": "zoom_in",
    "orbit_ccw": "orbit_cw",
}

SCALES = (0.75, 1.4)
SPRITE_RADIUS = 0.2  # at scale 1; lengths are fractions of the shorter side of the picture
ORBIT_RADIUS = 0.21
SWING = 0.25
JUMP = 0.4
CROSSING = 0.7  # of the loop
LOOP_SPARE = 0.2  # what the loop is longer than the picture

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Start:
    """Where a motion begins, alike for all motions: every number is drawn evenly from [0,1)."""

    across: float
    down: float
    turn: float
    scale: float
    phase: float
    speed: float


@dataclass(frozen=True)
class Track:
    """The sprite in each of T frames. x, y: its centre in pixels; angle: degrees clockwise.

    loop: (x, y) lengths in pixels after which the sprite comes again: while it leaves on one side
    its copy enters on the other.
    """

    x: Floats
    y: Floats
    angle_degrees: Floats
    scale: Floats
    loop: tuple[float, float]


def track(motion: str, start: Start, *, frames: int, size: tuple[int, int]) -> Track:
    """The track of a motion that is no reversal, in a picture of size (height, width).

    Raises KeyError for a motion that is not known.
    """
    if motion not in MOTIONS or motion in REVERSAL_OF:
        raise KeyError(motion)
    way = (0.85 + 0.3 * start.speed) * np.linspace(0.0, 1.0, frames)
    still = 0.0 * way
    smallest, largest = SCALES
    # Even on a logarithmic axis, so that a steady zoom stays spread the way the start is.
    growth = way if motion == "zoom_in" else still
    scale = smallest * (largest / smallest) ** ((start.scale + growth) % 1.0)
    angle = 360.0 * start.turn + (200.0 * way if motion == "rot_cw" else still)
    height, width = size
    unit = min(size)
    loop = (width + LOOP_SPARE * unit, height + LOOP_SPARE * unit)
    dx, dy = _swing(motion, start.phase, way)
    left, up = (CROSSING * way if motion == name else still for name in ("left", "up"))
    x = ((start.across - left + unit * dx / loop[0]) % 1.0) * loop[0] - LOOP_SPARE * unit / 2
    y = ((start.down - up + unit * dy / loop[1]) % 1.0) * loop[1] - LOOP_SPARE * unit / 2
    return Track(x, y, angle, scale, loop)


def _swing(motion: str, phase: float, way: Floats) -> tuple[Floats, Floats]:
    """What a motion adds to a place, (x, y) as fractions of the shorter side, centred on it."""
    still = np.zeros_like(way)
    if motion == "orbit_cw":
        turn = 2 * np.pi * (phase + way)
        return ORBIT_RADIUS * np.cos(turn), ORBIT_RADIUS * np.sin(turn)
    if motion == "oscillate":
        return SWING * np.sin(2 * np.pi * (phase + 1.75 * way)), still
    if motion == "bounce":
        fall = (phase + 2.0 * way) % 1.0
        return still, JUMP * (0.5 - 4 * fall * (1 - fall))
    return still, still
