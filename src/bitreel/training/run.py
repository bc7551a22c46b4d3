"""The whole road of training: videos in, a saved model out."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric

from bitreel.config import to_json
from bitreel.dataset import Dataset, open_dataset
from bitreel.errors import VideoError
from bitreel.model import Model
from bitreel.network import one_thread
from bitreel.progress import Progress, silent
from bitreel.training import checkpoint as checkpoints
from bitreel.training.config import TrainConfig
from bitreel.training.feature_cache import content_digest, default_cache
from bitreel.training.features import LabelledFeatures
from bitreel.training.fit import HEADLINE, Fit, Outcome, TrainingData
from bitreel.training.fitted import fit_head
from bitreel.training.inputs import make_inputs
from bitreel.training.mirror import check_mirror
from bitreel.training.start import (
    data_digest,
    fresh_model,
    labels_of,
    launch,
    shared_features,
    split_for_training,
    together,
)
from bitreel.version import __version__


def train(
    dataset: Dataset | str | Path,
    config: TrainConfig | None = None,
    *,
    output: Path | str | None = None,
    cache: Path | None = None,
    accelerator: str = "auto",
    devices: int | str = 1,
    nodes: int = 1,
    progress: Progress = silent,
) -> Model:
    """Train a model on the database part of a data set and save it.

    The query part is never touched. Groups of the database part are held out to choose the number
    of epochs; then, unless `config.refit` is off, the model is trained anew on the whole of it for
    as many. With the loss `ridge` the hash layer is worked out in one go, on all clips after it was
    validated on the held-out ones; with `itq` it is too, and labels are not looked at.

    output: the model's folder; a run that was killed goes on from the checkpoint beside it
    (OUTPUT.partial) and ends with the model of the uninterrupted run. Without an output nothing is
    written but the feature cache. accelerator, devices: as Lightning Fabric takes them. nodes: how
    many machines do this at once, each with so many devices; they share the folder of output, and
    each has a cache of its own. Each process adds a batch of its own to a step, so that epochs of N
    processes are not those of one; `ridge` and `itq` are the same by any number.

    Raises DataError, ConfigError, WeightsError; ModelError where output holds a model already.
    """
    config = config or TrainConfig()
    output = None if output is None else Path(output)
    if output is not None:
        checkpoints.check_output(output)  # a bad one is to be known before hours of work
    if not isinstance(dataset, Dataset):
        dataset = open_dataset(dataset, labelled=config.loss != "itq")
    fabric = launch(config, accelerator=accelerator, devices=devices, nodes=nodes)
    labels = () if config.loss == "itq" else labels_of(dataset)
    if config.mirror:
        check_mirror(labels)
    if not config.is_fitted:
        config.make_loss(classes=len(labels))  # too few bits for them is to be known now
    model, source = fresh_model(config, labels, fabric)
    with together(fabric):
        features = shared_features(
            model,
            dataset.database,
            fabric,
            nodes=nodes,
            cache=cache or default_cache(),
            mirrored=config.mirror and not config.finetune,
            progress=progress,
        )
        made = facts_of(dataset, config, features, source)
        if config.is_fitted:
            made |= _fit_in_one_go(model, features, config)
        else:
            model, chosen, data = _fit(model, features, config, fabric, output, progress)
            made |= _facts_of_fit(chosen, data)
    model.to("cpu").training = made
    if output is not None and not fabric.global_rank:
        model.save(output)
        checkpoints.remove(output)
    return model


def _fit_in_one_go(model: Model, features: LabelledFeatures, config: TrainConfig) -> dict[str, Any]:
    """Work the head out; one that looked at labels was first scored on held-out groups."""
    everything = range(len(features.examples))
    with one_thread():
        if not model.config.labels:
            fit_head(model, features, everything, config)
            return {}
        data = split_for_training(features, model.config.labels, config)
        fit_head(model, features, data.training, config)
        score = data.score(model.encode_features(features.streams))
        if config.refit:
            fit_head(model, features, everything, config)
    return {
        "validation": {HEADLINE: score},
        "training_clips": len(everything) if config.refit else len(data.training),
        "validation_clips": len(data.validation),
    }


def _fit(
    model: Model,
    features: LabelledFeatures,
    config: TrainConfig,
    fabric: Fabric,
    output: Path | None,
    progress: Progress,
) -> tuple[Model, Outcome, TrainingData]:
    """Choose the number of epochs on held-out groups, then train on all for as many."""
    labels = model.config.labels
    data = split_for_training(features, labels, config)

    def fit(model: Model, data: TrainingData, *, phase: str, epochs: int) -> Outcome:
        inputs = make_inputs(model, features, config)
        inputs.standardise(data.training)
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
    return model, chosen, data


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
    dataset: Dataset, config: TrainConfig, features: LabelledFeatures, source: str
) -> dict[str, Any]:
    """What the model file tells of how it was made."""
    return {
        "bitreel": __version__,
        "dataset": dataset.name,
        "config": to_json(config),
        "weights": source,
        "training_clips": len(features.examples),
        "data": data_digest(features.examples, features.contents),
        "unreadable": {str(path): reason for path, reason in features.failures.items()},
        "damaged": {str(path): what for path, what in features.damaged.items()},
    }


def _facts_of_fit(chosen: Outcome, data: TrainingData) -> dict[str, Any]:
    return {
        "best_epoch": chosen.best_epoch,
        "validation": {HEADLINE: chosen.best_score},
        "history": chosen.history,
        "training_clips": len(data.training),
        "validation_clips": len(data.validation),
    }
