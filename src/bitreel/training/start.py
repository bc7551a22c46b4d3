"""How a run starts: the devices, the untrained model, the data divided."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from lightning_fabric import Fabric

from bitreel.dataset import Dataset, Example, hold_out_groups
from bitreel.errors import BitreelError, ConfigError, DataError
from bitreel.model import Model
from bitreel.progress import Progress
from bitreel.training.config import TrainConfig
from bitreel.training.features import LabelledFeatures, labelled_features
from bitreel.training.fit import TrainingData


def launch(config: TrainConfig, *, accelerator: str, devices: int | str, nodes: int = 1) -> Fabric:
    """Fabric on the devices asked for, of each of so many machines, which find each other as
    torchrun or MASTER_ADDR, MASTER_PORT and NODE_RANK tell them. Raises ConfigError for what this
    machine does not have."""
    torch.backends.cudnn.deterministic = True  # the same seed gives the same codes
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False  # float32 is to mean it
    try:
        fabric = Fabric(
            accelerator=accelerator,
            devices=devices,
            num_nodes=nodes,
            precision=config.precision,
        )
        fabric.launch()
    except (ValueError, RuntimeError) as error:
        raise ConfigError(
            f"This machine can not train on accelerator {accelerator}, devices {devices}, "
            f"precision {config.precision}: {str(error).splitlines()[0]}"
        ) from error
    return fabric


@contextmanager
def together(fabric: Fabric) -> Iterator[None]:
    """Where another process is lost, those that wait for it say so. Raises BitreelError."""
    try:
        yield
    except RuntimeError as error:
        told = str(error).splitlines()[0]
        is_of_others = isinstance(error, torch.distributed.DistError) or "gloo" in told
        if fabric.world_size == 1 or not is_of_others:
            raise
        raise BitreelError(
            f"Another of the {fabric.world_size} processes of this training is lost: what it said "
            f"last tells why. Give the same command again to go on from the last whole epoch."
        ) from error


def shared_features(
    model: Model,
    examples: Sequence[Example],
    fabric: Fabric,
    *,
    nodes: int,
    cache: Path,
    mirrored: bool,
    progress: Progress,
) -> LabelledFeatures:
    """`labelled_features`, of which each process of a machine works out a part for its cache."""
    if fabric.world_size > 1:
        own = examples[fabric.local_rank :: fabric.world_size // nodes]
        with suppress(DataError):  # none can be read of this part: of all is another matter
            labelled_features(model, own, cache=cache, mirrored=mirrored, progress=progress)
        fabric.barrier()
    return labelled_features(model, examples, cache=cache, mirrored=mirrored, progress=progress)


def fresh_model(config: TrainConfig, labels: tuple[str, ...], fabric: Fabric) -> tuple[Model, str]:
    """The untrained model of a run, the same every time, and where its weights came from."""
    torch.manual_seed(config.seed)
    model = Model(config.model(labels))
    sources = [backbone.load_pretrained(config.weights) for backbone in model.network.backbones]
    return model.to(fabric.device), sources[0]


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
