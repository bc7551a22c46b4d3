"""A search that never took place, for the tests of what is told of searches."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from bitreel.training import TrainConfig
from bitreel.training.presets import make_config
from bitreel.training.search_space import MARGIN, RATIO, SearchSpace, with_ratio
from bitreel.training.tune import CURVE
from bitreel.training.tuning import CurvePoint, Tried, TuneOptions, Tuning, rank_finalists

SEEDS = 6


def made_up(
    *, gain: float = 0.08, widths: tuple[int, ...] = (64,), curve: bool = True, **changes: Any
) -> Tuning:
    """mAP@10 is best at beta/alpha = 1/4; the best point gains `gain` on the defaults."""
    base = make_config("seed", options=changes)
    space = SearchSpace(base, widths=widths)
    generator = np.random.default_rng(0)
    tried = [_tried(space, generator, widths[n % len(widths)]) for n in range(30)]
    options = TuneOptions(trials=30, seeds=3, final_seeds=SEEDS, curve=curve)
    finalists = {width: _finalists(space, width, gain, generator) for width in widths}
    points = [_curve_point(base, ratio, generator) for ratio in CURVE] if curve else []
    importance = {RATIO: 0.6, "learning_rate": 0.3, "encoder": 0.1}
    return Tuning(
        "made <up>", 428, space, options, tuple(tried), finalists, tuple(points), importance
    )


def _tried(space: SearchSpace, generator: np.random.Generator, width: int) -> Tried:
    point = dict(space.default(width))
    point |= {RATIO: float(generator.uniform(-8, 4)), MARGIN: 2 ** float(generator.uniform(-5, 0))}
    point["learning_rate"] = 10 ** float(generator.uniform(-4, -2))
    point["triplets"] = str(generator.choice(["random", "hard"]))
    point["encoder"] = str(generator.choice(space.encoders))
    mean = _mean(float(point[RATIO])) + float(generator.normal()) * 0.02
    return Tried(point, mean, pruned=mean < 0.5)


def _mean(ratio: float) -> float:
    return 0.5 + 0.1 / (1 + (ratio + 2) ** 2) if math.isfinite(ratio) else 0.42


def _finalists(
    space: SearchSpace, width: int, gain: float, generator: np.random.Generator
) -> tuple[Any, ...]:
    default = space.config(space.default(width))
    best = with_ratio(replace(default, encoder=space.encoders[-1]), -2.0)
    other = with_ratio(default, -1.0)
    level = 0.5 + 0.02 * math.log2(width / 64)
    splits = generator.normal(size=SEEDS) * 0.03

    def scores(mean: float) -> tuple[float, ...]:
        noise = generator.normal(size=SEEDS) * 0.01
        return tuple(float(value) for value in level + mean + splits + noise - noise.mean())

    rows = {default: scores(0.0), best: scores(gain), other: scores(gain / 2 - 0.01)}
    searched = {default: 0.5, best: 0.62, other: 0.61}
    return rank_finalists(searched, rows, space.base, 2)


def _curve_point(base: TrainConfig, ratio: float, generator: np.random.Generator) -> CurvePoint:
    scores = _mean(ratio) + generator.normal(size=SEEDS) * 0.02
    return CurvePoint(ratio, with_ratio(base, ratio), tuple(map(float, scores)))
