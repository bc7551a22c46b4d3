"""What a search for options is asked, and what it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from bitreel.config import to_json
from bitreel.errors import ConfigError
from bitreel.evaluation.paired import Difference, paired_difference
from bitreel.training.config import TrainConfig
from bitreel.training.search_space import RATIO, SearchSpace, Value

FRESH_SEEDS_FROM = 1000  # above the base's: splits that no point of the search has seen


@dataclass(frozen=True)
class TuneOptions:
    """How much to search.

    trials: points in the whole study, over all processes. seeds: of each point. final_seeds: fresh
    ones for the best points and the defaults. timeout_seconds: after which this process begins no
    further point. curve: also try a grid of beta/alpha, all else as in the base.
    """

    trials: int = 40
    seeds: int = 3
    final_seeds: int = 10
    timeout_seconds: float | None = None
    curve: bool = False

    def __post_init__(self) -> None:
        if self.trials < 1 or not 1 <= self.seeds <= FRESH_SEEDS_FROM:
            raise ConfigError("A search takes one point or more, with one seed or more.")
        if not 2 <= self.final_seeds <= FRESH_SEEDS_FROM:
            raise ConfigError(
                f"The last comparison takes two seeds or more, got {self.final_seeds}: one tells "
                f"nothing of the spread."
            )


@dataclass(frozen=True)
class Tried:
    """A point of the search. mean: validation mAP@10 over the seeds it got before it was pruned."""

    point: dict[str, Value]
    mean: float
    pruned: bool


@dataclass(frozen=True)
class Finalist:
    """A point tried again on fresh seeds, with the difference to the defaults of its width.

    searched: its mean in the search, None for defaults outside of the space. The defaults
    themselves have no difference.
    """

    config: TrainConfig
    scores: tuple[float, ...]
    searched: float | None
    difference: Difference | None

    @property
    def mean(self) -> float:
        return fmean(self.scores)

    @property
    def is_default(self) -> bool:
        return self.difference is None


@dataclass(frozen=True)
class CurvePoint:
    """Scores of each fresh seed at a ratio of the two weights; ±∞: one term alone."""

    log2_ratio: float
    config: TrainConfig
    scores: tuple[float, ...]

    @property
    def mean(self) -> float:
        return fmean(self.scores)


@dataclass(frozen=True)
class Tuning:
    """What a search found. finalists: of each width, best first on the fresh seeds."""

    dataset: str
    clips: int
    space: SearchSpace
    options: TuneOptions
    tried: tuple[Tried, ...]
    finalists: dict[int, tuple[Finalist, ...]]
    curve: tuple[CurvePoint, ...]
    importance: dict[str, float] = field(default_factory=dict)

    def chosen(self, width: int) -> Finalist:
        """The best on the fresh seeds, which may be the defaults."""
        return self.finalists[width][0]

    @property
    def best(self) -> Finalist:
        """The best over all widths."""
        return max((self.chosen(width) for width in self.finalists), key=lambda f: f.mean)

    def default(self, width: int) -> Finalist:
        return next(f for f in self.finalists[width] if f.is_default)


def options_file(config: TrainConfig, space: SearchSpace) -> dict[str, Any]:
    """What `bitreel train --config` takes: all that was searched, and what is not the default.

    Neither the seed, which is the run's own, nor whether the model is trained anew in the end.
    """
    every = to_json(config)
    searched = {"alpha", "beta", "margin"} if RATIO in space.dimensions else set()
    named = {*searched, *space.dimensions, *to_json(config, without_defaults=True)}
    return {name: every[name] for name in every if name in named - {"seed", "refit"}}


def rank_finalists(
    configs: Mapping[TrainConfig, float | None],
    scores: Mapping[TrainConfig, tuple[float, ...]],
    base: TrainConfig,
    compared: int,
) -> tuple[Finalist, ...]:
    """Best first. configs: the defaults first, each with its mean in the search. scores: on the
    fresh seeds. compared: how many points are compared with defaults in all; the intervals are
    widened for it (Bonferroni), as one of several is more likely to look better by luck."""
    default, *others = configs
    found = [Finalist(default, scores[default], configs[default], None)]
    for config in others:
        difference = paired_difference(
            scores[config],
            scores[default],
            validation_fraction=base.validation_fraction,
            level=1 - 0.05 / compared,
        )
        found.append(Finalist(config, scores[config], configs[config], difference))
    return tuple(sorted(found, key=lambda finalist: -finalist.mean))
