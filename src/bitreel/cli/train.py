"""`bitreel train`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
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
    Balance,
    Beta,
    Bits,
    ClassesPerBatch,
    Clips,
    ClipsPerClass,
    ConfigFile,
    Devices,
    EncoderName,
    Epochs,
    Finetune,
    Frames,
    LearningRate,
    LossKind,
    Margin,
    Mirror,
    ModalityNames,
    Nodes,
    Output,
    Patience,
    Precision,
    Preset,
    Quantisation,
    Refit,
    Ridge,
    Seed,
    Size,
    Triplets,
    Weights,
    check_effect,
    given_options,
)
from bitreel.cli.widths import parse_widths

if TYPE_CHECKING:
    from bitreel.dataset import Dataset
    from bitreel.model import Model
    from bitreel.training import TrainConfig


def train(
    ctx: typer.Context,
    data: Data,
    output: Output,
    preset: Preset = "best",
    config: ConfigFile = None,
    bits: Bits = "64",
    modality: ModalityNames = "rgb,difference",
    encoder: EncoderName = "segments",
    loss: LossKind = "ridge",
    alpha: Alpha = 1.0,
    beta: Beta = 1.0,
    margin: Margin = None,
    triplets: Triplets = "semi-hard",
    ridge: Ridge = 0.01,
    quantisation: Quantisation = 0.0,
    balance: Balance = 0.0,
    backbone: BackboneName = "tf_efficientnet_lite0",
    weights: Weights = "package",
    frames: Frames = 16,
    size: Size = 224,
    clips: Clips = 1,
    mirror: Mirror = False,
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
    nodes: Nodes = 1,
    precision: Precision = "32-true",
    fold: Fold = 1,
    lists: Lists = None,
    cache: Cache = None,
    json: Json = False,
) -> None:
    """Learn from labelled clips to turn a clip into a code.

    Trains on the database part of DATA only. Whole groups of it (clips of one recording) are held
    out to choose the number of epochs; then it trains anew on all of it. A killed run goes on
    where it stopped when the same command is given again. Options that are given win over those of
    --config, and those over --preset.

    Example: `bitreel train actions/ --output model --bits 128`

    Example: `bitreel train actions/ --output model --preset seed --alpha 1 --beta 0.5`

    Example: `bitreel train videos/ --output model --loss itq --encoder mean`
    """
    from bitreel.dataset import open_dataset
    from bitreel.training import train as run
    from bitreel.training.presets import make_config

    widths = parse_widths(bits)
    given = given_options(ctx)
    if len(widths) == 1 and "bits" not in given:  # those of the preset or the file
        configs = [make_config(preset, config, given)]
    else:
        configs = [make_config(preset, config, given | {"bits": width}) for width in widths]
    for options in configs:
        check_effect(given, options.loss)
    labelled = any(options.loss != "itq" for options in configs)
    dataset = open_dataset(data, fold=fold, lists=lists, labelled=labelled)
    if not labelled and dataset.query:
        warn("Set aside", f"{len(dataset.query)} videos of the query part, to evaluate with.")
    rows: list[dict[str, Any]] = []
    for options in configs:
        folder = output / str(options.bits) if len(widths) > 1 else output
        model = _finished(folder, options, dataset) if len(widths) > 1 else None
        if model is None:
            with show_progress() as progress:
                model = run(
                    dataset,
                    options,
                    output=folder,
                    cache=cache,
                    accelerator=accelerator,
                    devices=devices,
                    nodes=nodes,
                    progress=progress,
                )
        rows.append(_row(folder, model))
    if not is_main_process():
        return
    print_json(rows[0] if len(rows) == 1 else {"models": rows}) if json else _print(rows)


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
        "validation": training.get("validation", {}),
        "best_epoch": training["best_epoch"] + 1 if "best_epoch" in training else None,
        "training_clips": training["training_clips"],
        "validation_clips": training.get("validation_clips", 0),
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
        score = row["validation"].get("mAP@10")
        shown = "" if score is None else f"{score:.4f}"
        best = "" if row["best_epoch"] is None else str(row["best_epoch"])
        table.add_row(row["model"], str(row["bits"]), shown, best, row["fingerprint"][:12])
    out.print(table)
    clips, held = rows[0]["training_clips"], rows[0]["validation_clips"]
    if rows[0]["best_epoch"] is not None:
        out.print(f"{clips} training clips, epochs chosen on {held} of held-out groups.")
    elif held:
        out.print(f"Fitted on {clips} clips; validated on {held} of them, held out by groups.")
    else:
        out.print(f"Fitted on {clips} clips, without their labels.")
