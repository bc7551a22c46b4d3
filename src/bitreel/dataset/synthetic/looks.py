"""What the synthetic sprites and their backgrounds look like: textures, shapes, colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

TEXTURES = ("striped", "checked", "dotted", "halved", "ringed", "wavy")
SHAPES = ("disc", "square", "triangle", "star", "heart")
BACKGROUNDS = ("gradient", "stripes", "dots", "checks", "clouds", "waves")
SUPERSAMPLING = 3
BORDER = 1.12  # half a sprite's canvas, in radii: room for its soft edge

# (light or dark tone, tone it fades to at full contrast)
GROUND_COLOURS = (
    ("#f2e6d3", "#b08a55"),
    ("#dfe8ec", "#6f93a5"),
    ("#e0e9d6", "#7f9f63"),
    ("#f5e0da", "#c07a6b"),
    ("#e6e1f2", "#8d7fb8"),
    ("#3a4452", "#8092a8"),
    ("#2e3047", "#7b7fb0"),
    ("#30463b", "#7da08d"),
)
# (first colour, second colour, outline)
SPRITE_COLOURS = (
    ("#e4572e", "#ffe3cf", "#7d2410"),
    ("#0e8f8c", "#e8fbf6", "#064443"),
    ("#1d4e89", "#ffc857", "#10294a"),
    ("#7b2d80", "#fbb9cb", "#40124a"),
    ("#2d7a4f", "#dcf5a8", "#143d27"),
    ("#2a6fdb", "#d4eaff", "#123a7a"),
    ("#c3243b", "#fff1f1", "#5f0c19"),
    ("#f08a24", "#5b2e12", "#3a1b08"),
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, order=True)
class Look:
    """A sprite's texture and shape: what an appearance code should find."""

    texture: str
    shape: str

    def __str__(self) -> str:
        return f"{self.texture}-{self.shape}"


LOOKS = tuple(Look(texture, shape) for texture in TEXTURES for shape in SHAPES)
# Combinations that only queries show; each texture and each shape stays in the database too.
QUERY_LOOKS = tuple(LOOKS[row] for row in (1, 4, 8, 10, 17, 19, 23, 26))
# Twelve looks, two of each texture and two or three of each shape, so that neither is enough.
CLASS_LOOKS = tuple(LOOKS[5 * row + (row + step) % 5] for row in range(6) for step in (0, 2))


def draw_sprite(look: Look, *, colours: int, radius: float) -> Image.Image:
    """A sprite as RGBA with a soft edge and an outline, `radius` pixels from centre to rim."""
    side = 2 * round(BORDER * radius) * SUPERSAMPLING
    first, second, outline = (_rgb(colour) for colour in SPRITE_COLOURS[colours])
    mask, inner = _silhouette(look.shape, side)
    pattern = _texture(look.texture, side)[..., None]
    body = first + (second - first) * pattern
    # Colour under the transparent rim too, so that scaling mixes in no black.
    picture = outline + (body - outline) * (np.asarray(inner, np.float64) / 255)[..., None]
    image = Image.fromarray(np.rint(picture).astype(np.uint8))
    image.putalpha(mask)
    return image.reduce(SUPERSAMPLING)


def draw_background(
    kind: str, *, colours: int, size: tuple[int, int], contrast: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """A background uint8 [H,W,3]. contrast 0..1: how far its second tone is from the first."""
    height, width = size
    unit = min(size)
    y, x = np.mgrid[:height, :width] / unit
    tilt = rng.uniform(0, 2 * np.pi)
    shift_x, shift_y = rng.uniform(0, 1, 2)
    along = x * np.cos(tilt) + y * np.sin(tilt) + shift_x
    across = y * np.cos(tilt) - x * np.sin(tilt) + shift_y
    match kind:
        case "gradient":
            value = (along - along.min()) / np.ptp(along)
        case "stripes":
            value = _step(np.sin(2 * np.pi * 5 * along), 6)
        case "dots":
            value = _step(0.09 - _to_grid(along, across, 0.22), unit / 2)
        case "checks":
            value = _step(np.sin(np.pi * 5 * along) * np.sin(np.pi * 5 * across), 6)
        case "waves":
            value = _step(np.sin(2 * np.pi * (4 * along + 0.25 * np.sin(2 * np.pi * across))), 6)
        case "clouds":
            value = _clouds(size, rng)
        case _:
            raise KeyError(kind)
    first, second = (_rgb(colour) for colour in GROUND_COLOURS[colours])
    picture: Floats = first + (second - first) * (contrast * value)[..., None]
    return np.rint(picture).astype(np.uint8)


def _texture(kind: str, side: int) -> Floats:
    """A pattern 0..1 over [side,side], none of which looks the same after a turn by 90 degrees."""
    y, x = np.mgrid[:side, :side] * (2 / side) - 1
    soft = side / 8
    match kind:
        case "striped":
            return _step(np.sin(2 * np.pi * 1.5 * x), 8)
        case "checked":
            return _step(np.sin(np.pi * 2.2 * x + 0.6) * np.sin(np.pi * 2.2 * y + 1.0), 8)
        case "dotted":
            return _step(0.14 - _to_grid(x + 0.13, y + 0.13, 0.46), soft)
        case "halved":
            return _step(x + 0.12, soft)
        case "ringed":
            return _step(np.sin(2 * np.pi * 1.6 * np.hypot(x + 0.3, y + 0.3)), 8)
        case "wavy":
            return _step(np.sin(2 * np.pi * (1.7 * y + 0.22 * np.sin(2 * np.pi * x))), 8)
        case _:
            raise KeyError(kind)


def _silhouette(shape: str, side: int) -> tuple[Image.Image, Image.Image]:
    """Masks of the whole shape and of what is inside its outline, with rounded corners."""
    corners = (_corners(shape) / BORDER + 1) * (side / 2)
    drawn = Image.new("L", (side, side))
    ImageDraw.Draw(drawn).polygon([(float(x), float(y)) for x, y in corners], fill=255)
    # A blurred silhouette, cut at half its height, has round corners; cut higher, it is smaller.
    blurred = drawn.filter(ImageFilter.GaussianBlur(side / 40))
    steep = side / 40
    mask = blurred.point([_cut(level, 0.5, steep) for level in range(256)])
    thinner = mask.filter(ImageFilter.GaussianBlur(side / 32))
    return mask, thinner.point([_cut(level, 0.85, steep) for level in range(256)])


def _corners(shape: str) -> Floats:
    """Corners [N,2] of a shape around the origin, at most 1 away from it."""
    match shape:
        case "disc":
            angle, reach = np.arange(48) / 48, np.full(48, 0.92)
        case "square":
            angle, reach = np.arange(4) / 4 + 0.125, np.ones(4)
        case "triangle":
            angle, reach = np.arange(3) / 3 - 0.25, np.ones(3)
        case "star":
            angle, reach = np.arange(10) / 10 - 0.25, np.tile([1.0, 0.5], 5)
        case "heart":
            turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
            up = 13 * np.cos(turn) - 5 * np.cos(2 * turn) - 2 * np.cos(3 * turn) - np.cos(4 * turn)
            return np.stack([16 * np.sin(turn) ** 3, -up - 2.5], axis=1) / 17
        case _:
            raise KeyError(shape)
    turn = 2 * np.pi * angle
    return np.stack([reach * np.cos(turn), reach * np.sin(turn)], axis=1)


def _cut(level: int, at: float, steep: float) -> int:
    return round(255 * min(1.0, max(0.0, (level / 255 - at) * steep + 0.5)))


def _clouds(size: tuple[int, int], rng: np.random.Generator) -> Floats:
    height, width = size
    coarse = rng.uniform(0, 255, (5, 7)).astype(np.uint8)
    smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(smooth, np.float64) / 255


def _to_grid(x: Floats, y: Floats, spacing: float) -> Floats:
    """Distance to the nearest point of a square grid."""
    return np.hypot((x / spacing + 0.5) % 1.0 - 0.5, (y / spacing + 0.5) % 1.0 - 0.5) * spacing


def _step(value: Floats, steepness: float) -> Floats:
    """From 0 to 1 where the value crosses 0, with an edge that does not flicker in motion."""
    return np.clip(value * steepness + 0.5, 0.0, 1.0)


def _rgb(colour: str) -> Floats:
    return np.frombuffer(bytes.fromhex(colour[1:]), np.uint8).astype(np.float64)
