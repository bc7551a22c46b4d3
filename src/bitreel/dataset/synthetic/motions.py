"""Twelve motions of a sprite, five pairs of which are each other's reversal in time.

Every path is stationary: start and phase are drawn evenly round the whole cycle (a sprite that
leaves on one side comes back on the other, a zoom that has ended begins again). So no single frame,
at no place in the clip, tells the two motions of a pair apart. Only the order of frames does.
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

    loop: (x, y) lengths in pixels after which the sprite comes again, 0 where it does not: while
    it leaves on one side its copy enters on the other.
    """

    x: Floats
    y: Floats
    angle_degrees: Floats
    scale: Floats
    loop: tuple[float, float] = (0.0, 0.0)


def track(
    motion: str, start: Start, *, frames: int, size: tuple[int, int], pace: float = 1.0
) -> Track:
    """The track of a motion that is no reversal, in a picture of size (height, width).

    pace: how much of the way the frames show.

    Raises KeyError for a motion that is not known.
    """
    if motion not in MOTIONS or motion in REVERSAL_OF:
        raise KeyError(motion)
    time = np.linspace(0.0, pace, frames)
    speed = 0.85 + 0.3 * start.speed
    growth = speed * time if motion == "zoom_in" else 0.0 * time
    smallest, largest = SCALES
    # Even on a logarithmic axis, so that a steady zoom stays spread the way the start is.
    scale = smallest * (largest / smallest) ** ((start.scale + growth) % 1.0)
    angle = 360.0 * start.turn + (200.0 * speed * time if motion == "rot_cw" else 0.0 * time)
    unit = min(size)
    # The largest that the whole cycle of a zoom reaches, so that no place hints at its phase.
    radius = SPRITE_RADIUS * unit * (largest if motion == "zoom_in" else float(scale[0]))
    if motion in ("left", "up"):
        return _cross(motion, start, 0.7 * speed * time, radius, size, angle, scale)
    dx, dy = _swing(motion, start.phase, speed * time)
    # Far enough from the border to be seen whole all the time.
    x = _between(start.across, radius + unit * float(abs(dx).max()), size[1]) + unit * dx
    y = _between(start.down, radius + unit * float(abs(dy).max()), size[0]) + unit * dy
    return Track(x, y, angle, scale)


def _cross(
    motion: str,
    start: Start,
    way: Floats,
    radius: float,
    size: tuple[int, int],
    angle: Floats,
    scale: Floats,
) -> Track:
    """Through the picture along one axis, round a loop that is a little longer than the picture."""
    height, width = size
    still = np.zeros_like(way)
    if motion == "left":
        loop = width + radius
        x = (start.across - way) % 1.0 * loop - radius / 2
        return Track(x, _between(start.down, radius, height) + still, angle, scale, (loop, 0.0))
    loop = height + radius
    y = (start.down - way) % 1.0 * loop - radius / 2
    return Track(_between(start.across, radius, width) + still, y, angle, scale, (0.0, loop))


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


def _between(share: float, margin: float, length: int) -> float:
    """A place that keeps `margin` from both ends, or the middle where there is no room."""
    return length / 2 + (share - 0.5) * max(0.0, length - 2 * margin)
