"""`bitreel train`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from bitreel.cli.console import Json, out, print_json, progress_bars, warn
from bitreel.cli.data_options import Cache, Data, Fold, Lists
from bitreel.errors import ConfigError

if TYPE_CHECKING:
    from bitreel.model import Model
    from bitreel.training import TrainConfig

LOSS, NETWORK, RUN = "Loss", "Network", "Run"


def train(
    data: Data,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The model's folder.", show_default=False)
    ],
    bits: Annotated[
        str,
        typer.Option(
            help="Width of the code. Several, as 64,128,256, make OUTPUT/64, OUTPUT/128 …"
        ),
    ] = "64",
    alpha: Annotated[
        float, typer.Option(help="Weight of the classification term.", rich_help_panel=LOSS)
    ] = 1.0,
    beta: Annotated[
        float, typer.Option(help="Weight of the triplet term.", rich_help_panel=LOSS)
    ] = 1.0,
    margin: Annotated[
        float | None,
        typer.Option(
            help="Triplet margin in bits.  [default: a quarter of --bits]", rich_help_panel=LOSS
        ),
    ] = None,
    triplets: Annotated[
        str,
        typer.Option(
            help="How a batch's triplets are drawn: random (as in the 2017 paper), all, semi-hard "
            "or hard.",
            rich_help_panel=LOSS,
        ),
    ] = "semi-hard",
    backbone: Annotated[
        str, typer.Option(help="Any architecture that timm knows.", rich_help_panel=NETWORK)
    ] = "tf_efficientnet_lite0",
    weights: Annotated[
        str,
        typer.Option(
            help="Pretrained weights of the backbone: package (ImageNet, comes installed), hub, "
            "hf-hub:ID, a .safetensors or .pth file, or none.",
            rich_help_panel=NETWORK,
        ),
    ] = "package",
    frames: Annotated[
        int, typer.Option(help="Frames sampled from a clip.", rich_help_panel=NETWORK)
    ] = 16,
    size: Annotated[
        int, typer.Option(help="Height and width of a frame, in pixels.", rich_help_panel=NETWORK)
    ] = 224,
    finetune: Annotated[
        bool,
        typer.Option(
            "--finetune",
            help="Train the backbone too. Wants a GPU; otherwise its features are cached.",
            rich_help_panel=NETWORK,
        ),
    ] = False,
    epochs: Annotated[int, typer.Option(help="Epochs at most.", rich_help_panel=RUN)] = 60,
    patience: Annotated[
        int,
        typer.Option(help="Epochs without a better validation mAP@10.", rich_help_panel=RUN),
    ] = 20,
    refit: Annotated[
        bool,
        typer.Option(
            "--refit/--no-refit",
            help="Train anew on all clips, for as many epochs as validation chose.",
            rich_help_panel=RUN,
        ),
    ] = True,
    learning_rate: Annotated[
        float, typer.Option(help="Of fusion and hash head.", rich_help_panel=RUN)
    ] = 1e-3,
    classes_per_batch: Annotated[
        int, typer.Option(help="P of the P classes x K clips.", rich_help_panel=RUN)
    ] = 8,
    clips_per_class: Annotated[
        int, typer.Option(help="K of the P classes x K clips.", rich_help_panel=RUN)
    ] = 4,
    seed: Annotated[
        int, typer.Option(help="Same seed, same codes on the same machine.", rich_help_panel=RUN)
    ] = 0,
    accelerator: Annotated[
        str, typer.Option(help="auto, cpu, cuda, mps.", rich_help_panel=RUN)
    ] = "auto",
    devices: Annotated[int, typer.Option(help="How many of them.", min=1, rich_help_panel=RUN)] = 1,
    precision: Annotated[
        str, typer.Option(help="32-true, 16-mixed, bf16-mixed.", rich_help_panel=RUN)
    ] = "32-true",
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
        if len(widths) > 1 and (finished := _finished(folder, config, dataset.name)):
            warn("Kept", f"{folder}: it was trained with these options already.")
            rows.append(_row(folder, finished))
            continue
        with progress_bars() as progress:
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
    print_json(rows[0] if len(rows) == 1 else {"models": rows}) if json else _print(rows)


def _widths(bits: str) -> list[int]:
    try:
        return [int(width) for width in bits.split(",")]
    except ValueError:
        raise ConfigError(
            f"--bits takes a number or several, as 64,128,256; got {bits!r}."
        ) from None


def _finished(folder: Path, config: TrainConfig, dataset: str) -> Model | None:
    """The model that a run of several widths had made before it was killed."""
    from bitreel.config import to_json
    from bitreel.model import Model, is_model

    model = Model.load(folder) if is_model(folder) else None
    wanted = {"config": to_json(config), "dataset": dataset}
    return model if model and wanted.items() <= model.training.items() else None


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
    }


def _print(rows: list[dict[str, Any]]) -> None:
    for path, reason in rows[0]["unreadable"].items():
        warn("Left out", f"{path}: {reason}")
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
