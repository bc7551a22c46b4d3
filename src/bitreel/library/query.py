"""What a library is asked with: the relaxed bits of each segment of a query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitreel.clip import Clip, Damage
from bitreel.library.reading import total_damage

if TYPE_CHECKING:
    from bitreel.model import Model


@dataclass(frozen=True, eq=False)
class Query:
    """A range of a video, of Q segments. relaxed: float32 [Q,K], their relaxed bits."""

    path: Path
    start_seconds: float
    end_seconds: float
    damage: Damage
    relaxed: NDArray[np.float32]


def encode_query(model: Model, clips: Iterable[Clip]) -> Query:
    """Encode the clips of a query, one at a time. Raises VideoError as they do."""
    segments, damages, relaxed = [], [], []
    for clip in clips:
        features = [part[None] for part in model.features(clip)]
        relaxed.append(model.relaxed_bits(features))
        segments.append(clip.segment)
        damages.append(clip.damage)
    return Query(
        path=segments[0].path.resolve(),
        start_seconds=segments[0].start_seconds,
        end_seconds=segments[-1].end_seconds,
        damage=total_damage(damages),
        relaxed=np.concatenate(relaxed),
    )
