"""`bitreel ablate`"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bitreel.cli.console import Json, out, print_json, show_progress
from bitreel.cli.data_options import Cache, Data, Fold, Lists
from bitreel.cli.train_options import (
    Accelerator,
    BackboneName,
    ConfigFile,
    Epochs,
    Finetune,
    Frames,
    Patience,
    Preset,
    Seed,
    Size,
    Weights,
    given_options,
)
from bitreel.cli.widths import parse_widths

if TYPE_CHECKING:
    from bitreel.training.ablation import Ablation

TABLE = "Table"
_NOT_OF_THE_CONFIG = {"bits", "modality", "encoder", "loss", "seeds", "on"}


class On(StrEnum):
    """Which clips ask."""

    validation = "validation"
    query = "query"


def ablate(
    ctx: typer.Context,
    data: Data,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="Folder of the table, plot and results.", show_default=False
        ),
    ],
    modality: Annotated[
        list[str] | None,
        typer.Option(
            help="A modality, or several fused, as rgb,difference. Give the option several times "
            "to compare.  [default: that of the preset]",
            rich_help_panel=TABLE,
            show_default=False,
        ),
    ] = None,
    encoder: Annotated[
        list[str] | None,
        typer.Option(
            help="An encoder, as in bitreel train. Several times to compare.  "
            "[default: that of the preset]",
            rich_help_panel=TABLE,
            show_default=False,
        ),
    ] = None,
    loss: Annotated[
        list[str] | None,
        typer.Option(
            "--loss",
            help="A loss, as in bitreel train. Several times to compare.  "
            "[default: that of the preset]",
            rich_help_panel=TABLE,
            show_default=False,
        ),
    ] = None,
    bits: Annotated[
        str, typer.Option(help="Width of the code, or several, as 64,128.", rich_help_panel=TABLE)
    ] = "64",
    seeds: Annotated[
        int, typer.Option(help="Splits and starts for each row.", min=1, rich_help_panel=TABLE)
    ] = 3,
    on: Annotated[
        On,
        typer.Option(
            help="Who asks: held-out groups of the database part (for choosing), or the official "
            "queries (for the last table).",
            rich_help_panel=TABLE,
        ),
    ] = On.validation,
    preset: Preset = "best",
    config: ConfigFile = None,
    backbone: BackboneName = "tf_efficientnet_lite0",
    weights: Weights = "package",
    frames: Frames = 16,
    size: Size = 224,
    finetune: Finetune = False,
    epochs: Epochs = 60,
    patience: Patience = 20,
    seed: Seed = 0,
    accelerator: Accelerator = "auto",
    fold: Fold = 1,
    lists: Lists = None,
    cache: Cache = None,
    json: Json = False,
) -> None:
    """What does each part bring? modality x encoder x loss x bits in one table.

    Every combination is trained under the same seeds, all else as in --preset or --config, and
    gets a row with its confidence interval and its difference to the first row. OUTPUT holds
    table.md, table.csv, table.json and plot.png. Results are kept one by one: a killed run goes on
    when the same command is given again, and a row that is added costs only itself.

    Example: `bitreel ablate actions/ -o table --modality rgb --modality difference --bits 64,128`

    Example: `bitreel ablate actions/ -o losses --loss two-term --loss ortho --on query`
    """
    from bitreel.dataset import open_dataset
    from bitreel.insight.ablation_report import write_report
    from bitreel.training.ablate import ablate as run
    from bitreel.training.ablation import combinations
    from bitreel.training.presets import make_config

    given = given_options(ctx)
    base = make_config(
        preset, config, {k: v for k, v in given.items() if k not in _NOT_OF_THE_CONFIG}
    )
    asked = combinations(
        modality or [base.modality],
        encoder or [base.encoder],
        loss or [base.loss],
        parse_widths(bits) if "bits" in given else [base.bits],
    )
    dataset = open_dataset(data, fold=fold, lists=lists)
    with show_progress() as progress:
        ablation = run(
            dataset,
            base,
            asked,
            output=output,
            seeds=seeds,
            on=on.value,
            cache=cache,
            accelerator=accelerator,
            progress=progress,
        )
    write_report(ablation, output)
    _answer(ablation, output) if json else _print(ablation, output)


def _answer(ablation: Ablation, output: Path) -> None:
    from bitreel.insight.ablation_report import caption, figures

    print_json({"output": str(output), "rows": figures(ablation), "caption": caption(ablation)})


def _print(ablation: Ablation, output: Path) -> None:
    from bitreel.insight.ablation_report import markdown

    out.print(markdown(ablation), soft_wrap=True)
    out.print(f"{output}: table.md, table.csv, table.json, plot.png", soft_wrap=True)
