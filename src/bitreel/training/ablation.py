"""The table of an ablation: what was combined, and how each combination did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np

from bitreel.errors import ConfigError
from bitreel.evaluation.bootstrap import Interval
from bitreel.modality import find_modalities
from bitreel.network import find_encoder
from bitreel.training.config import LOSSES

Part = Literal["validation", "query"]


@dataclass(frozen=True)
class Combination:
    """One row of the table, by its words."""

    modality: str
    encoder: str
    loss: str
    bits: int

    @property
    def method(self) -> str:
        """All but the width."""
        return f"{self.modality} · {self.encoder} · {self.loss}"


@dataclass(frozen=True)
class AblationRow:
    """A combination and how it did.

    scores: mAP@10 of each seed. mean: over the queries of all seeds, which is what the intervals
    are of; None without scores. queries, groups: how many, all seeds pooled.
    interval: of the mean, by bootstrap over groups of queries, all seeds pooled; None where there
    is but one group. difference, difference_interval: to the first row, query by query; None for
    that row itself and where the queries are not the same. reason: why there are no scores.
    """

    combination: Combination
    mean: float | None = None
    scores: tuple[float, ...] = ()
    interval: Interval | None = None
    difference: float | None = None
    difference_interval: Interval | None = None
    queries: int = 0
    groups: int = 0
    reason: str | None = None

    @property
    def deviation(self) -> float | None:
        """Standard deviation over seeds."""
        return float(np.std(self.scores, ddof=1)) if len(self.scores) > 1 else None


@dataclass(frozen=True)
class Ablation:
    """The table, its rows in the order in which their words were given."""

    dataset: str
    on: Part
    seeds: tuple[int, ...]
    rows: tuple[AblationRow, ...]


def combinations(
    modalities: Sequence[str],
    encoders: Sequence[str],
    losses: Sequence[str],
    widths: Sequence[int],
) -> tuple[Combination, ...]:
    """All of them, each once, the last words changing fastest.

    Raises ConfigError for a word that none of them could be made with.
    """
    for words in modalities:
        find_modalities(words)
    for word in encoders:
        find_encoder(word)
    for name in losses:
        if name not in LOSSES:
            raise ConfigError(f"Unknown loss {name!r}: choose from {', '.join(LOSSES)}.")
    found = (Combination(*words) for words in product(modalities, encoders, losses, widths))
    return tuple(dict.fromkeys(found))
