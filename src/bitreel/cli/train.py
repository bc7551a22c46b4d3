"""`bitreel train`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from bitreel.cli.console import (
    Json,
    is_main_process,
    out,
    print_json,
    show_progress,
    warn,
    warn_of_files,
)
from bitreel.cli.data_options import Cache, Data, Fold, Lists
from bitreel.cli.train_options import (
    Accelerator,
    Alpha,
    BackboneName,
    Beta,
    Bits,
    ClassesPerBatch,
    ClipsPerClass,
    Devices,
    Epochs,
    Finetune,
    Frames,
    LearningRate,
    Margin,
    Output,
    Patience,
    Precision,
    Refit,
    Seed,
    Size,
    Triplets,
    Weights,
)
from bitreel.errors import ConfigError

if TYPE_CHECKING:
    from bitreel.dataset import Dataset
    from bitreel.model import Model
    from bitreel.training import TrainConfig


def train(
    data: Data,
    output: Output,
    bits: Bits = "64",
    alpha: Alpha = 1.0,
    beta: Beta = 1.0,
    margin: Margin = None,
    triplets: Triplets = "semi-hard",
    backbone: BackboneName = "tf_efficientnet_lite0",
    weights: Weights = "package",
    frames: Frames = 16,
    size: Size = 224,
    finetune: Finetune = False,
    epochs: Epochs = 60,
    patience: Patience = 20,
    refit: Refit = True,
    learning_rate: LearningRate = 1e-3,
    classes_per_batch: ClassesPerBatch = 8,
    clips_per_class: ClipsPerClass = 4,
    seed: Seed = 0,
    accelerator: Accelerator = "auto",
    devices: Devices = 1,
    precision: Precision = "32-true",
    fold: Fold = 1,
    lists: Lists = None,
    cache: Cache = None,
    json: Json = False,
) -> None:
    """Learn from labelled clips to turn a clip into a code.

    Trains on the database part of DATA only. Whole groups of it (clips of one recording) are held
    out to choose the number of epochs; then it trains anew on all of it. A killed run goes on
    where it stopped when the same command is given again.

    Example: `bitreel train actions/ --output model --bits 128`
    """
    from bitreel.config import from_json
    from bitreel.dataset import open_dataset
    from bitreel.training import TrainConfig
    from bitreel.training import train as run

    options: dict[str, Any] = {
        "alpha": alpha,
        "beta": beta,
        "margin": margin,
        "triplets": triplets,
        "backbone": backbone,
        "weights": weights,
        "sampling": {"frames": frames, "height": size, "width": size},
        "finetune": finetune,
        "epochs": epochs,
        "patience": patience,
        "refit": refit,
        "learning_rate": learning_rate,
        "classes_per_batch": classes_per_batch,
        "clips_per_class": clips_per_class,
        "seed": seed,
        "precision": precision,
    }
    widths = _widths(bits)
    configs = [from_json(TrainConfig, options | {"bits": width}, where="train") for width in widths]
    dataset = open_dataset(data, fold=fold, lists=lists)
    rows: list[dict[str, Any]] = []
    for config in configs:
        folder = output / str(config.bits) if len(widths) > 1 else output
        model = _finished(folder, config, dataset) if len(widths) > 1 else None
        if model is None:
            with show_progress() as progress:
                model = run(
                    dataset,
                    config,
                    output=folder,
                    cache=cache,
                    accelerator=accelerator,
                    devices=devices,
                    progress=progress,
                )
        rows.append(_row(folder, model))
    if not is_main_process():
        return
    print_json(rows[0] if len(rows) == 1 else {"models": rows}) if json else _print(rows)


def _widths(bits: str) -> list[int]:
    try:
        return [int(width) for width in bits.split(",")]
    except ValueError:
        raise ConfigError(
            f"--bits takes a number or several, as 64,128,256; got {bits!r}."
        ) from None


def _finished(folder: Path, config: TrainConfig, dataset: Dataset) -> Model | None:
    """The model that a run of several widths had made before it was killed."""
    from bitreel.model import Model, is_model
    from bitreel.training import is_trained_on

    model = Model.load(folder) if is_model(folder) else None
    if model is None or not is_trained_on(model, dataset, config):
        return None
    warn("Kept", f"{folder}: it was trained with these options already.")
    return model


def _row(folder: Path, model: Model) -> dict[str, Any]:
    training = model.training
    return {
        "model": str(folder),
        "bits": model.bits,
        "fingerprint": model.fingerprint,
        "validation": training["validation"],
        "best_epoch": training["best_epoch"] + 1,
        "training_clips": training["training_clips"],
        "validation_clips": training["validation_clips"],
        "unreadable": training["unreadable"],
        "damaged": training["damaged"],
    }


def _print(rows: list[dict[str, Any]]) -> None:
    warn_of_files("Left out", rows[0]["unreadable"], rows[0]["damaged"])
    table = Table()
    table.add_column("model", overflow="fold")
    for heading in ("bits", "validation mAP@10", "best epoch", "fingerprint"):
        table.add_column(heading, no_wrap=True)
    for row in rows:
        score = f"{row['validation']['mAP@10']:.4f}"
        table.add_row(
            row["model"], str(row["bits"]), score, str(row["best_epoch"]), row["fingerprint"][:12]
        )
    out.print(table)
    clips, held = rows[0]["training_clips"], rows[0]["validation_clips"]
    out.print(f"{clips} training clips, epochs chosen on {held} of held-out groups.")
