"""The clips of a video as a library cuts it: for its segments, and for what is asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

from bitreel.clip import Clip, Damage
from bitreel.video import Segmenting

if TYPE_CHECKING:
    from bitreel.model import Model


def read_clips(
    model: Model,
    path: Path,
    segmenting: Segmenting,
    *,
    read: Callable[..., Iterator[Clip]] | None = None,
    start_seconds: float = 0.0,
    end_seconds: float | None = None,
) -> Iterator[Clip]:
    """What `model` wants to see of each segment of a video, or of a range of it, one by one.

    Each is the clip that `model.read` gives of its range. read: `read_segments` by default, or what
    does the same elsewhere. Raises as it does.
    """
    from bitreel.video import read_segments

    sampling = model.config.sampling
    return (read or read_segments)(
        path,
        segmenting,
        frames=sampling.frames * sampling.clips,
        size=(sampling.height, sampling.width),
        snippet=model.config.snippet,
        spacing_seconds=sampling.spacing_seconds,
        start_seconds=start_seconds,
        end_seconds=end_seconds,
    )


def total_damage(parts: Iterable[Damage]) -> Damage:
    """Of all clips of one pass together."""
    return Damage(*map(sum, zip(*map(astuple, parts), strict=True)))
