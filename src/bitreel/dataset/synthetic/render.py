"""One synthetic clip: a sprite that moves over a background, drawn frame by frame."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitreel.dataset.synthetic.looks import Look, draw_background, draw_sprite
from bitreel.dataset.synthetic.motions import REVERSAL_OF, SCALES, SPRITE_RADIUS, Start, track
from bitreel.errors import ConfigError

SHADOW = 0.28  # how dark a sprite's shadow is
SHADOW_OFFSET = 0.12  # in radii, to the right and down


@dataclass(frozen=True)
class Difficulty:
    """What lies between the motion and the eye.

    jitter_pixels: standard deviation of a shaking camera. noise: of grey levels, in each pixel.
    flicker: of the brightness of whole frames, as a share. background_contrast: 0 plain to 1 loud.
    """

    jitter_pixels: float = 0.0
    noise: float = 1.5
    flicker: float = 0.0
    background_contrast: float = 0.25

    def __post_init__(self) -> None:
        if min(astuple(self)) < 0 or self.background_contrast > 1:
            raise ConfigError(
                f"Expected no value below 0 and a background_contrast of at most 1, got {self}."
            )


EASY = Difficulty()
HARD = Difficulty(jitter_pixels=1.5, noise=6.0, flicker=0.04, background_contrast=0.8)


@dataclass(frozen=True)
class Scene:
    """All of a clip but its motion and its look. Clips of one scene share the frames' setting."""

    start: Start
    background: str
    background_colours: int
    sprite_colours: int
    seed: tuple[int, ...]  # of the background's placement, the jitter, the noise and the flicker


def render_clip(
    motion: str,
    look: Look,
    scene: Scene,
    *,
    frames: int = 32,
    size: tuple[int, int] = (120, 160),
    difficulty: Difficulty = EASY,
) -> NDArray[np.uint8]:
    """Frames uint8 [T,H,W,3] of one motion. size: (height, width).

    A motion and its reversal give exactly the same frames in opposite order.
    """
    rng = np.random.default_rng(scene.seed)
    if motion in REVERSAL_OF:
        forward = REVERSAL_OF[motion]
        clip = render_clip(forward, look, scene, frames=frames, size=size, difficulty=difficulty)
        return np.ascontiguousarray(clip[::-1])
    shifts = rng.normal(0.0, difficulty.jitter_pixels, (frames, 2))
    background = draw_background(
        scene.background,
        colours=scene.background_colours,
        size=size,
        contrast=difficulty.background_contrast,
        rng=rng,
    )
    pictures = _move_sprite(motion, look, scene, background, shifts)
    return _disturb(pictures, difficulty, rng)


def _move_sprite(
    motion: str,
    look: Look,
    scene: Scene,
    background: NDArray[np.uint8],
    shifts: NDArray[np.float64],
) -> NDArray[np.uint8]:
    size = background.shape[0], background.shape[1]
    radius = SPRITE_RADIUS * min(size)
    path = track(motion, scene.start, frames=len(shifts), size=size)
    # Drawn near the size it is seen at, so that the per-frame transform only has to interpolate.
    drawn = draw_sprite(look, colours=scene.sprite_colours, radius=radius * max(SCALES))
    drop = SHADOW_OFFSET * radius
    spare = int(np.ceil(np.abs(shifts).max()))
    padded = np.pad(background, ((spare, spare), (spare, spare), (0, 0)), mode="edge")
    pictures = np.empty((len(shifts), *background.shape), np.uint8)
    for number, (x, y, angle, scale) in enumerate(
        zip(path.x, path.y, path.angle_degrees, path.scale, strict=True)
    ):
        down, right = (round(shift) for shift in shifts[number])
        top, left = spare - down, spare - right
        canvas = Image.fromarray(padded[top : top + size[0], left : left + size[1]])
        sprite, corner = _place(drawn, (x + right, y + down), angle, scale / max(SCALES))
        for across, down in product((-1, 0, 1), repeat=2):
            again = round(corner[0] + across * path.loop[0]), round(corner[1] + down * path.loop[1])
            _paste(canvas, sprite, again, drop)
        pictures[number] = np.asarray(canvas)
    return pictures


def _paste(canvas: Image.Image, sprite: Image.Image, corner: tuple[int, ...], drop: float) -> None:
    left, top = corner
    if -sprite.width < left < canvas.width and -sprite.height < top < canvas.height:
        alpha = sprite.getchannel("A")
        shade = alpha.point([round(SHADOW * level) for level in range(256)])
        canvas.paste((20, 20, 30), (round(left + drop), round(top + drop)), shade)
        canvas.paste(sprite, (left, top), alpha)


def _place(
    drawn: Image.Image, centre: tuple[float, float], angle_degrees: float, zoom: float
) -> tuple[Image.Image, tuple[int, int]]:
    """The sprite turned clockwise and scaled, in a box just large enough, and the box's corner."""
    half = math.ceil(drawn.width / 2 * zoom * math.sqrt(2)) + 1
    left, top = math.floor(centre[0]) - half, math.floor(centre[1]) - half
    turn = math.radians(angle_degrees)
    cos, sin = math.cos(turn) / zoom, math.sin(turn) / zoom
    # The transform asks, for each pixel of the box, where in the drawing it comes from.
    off_x, off_y = centre[0] - left, centre[1] - top
    middle = drawn.width / 2
    coefficients = (
        cos,
        sin,
        middle - cos * off_x - sin * off_y,
        -sin,
        cos,
        middle + sin * off_x - cos * off_y,
    )
    box = drawn.transform(
        (2 * half, 2 * half), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
    )
    return box, (left, top)


def _disturb(
    pictures: NDArray[np.uint8], difficulty: Difficulty, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Noise and flicker. A field of noise shifted for each frame costs a tenth of a fresh one."""
    frames, height, width, _ = pictures.shape
    if difficulty.noise == 0 and difficulty.flicker == 0:
        return pictures
    spare = 32
    field = rng.normal(0.0, difficulty.noise, (height + spare, width + spare, 3))
    noise = np.rint(field).astype(np.int16)
    gains = 1.0 + rng.normal(0.0, difficulty.flicker, (frames,))
    places = rng.integers(0, spare, (frames, 2))
    for picture, gain, (top, left) in zip(pictures, gains.tolist(), places, strict=True):
        lit = picture.astype(np.int16)
        if difficulty.flicker:
            lit = np.rint(picture * gain).astype(np.int16)
        lit += noise[top : top + height, left : left + width]
        picture[:] = np.clip(lit, 0, 255)
    return pictures
