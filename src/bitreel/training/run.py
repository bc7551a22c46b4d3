"""The whole road of training: labelled videos in, a saved model out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from bitreel.config import to_json
from bitreel.dataset import Dataset, Example, hold_out_groups, open_dataset
from bitreel.errors import ConfigError, DataError, VideoError
from bitreel.model import Model
from bitreel.network import one_thread
from bitreel.progress import Progress, silent
from bitreel.training import checkpoint as checkpoints
from bitreel.training.config import TrainConfig
from bitreel.training.feature_cache import content_digest, default_cache
from bitreel.training.features import LabelledFeatures, labelled_features
from bitreel.training.fit import HEADLINE, Fit, Outcome, TrainingData
from bitreel.training.inputs import FinetuneInputs, FrozenInputs
from bitreel.version import __version__


def train(
    dataset: Dataset | str | Path,
    config: TrainConfig | None = None,
    *,
    output: Path | str | None = None,
    cache: Path | None = None,
    accelerator: str = "auto",
    devices: int | str = 1,
    progress: Progress = silent,
) -> Model:
    """Train a model on the database part of a data set and save it.

    The query part is never touched. Groups of the database part are held out to choose the number
    of epochs; then, unless `config.refit` is off, the model is trained anew on the whole of it for
    as many. output: the model's folder; a run that was killed goes on from the checkpoint beside it
    (OUTPUT.partial) and ends with the model of the uninterrupted run. Without an output nothing is
    written but the feature cache. accelerator, devices: as Lightning Fabric takes them.

    Raises DataError, ConfigError, WeightsError; ModelError where output holds a model already.
    """
    config = config or TrainConfig()
    output = None if output is None else Path(output)
    if output is not None:
        checkpoints.check_output(output)  # a bad one is to be known before hours of work
    dataset = dataset if isinstance(dataset, Dataset) else open_dataset(dataset)
    fabric = launch(config, accelerator=accelerator, devices=devices)
    labels = labels_of(dataset)
    model, source = fresh_model(config, labels, fabric)
    features = labelled_features(
        model, dataset.database, cache=cache or default_cache(), progress=progress
    )
    data = split_for_training(features, labels, config)

    def fit(model: Model, data: TrainingData, *, phase: str, epochs: int) -> Outcome:
        model.standardise(features.features[list(data.training)])
        inputs = (FinetuneInputs if config.finetune else FrozenInputs)(model, features)
        run = Fit(
            model, inputs, data, config, phase=phase, epochs=epochs, fabric=fabric, output=output
        )
        # A head is too small to share among threads; a backbone that learns is not.
        with nullcontext() if config.finetune else one_thread():
            return run.run(progress=progress)

    chosen = fit(model, data, phase="training", epochs=config.epochs)
    if config.refit:
        model, _ = fresh_model(config, labels, fabric)
        fit(model, data.all_training(), phase="refit", epochs=chosen.best_epoch + 1)
    model.to("cpu").training = facts_of(dataset, config, features, data, source, chosen)
    if output is not None and not fabric.global_rank:
        model.save(output)
        checkpoints.remove(output)
    return model


def fresh_model(config: TrainConfig, labels: tuple[str, ...], fabric: Fabric) -> tuple[Model, str]:
    """The untrained model of a run, the same every time, and where its weights came from."""
    torch.manual_seed(config.seed)
    model = Model(config.model(labels))
    source = model.network.backbone.load_pretrained(config.weights)
    return model.to(fabric.device), source


def launch(config: TrainConfig, *, accelerator: str, devices: int | str) -> Fabric:
    """Fabric on the devices asked for. Raises ConfigError for what this machine does not have."""
    torch.backends.cudnn.deterministic = True  # the same seed gives the same codes
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False  # float32 is to mean it
    try:
        fabric = Fabric(
            accelerator=accelerator,
            devices=devices,
            precision=config.precision,
        )
        fabric.launch()
    except (ValueError, RuntimeError) as error:
        raise ConfigError(
            f"This machine can not train on accelerator {accelerator}, devices {devices}, "
            f"precision {config.precision}: {str(error).splitlines()[0]}"
        ) from error
    return fabric


def labels_of(dataset: Dataset) -> tuple[str, ...]:
    """The classes that there is something to learn from."""
    labels = tuple(sorted({example.label for example in dataset.database}))
    if len(labels) < 2:
        raise DataError(
            f"{dataset.name} has {len(labels)} class in its database part: training needs two or "
            f"more, with a folder (or a label in the manifest) for each."
        )
    return labels


def split_for_training(
    features: LabelledFeatures, labels: tuple[str, ...], config: TrainConfig
) -> TrainingData:
    """Hold out groups for validation. Raises DataError where every class has but one group."""
    examples = features.examples
    training, validation = hold_out_groups(
        examples, fraction=config.validation_fraction, seed=config.seed
    )
    if not validation:
        raise DataError(
            "No group of clips can be held out for validation: give one class or more at least two "
            "groups (two recordings)."
        )
    numbers = [labels.index(example.label) for example in examples]
    return TrainingData(numbers, training, validation, data_digest(examples, features.contents))


def data_digest(examples: Sequence[Example], contents: Sequence[str]) -> str:
    """sha256 over what a run learns from: each video's content, label and group."""
    rows = [
        [content, example.label, example.group]
        for content, example in zip(contents, examples, strict=True)
    ]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def is_trained_on(model: Model, dataset: Dataset, config: TrainConfig) -> bool:
    """Whether a finished model is what `train` would give again for these data and options."""
    if model.training.get("config") != to_json(config):
        return False
    unreadable = model.training.get("unreadable", {})
    examples = [e for e in dataset.database if str(e.path) not in unreadable]
    try:
        contents = [content_digest(example.path) for example in examples]
    except VideoError:
        return False
    return model.training.get("data") == data_digest(examples, contents)


def facts_of(
    dataset: Dataset,
    config: TrainConfig,
    features: LabelledFeatures,
    data: TrainingData,
    source: str,
    chosen: Outcome,
) -> dict[str, Any]:
    """What the model file tells of how it was made."""
    return {
        "bitreel": __version__,
        "dataset": dataset.name,
        "config": to_json(config),
        "weights": source,
        "best_epoch": chosen.best_epoch,
        "validation": {HEADLINE: chosen.best_score},
        "history": chosen.history,
        "training_clips": len(data.training),
        "validation_clips": len(data.validation),
        "data": data.digest,
        "unreadable": {str(path): reason for path, reason in features.failures.items()},
        "damaged": {str(path): what for path, what in features.damaged.items()},
    }
