"""The search for better options: points by Optuna, the best of them tried again on fresh seeds.

OUTPUT/
  study.sqlite   the points of the search
  results/       the scores of each set of options and seed, whichever step asked for them
  claims/        what running processes are at
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

from bitreel.config import to_json
from bitreel.dataset import Dataset, open_dataset
from bitreel.progress import Progress, Step, silent
from bitreel.training.claims import Claims
from bitreel.training.config import TrainConfig
from bitreel.training.feature_cache import default_cache
from bitreel.training.results import Facts, Results, key_of
from bitreel.training.search_space import RATIO_RANGE, SearchSpace, with_ratio
from bitreel.training.start import data_digest
from bitreel.training.study import Study, is_pruned, mean_of, points_by_width
from bitreel.training.trial import Scores, Validator
from bitreel.training.tuning import (
    FRESH_SEEDS_FROM,
    CurvePoint,
    Finalist,
    Tried,
    TuneOptions,
    Tuning,
    rank_finalists,
)

FINALISTS = 3  # of each width, beside the defaults
CURVE = (
    -math.inf,
    *map(float, range(int(RATIO_RANGE.low), int(RATIO_RANGE.high) + 1)),
    math.inf,
)


def tune(
    dataset: Dataset | str | Path,
    space: SearchSpace,
    options: TuneOptions | None = None,
    *,
    output: Path,
    cache: Path | None = None,
    accelerator: str = "auto",
    progress: Progress = silent,
) -> Tuning:
    """Search for the options with the best mAP@10 on held-out groups of the database part.

    The query part is never touched. A search that was killed goes on when it is called again, and
    several processes that call it for one output share the work. The best points of the search owe
    something to luck, so they and the defaults are tried again on fresh seeds, the same ones for
    all, and the choice is made there.

    Raises ConfigError where Optuna is missing or output holds another search; DataError.
    """
    options = options or TuneOptions()
    dataset = dataset if isinstance(dataset, Dataset) else open_dataset(dataset)
    claims = Claims(output / "claims")
    validator = Validator(
        dataset, cache=cache or default_cache(), accelerator=accelerator, progress=progress
    )
    with claims.take("features", wait=True):  # a second process finds them in the cache
        features = validator.features(space.base)
    digest = data_digest(features.examples, features.contents)
    facts = {
        "options": to_json(space.base),
        "encoders": space.encoders,
        "bits": space.widths,
        "seeds": options.seeds,
        "data": digest,
    }
    study = Study(output, space, claims, facts=facts)
    tuner = _Tuner(study, Results(output / "results", claims), validator, digest, options, progress)
    tuner.search()
    finalists = tuner.finals()
    return Tuning(
        dataset.name,
        len(features.examples),
        space,
        options,
        tuner.tried(),
        finalists,
        tuner.curve() if options.curve and space.base.loss == "two-term" else (),
        study.importance(),
    )


class _Tuner:
    """The three steps of a search, with what they share."""

    def __init__(
        self,
        study: Study,
        results: Results,
        validator: Validator,
        digest: str,
        options: TuneOptions,
        progress: Progress,
    ) -> None:
        self.study, self.space, self.results = study, study.space, results
        self.validator, self.digest = validator, digest
        self.options, self.progress = options, progress
        base = self.space.base.seed
        self.fresh = [base + FRESH_SEEDS_FROM + i for i in range(options.final_seeds)]

    def search(self) -> None:
        """Try points until there are as many as asked for, and none is being tried elsewhere."""
        begun, limit = time.monotonic(), self.options.timeout_seconds
        while True:
            late = limit is not None and time.monotonic() - begun > limit
            with ExitStack() as stack:
                trials = 0 if late else self.options.trials
                trial = self.study.ask(
                    trials, hold=lambda name: stack.enter_context(self.results.claims.take(name))
                )
                if trial is not None:
                    self._try(trial)
                    continue
            running = self.study.running()
            if not running:
                return
            self.results.claims.wait_for(running[0])

    def _try(self, trial: Any) -> None:
        """Score a point seed by seed, until it is below the others."""
        scores: list[float] = []
        for number in range(self.options.seeds):
            seed = self.space.base.seed + number
            scores.append(self.score(self.space.config(trial.params, seed=seed)))
            trial.report(fmean(scores), number)
            if number + 1 < self.options.seeds and self.study.is_hopeless(trial):
                self.study.tell(trial, None)
                break
        else:
            self.study.tell(trial, fmean(scores))
        done = self.study.finished()
        best = max((t.value for t in done if t.value is not None), default=0.0)
        note = f"mAP@10 {fmean(scores):.3f}  best {best:.3f}"
        self.progress(Step("points", len(done), max(self.options.trials, len(done)), note))

    def tried(self) -> tuple[Tried, ...]:
        """The points of the search that have a score."""
        return tuple(
            Tried(dict(trial.params), mean, is_pruned(trial))
            for trial in self.study.finished()
            if (mean := mean_of(trial)) is not None
        )

    def finals(self) -> dict[int, tuple[Finalist, ...]]:
        """The defaults and the best points of each width on the fresh seeds."""
        entered: dict[int, dict[TrainConfig, float | None]] = {}
        ranked = points_by_width(self.study.finished())
        for width in self.space.widths:
            points = {self.space.config(p): score for score, p in ranked.get(width, [])}
            default = self.space.config(self.space.default(width))
            best = [config for config in points if config != default][:FINALISTS]
            entered[width] = {c: points.get(c) for c in (default, *best)}
        scores = self._on_fresh_seeds(
            "finals", [c for configs in entered.values() for c in configs]
        )
        compared = max(1, sum(len(configs) - 1 for configs in entered.values()))
        return {
            width: rank_finalists(configs, scores, self.space.base, compared)
            for width, configs in entered.items()
        }

    def curve(self) -> tuple[CurvePoint, ...]:
        """A grid of beta/alpha with all else as in the base, at its width."""
        base = self.space.config(self.space.default(self.space.widths[0]))
        configs = {ratio: with_ratio(base, ratio) for ratio in CURVE}
        scores = self._on_fresh_seeds("curve", list(configs.values()))
        return tuple(CurvePoint(r, config, scores[config]) for r, config in configs.items())

    def _on_fresh_seeds(
        self, stage: str, configs: Sequence[TrainConfig]
    ) -> dict[TrainConfig, tuple[float, ...]]:
        """Seed after seed, so that a run that is stopped has compared all with each other."""
        runs = [replace(config, seed=seed) for seed in self.fresh for config in configs]
        by_key = {self._key(config): config for config in runs}

        def told(done: int) -> None:
            self.progress(Step(stage, done, len(by_key)))

        self.results.fill(by_key, lambda key: self._work(by_key[key]), told)
        return {
            config: tuple(self.score(replace(config, seed=seed)) for seed in self.fresh)
            for config in configs
        }

    def score(self, config: TrainConfig) -> float:
        """Validation mAP@10 of one training, from the results where it was done before."""
        found = self.results.once(self._key(config), lambda: self._work(config))
        return Scores.from_json(found or {}).mean

    def _work(self, config: TrainConfig) -> Facts:
        return {"config": to_json(config), **self.validator(config).to_json()}

    def _key(self, config: TrainConfig) -> str:
        return key_of(on="validation", config=to_json(config), data=self.digest)
