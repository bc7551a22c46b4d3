"""One set of options tried: the head trained on features read once, scored on held-out groups."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.dataset import Dataset, Example
from bitreel.evaluation import evaluate_codes
from bitreel.model import Model
from bitreel.network import one_thread
from bitreel.progress import Progress, silent
from bitreel.training.config import TrainConfig
from bitreel.training.features import LabelledFeatures, labelled_features
from bitreel.training.fit import HEADLINE, Fit, TrainingData
from bitreel.training.fitted import fit_head
from bitreel.training.inputs import make_inputs
from bitreel.training.mirror import check_mirror
from bitreel.training.start import fresh_model, labels_of, launch, split_for_training


@dataclass(frozen=True, eq=False)
class Scores:
    """mAP@10 of each query, float64 [Q], with the query's name and its group."""

    per_query: NDArray[np.float64]
    queries: tuple[str, ...]
    groups: tuple[str, ...]

    @property
    def mean(self) -> float:
        return float(self.per_query.mean())

    def to_json(self) -> dict[str, Any]:
        per_query = [float(score) for score in self.per_query]
        return {
            HEADLINE: self.mean,
            "per_query": per_query,
            "queries": self.queries,
            "groups": self.groups,
        }

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Scores:
        """The inverse of `to_json`."""
        per_query = np.array(facts["per_query"], np.float64)
        return cls(per_query, tuple(facts["queries"]), tuple(facts["groups"]))


class Validator:
    """Trains with given options and scores on held-out groups of the database part.

    The same as `bitreel train --no-refit`, to the bit, without the reading of features for each
    set of options: those last used are kept in memory. The seed of the options chooses the groups
    that are held out as well as the start of the training.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        cache: Path,
        accelerator: str = "auto",
        progress: Progress = silent,
    ) -> None:
        self._dataset, self._cache, self._progress = dataset, cache, progress
        self._accelerator = accelerator
        self._last: tuple[object, LabelledFeatures] | None = None

    @cached_property
    def labels(self) -> tuple[str, ...]:
        return labels_of(self._dataset)

    def features(self, config: TrainConfig) -> LabelledFeatures:
        """The features that these options train on."""
        return self._features(fresh_model(config, self.labels, self._fabric(config))[0], config)

    def __call__(self, config: TrainConfig) -> Scores:
        """Raises DataError, ConfigError, WeightsError, as `train` does."""
        model, _ = fresh_model(config, self.labels, self._fabric(config))
        features = self._features(model, config)
        data = split_for_training(features, self.labels, config)
        if config.is_fitted:
            with one_thread():
                fit_head(model, features, data.training, config)
            return _scores(model.encode_features(features.streams), data, features)
        return _scores(self._fit(model, features, data, config), data, features)

    def _features(self, model: Model, config: TrainConfig) -> LabelledFeatures:
        if config.mirror:
            check_mirror(self.labels)
        mirrored = config.mirror and not config.finetune
        wanted = model.features_fingerprints, mirrored
        if self._last is None or self._last[0] != wanted:
            self._last = None  # before the next are read: two may not fit in memory
            features = labelled_features(
                model,
                self._dataset.database,
                cache=self._cache,
                mirrored=mirrored,
                progress=self._progress,
            )
            self._last = wanted, features
        return self._last[1]

    def _fit(
        self, model: Model, features: LabelledFeatures, data: TrainingData, config: TrainConfig
    ) -> BinaryCodes:
        """Train, and encode all examples with the weights of the best epoch."""
        inputs = make_inputs(model, features, config)
        inputs.standardise(data.training)
        fit = Fit(
            model,
            inputs,
            data,
            config,
            phase="training",
            epochs=config.epochs,
            fabric=self._fabric(config),
            output=None,
        )
        with nullcontext() if config.finetune else one_thread():
            fit.run(progress=silent)
        return inputs.codes()

    def _fabric(self, config: TrainConfig) -> Any:
        return launch(config, accelerator=self._accelerator, devices=1)


def _scores(codes: BinaryCodes, data: TrainingData, features: LabelledFeatures) -> Scores:
    """The validation part asks, the training part answers."""
    query, database = list(data.validation), list(data.training)
    labels = np.asarray(data.labels)
    evaluation = evaluate_codes(codes[query], labels[query], codes[database], labels[database])
    asked = [features.examples[row] for row in query]
    return scores_of(evaluation.per_query[HEADLINE], asked)


def scores_of(per_query: NDArray[np.float64], asked: list[Example]) -> Scores:
    """Figures with the names of the queries that they belong to."""
    names = tuple(f"{example.label}/{example.path.name}" for example in asked)
    return Scores(per_query, names, tuple(example.group for example in asked))
