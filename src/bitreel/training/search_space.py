"""What `bitreel tune` varies, and how a point of that space becomes the options of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from bitreel.errors import ConfigError
from bitreel.loss import TripletStrategy
from bitreel.network import Encoder, find_encoder
from bitreel.network.fusion import FUSIONS
from bitreel.training.config import TrainConfig

RATIO = "log2(beta/alpha)"
MARGIN = "margin / bits"
Value = float | int | str
Point = Mapping[str, Value]


@dataclass(frozen=True)
class Range:
    """A number from `low` to `high`; log: drawn evenly over its logarithm."""

    low: float
    high: float
    log: bool = False

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high


@dataclass(frozen=True)
class Choice:
    """One of a few values."""

    values: tuple[Value, ...]

    def __contains__(self, value: object) -> bool:
        return value in self.values


Dimension = Range | Choice

# Of the two weights only the ratio can be told from the scores: AdamW divides a gradient by its own
# size, so alpha and beta times any factor train the same head. Their sum stays that of the base.
RATIO_RANGE = Range(-8.0, 4.0)
_TWO_TERM: dict[str, Dimension] = {
    RATIO: RATIO_RANGE,
    MARGIN: Range(1 / 32, 1.0, log=True),
    "triplets": Choice(get_args(TripletStrategy)),
}
# A weight of 0 leaves a term out, so these are drawn evenly and not by their logarithm.
_OF_FIXED_CODES: dict[str, Dimension] = {
    "quantisation": Range(0.0, 1.0),
    "balance": Range(0.0, 1.0),
}
_RATE = Range(1e-4, 1e-2, log=True)
_DIMENSIONS: dict[str, dict[str, Dimension]] = {
    "two-term": _TWO_TERM | {"learning_rate": _RATE},
    "ortho": _OF_FIXED_CODES | {"learning_rate": _RATE},
    "central": _OF_FIXED_CODES | {"learning_rate": _RATE},
    "ridge": {"ridge": Range(1e-4, 1.0, log=True)},
}


class SearchSpace:
    """The dimensions for a base of options, by name.

    encoders: those to choose from, which must share their features, as the fusions do; None: all
    fusions. widths: bits, one or several. Raises ConfigError for what can not be tuned.
    """

    def __init__(
        self,
        base: TrainConfig,
        *,
        encoders: tuple[str, ...] | None = None,
        widths: tuple[int, ...] | None = None,
    ) -> None:
        if base.finetune or base.loss not in _DIMENSIONS:
            what = "finetune" if base.finetune else f"The loss {base.loss}"
            raise ConfigError(
                f"{what} can not be tuned: tune trains the head on cached features, with "
                f"{', '.join(_DIMENSIONS)} as the loss."
            )
        self.base = replace(base, refit=False)
        self.encoders = encoders or _fusions_of(base)
        self.widths = widths or (base.bits,)
        check_same_features(base, self.encoders)
        for width in self.widths:
            replace(self.base, bits=width)
        self.dimensions: dict[str, Dimension] = {
            **_DIMENSIONS[base.loss],
            "encoder": Choice(self.encoders),
            "bits": Choice(self.widths),
        }

    def default(self, width: int) -> dict[str, Value]:
        """Where the base stands, for codes of that width. It may lie outside of the space."""
        return self.point(self.base) | {"bits": width}

    def point(self, config: TrainConfig) -> dict[str, Value]:
        """Where the options of a run stand in the space: the inverse of `config`."""
        values: dict[str, Value] = {
            name: getattr(config, name) for name in self.dimensions if hasattr(config, name)
        }
        if config.loss == "two-term":
            values[RATIO] = ratio_of(config)
            values[MARGIN] = 0.25 if config.margin is None else config.margin / config.bits
        return {name: values[name] for name in self.dimensions}

    def holds(self, point: Point) -> bool:
        """Whether every value lies in its dimension."""
        return all(point[name] in dimension for name, dimension in self.dimensions.items())

    def config(self, point: Point, *, seed: int | None = None) -> TrainConfig:
        """The options of a run. seed: None is the base's."""
        base = self.base
        options: dict[str, Any] = {
            name: _rounded(value) if isinstance(value, float) else value
            for name, value in point.items()
            if name not in (RATIO, MARGIN)
        }
        if RATIO in point:
            base = with_ratio(base, float(point[RATIO]))
        if MARGIN in point:
            options["margin"] = _rounded(float(point[MARGIN]) * int(point["bits"]))
        seed = base.seed if seed is None else seed
        return replace(base, **options, seed=seed)


def ratio_of(config: TrainConfig) -> float:
    """log2(beta / alpha): ∞ without the classification term, −∞ without the triplet term."""
    if not config.alpha:
        return math.inf
    return math.log2(config.beta / config.alpha) if config.beta else -math.inf


def with_ratio(config: TrainConfig, log2_ratio: float) -> TrainConfig:
    """The options with beta/alpha = 2^log2_ratio and the sum that they had; ±∞ allowed."""
    total = config.alpha + config.beta
    alpha = 0.0 if log2_ratio == math.inf else total / (1 + 2.0**log2_ratio)
    return replace(config, alpha=_rounded(alpha), beta=_rounded(total - alpha))


def check_same_features(base: TrainConfig, encoders: tuple[str, ...]) -> None:
    """Raises ConfigError for encoders whose pictures meet at different places in the CNN."""
    if len({find_encoder(encoder).mixing for encoder in encoders}) > 1:
        raise ConfigError(
            f"The encoders {', '.join(encoders)} need features of their own each: tune compares "
            f"fusions of the same features. Compare these by bitreel ablate."
        )
    for encoder in encoders:
        replace(base, encoder=encoder)


def _fusions_of(base: TrainConfig) -> tuple[str, ...]:
    mixing = find_encoder(base.encoder).mixing
    # Where nothing below the hash layer is trained, weighted and attention are the mean.
    names = ("mean", "segments") if base.is_fitted else FUSIONS
    found = [str(Encoder(mixing, fusion)) for fusion in names]  # type: ignore[arg-type]
    return tuple(dict.fromkeys([base.encoder, *found]))


def _rounded(value: float) -> float:
    """Four significant digits: what a config file shows is what was tried."""
    return float(f"{value:.4g}")
