"""A model on labelled videos: the query part asks, the database part answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitreel.dataset import Dataset, open_dataset
from bitreel.errors import DataError
from bitreel.evaluation import Evaluation, evaluate_codes
from bitreel.model import Model
from bitreel.progress import Progress, silent
from bitreel.training.feature_cache import default_cache
from bitreel.training.features import labelled_features


@dataclass(frozen=True, eq=False)
class ModelEvaluation:
    """The figures, the videos that are missing from them, and those that were read in part."""

    evaluation: Evaluation
    unreadable: dict[Path, str]
    damaged: dict[Path, str]


def evaluate(
    model: Model,
    dataset: Dataset | str | Path,
    *,
    at: Iterable[int] = (10,),
    cache: Path | None = None,
    progress: Progress = silent,
) -> ModelEvaluation:
    """Encode both parts of a data set and rank the database for each query.

    The protocol of the supervised papers: query = official test part, database = official train
    part, the query never in its own database. Raises DataError where either part is empty.
    """
    dataset = dataset if isinstance(dataset, Dataset) else open_dataset(dataset)
    if not dataset.query or not dataset.database:
        raise DataError(
            f"{dataset.name} has {len(dataset.query)} query and {len(dataset.database)} database "
            f"videos: an evaluation needs both. Mark them in the manifest's split column."
        )
    examples = (*dataset.query, *dataset.database)
    data = labelled_features(model, examples, cache=cache or default_cache(), progress=progress)
    codes, labels = model.encode_features(data.streams), np.array(data.labels())
    asks = np.array([example.split == "query" for example in data.examples])
    evaluation = evaluate_codes(codes[asks], labels[asks], codes[~asks], labels[~asks], at=at)
    return ModelEvaluation(evaluation, data.failures, data.damaged)
