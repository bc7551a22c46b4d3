"""Which clips a synthetic set has: from settings to labels, groups and splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeVar, get_args

import numpy as np

from bitreel.dataset.example import Example, Split
from bitreel.dataset.synthetic.looks import (
    BACKGROUNDS,
    CLASS_LOOKS,
    GROUND_COLOURS,
    LOOKS,
    QUERY_LOOKS,
    SPRITE_COLOURS,
    Look,
)
from bitreel.dataset.synthetic.motions import MOTIONS, Start
from bitreel.dataset.synthetic.render import EASY, Difficulty, Scene
from bitreel.errors import ConfigError

Task = Literal["motion", "appearance", "both"]
GENERATOR = 2  # counts up when the same settings give other clips

Item = TypeVar("Item")


@dataclass(frozen=True)
class Settings:
    """All that decides which bytes are written. size: (height, width) in pixels."""

    task: Task = "both"
    clips_per_class: int = 20
    query_fraction: float = 0.25
    frames: int = 32
    size: tuple[int, int] = (120, 160)
    frames_per_second: int = 25
    seed: int = 0
    difficulty: Difficulty = field(default=EASY)

    def __post_init__(self) -> None:
        height, width = self.size
        for holds, expected in (
            (self.task in get_args(Task), f"a task out of {', '.join(get_args(Task))}"),
            (self.clips_per_class >= 1, "clips_per_class of at least 1"),
            (0 <= self.query_fraction < 1, "a query_fraction of 0 or more and below 1"),
            (self.frames >= 2, "at least 2 frames"),
            (min(self.size) >= 32, "a size of at least 32 pixels"),
            (height % 2 == width % 2 == 0, "an even height and width, as the codec needs"),
            (self.frames_per_second >= 1, "frames_per_second of at least 1"),
            (self.seed >= 0, "a seed of 0 or more"),
        ):
            if not holds:
                raise ConfigError(f"Expected {expected}, got {self}.")

    @property
    def queries_per_class(self) -> int:
        """At least one when there is a fraction, and never all."""
        if not self.query_fraction or self.clips_per_class == 1:
            return 0
        wanted = round(self.query_fraction * self.clips_per_class)
        return min(max(1, wanted), self.clips_per_class - 1)

    def as_json(self) -> dict[str, Any]:
        """The settings and the generator's own version, in types that JSON has."""
        return {**asdict(self), "size": list(self.size), "generator": GENERATOR}


@dataclass(frozen=True)
class PlannedClip:
    """One clip to be drawn. place: where it goes, relative to the set's folder."""

    place: PurePosixPath
    label: str
    motion: str
    look: Look
    scene: Scene
    group: str
    split: Split

    def example(self, folder: Path) -> Example:
        return Example(folder / self.place, self.label, self.group, self.split)


def plan_clips(settings: Settings) -> list[PlannedClip]:
    """The clips of a set, class by class.

    A scene (background, colours, start, speed) is used once in every class, so what is not the
    label is spread in exactly the same way over all classes, and a scene is one group.
    """
    clips: list[PlannedClip] = []
    for number in range(settings.clips_per_class):
        asks = number >= settings.clips_per_class - settings.queries_per_class
        scene = _draw_scene(settings.seed, number)
        for label, motion, look in _classes(settings, number, asks=asks):
            clips.append(
                PlannedClip(
                    place=PurePosixPath(label, f"scene{number:04}.mp4"),
                    label=label,
                    motion=motion,
                    look=look,
                    scene=scene,
                    group=f"scene{number:04}",
                    split="query" if asks else "database",
                )
            )
    order = {clip.label: place for place, clip in reversed(list(enumerate(clips)))}
    return sorted(clips, key=lambda clip: order[clip.label])


def _classes(settings: Settings, number: int, *, asks: bool) -> list[tuple[str, str, Look]]:
    """(label, motion, look) of every class, in scene `number`."""
    if settings.task == "both":
        pairs = zip(MOTIONS, CLASS_LOOKS, strict=True)
        return [(f"{look}-{motion}", motion, look) for motion, look in pairs]
    if settings.task == "appearance":
        motion = _turn(MOTIONS, settings.seed, number)
        return [(str(look), motion, look) for look in CLASS_LOOKS]
    known = tuple(look for look in LOOKS if look not in QUERY_LOOKS)
    look = _turn(QUERY_LOOKS if asks else known, settings.seed, number)
    return [(motion, motion, look) for motion in MOTIONS]


def _turn(items: Sequence[Item], seed: int, number: int) -> Item:
    """Items in a shuffled order that begins anew: none comes twice before all have come once."""
    order = np.random.default_rng((seed, 1)).permutation(len(items))
    return items[int(order[number % len(items)])]


def _draw_scene(seed: int, number: int) -> Scene:
    rng = np.random.default_rng((seed, 2, number))
    return Scene(
        start=Start(*(float(value) for value in rng.uniform(size=6))),
        background=_turn(BACKGROUNDS, seed, number),
        background_colours=_turn(range(len(GROUND_COLOURS)), seed, number),
        sprite_colours=int(rng.integers(len(SPRITE_COLOURS))),
        seed=(seed, 3, number),
    )
