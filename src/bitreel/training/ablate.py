"""What does each part bring? Every combination trained under several seeds, on the same splits.

OUTPUT/
  results/   the scores of each combination and seed, kept as they are done
  claims/    what running processes are at
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bitreel.config import from_json, to_json
from bitreel.dataset import Dataset, Example, open_dataset
from bitreel.errors import BitreelError, ConfigError, VideoError
from bitreel.evaluation.bootstrap import Interval, bootstrap_mean
from bitreel.progress import Progress, Step, silent
from bitreel.training.ablation import Ablation, AblationRow, Combination, Part
from bitreel.training.claims import Claims
from bitreel.training.config import TrainConfig
from bitreel.training.feature_cache import content_digest, default_cache
from bitreel.training.fit import HEADLINE
from bitreel.training.protocol import evaluate
from bitreel.training.results import Facts, NoResult, Results, key_of
from bitreel.training.run import train
from bitreel.training.start import data_digest
from bitreel.training.trial import Scores, Validator, scores_of


def ablate(
    dataset: Dataset | str | Path,
    base: TrainConfig,
    asked: Sequence[Combination],
    *,
    output: Path,
    seeds: int = 3,
    on: Part = "validation",
    cache: Path | None = None,
    accelerator: str = "auto",
    progress: Progress = silent,
) -> Ablation:
    """Train every combination under every seed, all other options as in `base`.

    on: `validation` scores held-out groups of the database part, other ones for each seed;
    `query` trains as `bitreel train` does and scores the official queries, which is for the last
    table and not for choosing. Results are kept one by one: a run that was killed goes on, a row
    that is added costs itself alone, and several processes share the work of one output.

    A combination that can not be trained is a row with the reason. Raises ConfigError, DataError.
    """
    if seeds < 1 or not asked:
        raise ConfigError("An ablation takes one combination or more, and one seed or more.")
    dataset = dataset if isinstance(dataset, Dataset) else open_dataset(dataset)
    cache = cache or default_cache()
    claims = Claims(output / "claims")
    results = Results(output / "results", claims)
    work: Callable[[TrainConfig], Scores] = Validator(
        dataset, cache=cache, accelerator=accelerator, progress=progress
    )
    if on == "query":
        work = _OfficialQueries(dataset, cache, accelerator, progress)
    runs = _Runs(base, asked, range(base.seed, base.seed + seeds), on, _digest(dataset, on))
    runs.fill(results, work, progress)
    rows = [runs.row(combination, results) for combination in asked]
    return Ablation(dataset.name, on, tuple(runs.seeds), tuple(rows))


class _Runs:
    """The trainings that the table needs, by the key of their result."""

    def __init__(
        self,
        base: TrainConfig,
        asked: Sequence[Combination],
        seeds: range,
        on: Part,
        digest: str,
    ) -> None:
        self.seeds = seeds
        self.reasons: dict[Combination, str] = {}
        self.keys: dict[Combination, list[str]] = {}
        self._configs: dict[str, tuple[Combination, TrainConfig]] = {}
        self._first: Scores | None = None
        for combination in asked:
            try:
                configs = [_config(base, combination, seed, on) for seed in seeds]
            except ConfigError as error:
                self.reasons[combination] = str(error)
                continue
            keys = [key_of(on=on, config=to_json(config), data=digest) for config in configs]
            self.keys[combination] = keys
            for key, config in zip(keys, configs, strict=True):
                self._configs[key] = combination, config

    def fill(
        self, results: Results, work: Callable[[TrainConfig], Scores], progress: Progress
    ) -> None:
        """Train what has no result yet: together what shares features, then seed by seed."""

        def told(done: int) -> None:
            progress(Step("rows", done, len(self._configs)))

        results.fill(self._in_order(), lambda key: self._work(key, work), told)

    def row(self, combination: Combination, results: Results) -> AblationRow:
        """The row of a combination; the first that has scores is what others are compared with."""
        found = [results.get(key) for key in self.keys.get(combination, [])]
        parts = [Scores.from_json(facts) for facts in found if facts is not None]
        if combination in self.reasons or not parts:
            reason = self.reasons.get(combination, "it was not trained")
            return AblationRow(combination, reason=reason)
        all_seeds = _pooled(parts)
        row = AblationRow(
            combination,
            all_seeds.mean,
            tuple(part.mean for part in parts),
            _interval(all_seeds.per_query, all_seeds.groups),
            queries=len(all_seeds.per_query),
            groups=len(set(all_seeds.groups)),
        )
        first = self._first = self._first or all_seeds
        if first is all_seeds or first.queries != all_seeds.queries:
            return row
        gains = all_seeds.per_query - first.per_query
        interval = _interval(gains, all_seeds.groups)
        return replace(row, difference=float(gains.mean()), difference_interval=interval)

    def _in_order(self) -> list[str]:
        """Runs on the same features one after the other, so that these are read once."""
        places: dict[tuple[object, ...], int] = {}
        for _, config in self._configs.values():
            places.setdefault(_origin(config), len(places))

        def place(key: str) -> tuple[int, int]:
            config = self._configs[key][1]
            return places[_origin(config)], config.seed

        return sorted(self._configs, key=place)

    def _work(self, key: str, work: Callable[[TrainConfig], Scores]) -> Facts:
        combination, config = self._configs[key]
        if combination in self.reasons:  # another seed would fail as well
            raise NoResult
        try:
            return {"config": to_json(config), **work(config).to_json()}
        except (BitreelError, RuntimeError) as error:  # torch's word for memory that ran out
            self.reasons[combination] = (str(error).splitlines() or [type(error).__name__])[0]
            raise NoResult from error


class _OfficialQueries:
    """Trains on all of the database part and scores the official queries."""

    def __init__(self, dataset: Dataset, cache: Path, accelerator: str, progress: Progress) -> None:
        self._dataset, self._cache = dataset, cache
        self._accelerator, self._progress = accelerator, progress

    def __call__(self, config: TrainConfig) -> Scores:
        def show(step: Step) -> None:
            if step.stage == "features":  # the epochs of hundreds of trainings would be noise
                self._progress(step)

        options: dict[str, Any] = {"cache": self._cache, "progress": show}
        model = train(self._dataset, config, accelerator=self._accelerator, **options)
        done = evaluate(model, self._dataset, **options)
        asked = [e for e in self._dataset.query if e.path not in done.unreadable]
        return scores_of(done.evaluation.per_query[HEADLINE], asked)


def _config(base: TrainConfig, words: Combination, seed: int, on: Part) -> TrainConfig:
    options: dict[str, Any] = {
        "modality": words.modality,
        "encoder": words.encoder,
        "loss": words.loss,
        "bits": words.bits,
    }
    config = to_json(base) | options | {"seed": seed, "refit": on == "query"}
    return from_json(TrainConfig, config, where="ablate")


def _origin(config: TrainConfig) -> tuple[str, str]:
    """What rows may differ in that have features of their own."""
    return config.modality, config.model(("any",)).encoder_parts.mixing


def _digest(dataset: Dataset, on: Part) -> str:
    """Of what is learnt from and, on official queries, of these."""
    parts = [dataset.database, dataset.query] if on == "query" else [dataset.database]
    return "-".join(_digest_of(part) for part in parts)


def _digest_of(examples: Sequence[Example]) -> str:
    found: dict[Example, str] = {}
    for example in examples:
        try:
            found[example] = content_digest(example.path)
        except VideoError:
            continue
    return data_digest(list(found), list(found.values()))


def _pooled(parts: Sequence[Scores]) -> Scores:
    """The queries of all seeds, one after another. A group is one group under every seed."""
    return Scores(
        np.concatenate([part.per_query for part in parts]),
        tuple(name for part in parts for name in part.queries),
        tuple(group for part in parts for group in part.groups),
    )


def _interval(values: np.ndarray, groups: Sequence[str]) -> Interval | None:
    return bootstrap_mean(values, groups) if len(set(groups)) > 1 else None
