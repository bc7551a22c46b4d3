"""What another precision costs on clips that the model was trained on, measured on held-out ones.

A trained head knows its own clips: their codes hardly move, whatever happens to the features. So
heads are trained as the model's was, without some groups, and those groups tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bitreel.codes import hamming
from bitreel.config import from_json
from bitreel.dataset import Dataset, Example, hold_out_groups
from bitreel.errors import DataError
from bitreel.evaluation import evaluate_codes
from bitreel.model import Cost, Model
from bitreel.progress import Progress, silent
from bitreel.training.config import TrainConfig
from bitreel.training.feature_cache import default_cache
from bitreel.training.features import LabelledFeatures, labelled_features
from bitreel.training.fit import HEADLINE
from bitreel.training.run import is_trained_on, train

HELD_OUT_FRACTION = 0.2
SPLITS = 3


def held_out_cost(
    model: Model,
    other: Model,
    dataset: Dataset,
    examples: Sequence[Example],
    *,
    cache: Path | None = None,
    progress: Progress = silent,
) -> Cost | None:
    """The mean over three splits of `examples`, by whole groups, into training and held-out clips.

    dataset: the one that `model` was trained on, with examples of its database part. Heads are
    trained on the features of `model`; then held-out clips ask the others, by the features of
    either. None where `model` was trained on something else, by fine-tuning (that can not be done
    again in passing), or no group can be held out. Raises DataError where no video can be read.
    """
    config = _config_of(model, dataset)
    if config is None:
        return None
    cache = cache or default_cache()
    before = labelled_features(model, examples, cache=cache, progress=progress)
    after = labelled_features(other, before.examples, cache=cache, progress=progress)
    try:
        found = [
            _split_cost(dataset.name, replace(config, seed=seed), before, after, cache)
            for seed in range(SPLITS)
        ]
    except DataError:
        return None
    flipped, scores, later = np.mean(found, axis=0).tolist()
    return Cost(
        clips=len(before.examples),
        bits=model.bits,
        flipped_bits=flipped,
        map_at_10=(scores, later) if model.config.labels else None,
        unreadable=before.failures,
        held_out=True,
    )


def _config_of(model: Model, dataset: Dataset) -> TrainConfig | None:
    if "config" not in model.training:
        return None
    config = from_json(TrainConfig, model.training["config"], where="The model's training options")
    return config if not config.finetune and is_trained_on(model, dataset, config) else None


def _split_cost(
    name: str,
    config: TrainConfig,
    before: LabelledFeatures,
    after: LabelledFeatures,
    cache: Path,
) -> tuple[float, float, float]:
    """Flipped bits of a held-out clip's code, and mAP@10 before and after."""
    rows, held = hold_out_groups(before.examples, fraction=HELD_OUT_FRACTION, seed=config.seed)
    if not held:
        raise DataError("No group can be held out.")
    examples = [replace(before.examples[row], split="database") for row in rows]
    head = train(Dataset(name, tuple(examples)), config, cache=cache, accelerator="cpu")
    codes = [head.encode_features(part.streams) for part in (before, after)]
    labels = np.array(before.labels())
    flipped = [hamming(codes[0][[row]], codes[1][[row]])[0, 0] for row in held]
    scores = [
        evaluate_codes(c[held], labels[held], c[rows], labels[rows]).values[HEADLINE] for c in codes
    ]
    return float(np.mean(flipped)), scores[0], scores[1]
