"""`bitreel tune`"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from bitreel.cli.console import Json, out, print_json, show_progress
from bitreel.cli.data_options import Cache, Data, Fold, Lists
from bitreel.cli.train_options import (
    Accelerator,
    BackboneName,
    ConfigFile,
    Epochs,
    Frames,
    LossKind,
    ModalityNames,
    Patience,
    Preset,
    Seed,
    Size,
    Weights,
    given_options,
)
from bitreel.cli.widths import parse_widths

if TYPE_CHECKING:
    from bitreel.training.tuning import Tuning

SEARCH = "Search"
_NOT_OF_THE_CONFIG = {"bits", "encoder", "trials", "timeout", "seeds", "final_seeds", "curve"}


def tune(
    ctx: typer.Context,
    data: Data,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Folder of the study and report.", show_default=False),
    ],
    trials: Annotated[
        int,
        typer.Option(
            help="Points to try, over all runs and processes of this output.",
            rich_help_panel=SEARCH,
        ),
    ] = 40,
    timeout: Annotated[
        float | None,
        typer.Option(
            help="Seconds after which this process begins no further point.",
            rich_help_panel=SEARCH,
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option(help="Splits and starts for each point.", rich_help_panel=SEARCH)
    ] = 3,
    final_seeds: Annotated[
        int,
        typer.Option(
            help="Fresh seeds on which the best points meet the defaults.", rich_help_panel=SEARCH
        ),
    ] = 10,
    curve: Annotated[
        bool,
        typer.Option(
            "--curve",
            help="Also measure mAP@10 over a grid of beta/alpha, on the fresh seeds.",
            rich_help_panel=SEARCH,
        ),
    ] = False,
    encoder: Annotated[
        list[str] | None,
        typer.Option(
            help="Encoder to choose from; give it several times. They must share their features.  "
            "[default: all that fuse the features of the preset's]",
            rich_help_panel=SEARCH,
            show_default=False,
        ),
    ] = None,
    bits: Annotated[
        str,
        typer.Option(
            help="Width of the code. Several, as 64,128,256, get a share of the points each.",
            rich_help_panel=SEARCH,
        ),
    ] = "64",
    preset: Preset = "seed",
    config: ConfigFile = None,
    modality: ModalityNames = "rgb",
    loss: LossKind = "two-term",
    backbone: BackboneName = "tf_efficientnet_lite0",
    weights: Weights = "package",
    frames: Frames = 16,
    size: Size = 224,
    epochs: Epochs = 60,
    patience: Patience = 20,
    seed: Seed = 0,
    accelerator: Accelerator = "auto",
    fold: Fold = 1,
    lists: Lists = None,
    cache: Cache = None,
    json: Json = False,
) -> None:
    """Search for better options: alpha, beta, margin, learning rate, triplets, fusion, bits.

    Every point is trained on cached features under several seeds and scored by mAP@10 on held-out
    groups of the database part; the query part is never touched. The best points and the defaults
    (--preset, --config) are then tried again on fresh seeds. OUTPUT/report.html tells what was
    found and whether it is more than the spread of seeds, OUTPUT/best.json is for
    `bitreel train --config`. A killed search goes on when the same command is given again, and the
    same command in a second terminal shares the work.

    Example: `bitreel tune actions/ --output tuned --trials 60`

    Example: `bitreel tune actions/ --output tuned --bits 64,128,256 --loss ortho`

    Example: `bitreel train actions/ --output model --config tuned/best.json`
    """
    from bitreel.dataset import open_dataset
    from bitreel.insight.tuning_report import write_report
    from bitreel.training.presets import make_config
    from bitreel.training.search_space import SearchSpace
    from bitreel.training.tune import tune as run
    from bitreel.training.tuning import TuneOptions

    given = given_options(ctx)
    base = make_config(
        preset, config, {k: v for k, v in given.items() if k not in _NOT_OF_THE_CONFIG}
    )
    widths = parse_widths(bits) if "bits" in given else (base.bits,)
    options = TuneOptions(trials, seeds, final_seeds, timeout, curve)
    first = replace(base, bits=widths[0])
    space = SearchSpace(first, encoders=tuple(encoder or ()) or None, widths=widths)
    dataset = open_dataset(data, fold=fold, lists=lists)
    with show_progress() as progress:
        tuning = run(
            dataset,
            space,
            options,
            output=output,
            cache=cache,
            accelerator=accelerator,
            progress=progress,
        )
    write_report(tuning, output)
    answer = _answer(tuning, output)
    print_json(answer) if json else _print(tuning, answer)


def _answer(tuning: Tuning, output: Path) -> dict[str, Any]:
    from bitreel.insight.tuning_page import verdict
    from bitreel.training.tuning import options_file

    rows = []
    for width in sorted(tuning.finalists):
        chosen, default = tuning.chosen(width), tuning.default(width)
        difference = chosen.difference
        rows.append(
            {
                "bits": width,
                "defaults mAP@10": default.mean,
                "chosen mAP@10": chosen.mean,
                "difference": difference.mean if difference else 0.0,
                "interval": [difference.interval.low, difference.interval.high]
                if difference
                else None,
                "verdict": verdict(tuning, width),
                "config": options_file(chosen.config, tuning.space),
            }
        )
    return {
        "report": str(output / "report.html"),
        "config": str(output / "best.json"),
        "points": len(tuning.tried),
        "pruned": sum(tried.pruned for tried in tuning.tried),
        "importance": tuning.importance,
        "widths": rows,
    }


def _print(tuning: Tuning, answer: dict[str, Any]) -> None:
    table = Table()
    for heading in ("bits", "defaults", "chosen", "difference", "interval"):
        table.add_column(heading, no_wrap=True)
    for row in answer["widths"]:
        interval = row["interval"]
        table.add_row(
            str(row["bits"]),
            f"{row['defaults mAP@10']:.4f}",
            f"{row['chosen mAP@10']:.4f}",
            f"{row['difference']:+.4f}" if interval else "kept",
            f"{interval[0]:+.4f} to {interval[1]:+.4f}" if interval else "",
        )
    out.print(table)
    for row in answer["widths"]:
        out.print(row["verdict"], soft_wrap=True)
    points, pruned = answer["points"], answer["pruned"]
    out.print(
        f"{points} points ({pruned} given up early). Figures are validation mAP@10 on "
        f"{tuning.options.final_seeds} fresh seeds.\nReport: {answer['report']}\n"
        f"Options: {answer['config']}, for bitreel train --config",
        soft_wrap=True,
    )
