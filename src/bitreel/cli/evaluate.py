"""`bitreel evaluate`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from bitreel.cli.console import Json, out, print_json, show_progress, warn_of_files
from bitreel.cli.data_options import Cache, Fold, Lists
from bitreel.errors import ConfigError

LEAST_SUBJECT_WIDTH = 12
FOOTNOTE = (
    "mAP@k divides by k and takes the expectation over ties. mAP@k/hits divides by the hits in the "
    "top k, ties in stored order, as the supervised papers do. recall@k: one hit or more in the "
    "top k. mAP: over the whole database."
)


def evaluate(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL… DATA]",
            help="One model or several, then the labelled videos. A folder of models stands for "
            "all of them.",
            show_default=False,
        ),
    ] = None,
    codes: Annotated[
        Path | None,
        typer.Option(
            help="Evaluate given codes instead: an .npz with database_codes, query_codes (packed "
            "uint8), database_labels, query_labels.",
            show_default=False,
        ),
    ] = None,
    at: Annotated[str, typer.Option(help="Cut-offs k, as 5,10,100.")] = "10",
    table: Annotated[
        Path | None,
        typer.Option(help="Write the table to a .md, .csv or .json file too.", show_default=False),
    ] = None,
    fold: Fold = 1,
    lists: Lists = None,
    cache: Cache = None,
    json: Json = False,
) -> None:
    """How good are the codes? mAP@10 and its kin, on the query part of DATA.

    Example: `bitreel evaluate models/64 models/512 actions/`

    Example: `bitreel evaluate --codes published.npz --at 5,10,100`
    """
    cutoffs = _cutoffs(at)
    if codes is not None and not targets:
        rows = [_evaluate_file(codes, cutoffs)]
    elif codes is None and targets and len(targets) >= 2:
        *models, data = targets
        rows = _evaluate_models(models, data, cutoffs, fold, lists, cache)
    else:
        raise ConfigError(
            "Give a model and its labelled videos (bitreel evaluate MODEL DATA), or --codes "
            "FILE.npz."
        )
    print_json(rows[0] if len(rows) == 1 else {"models": rows}) if json else _print(rows)
    if table is not None:
        _write_table(table, rows)


def _write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    from bitreel.evaluation import report

    writers = {".md": report.table, ".csv": report.to_csv, ".json": report.to_json}
    if path.suffix not in writers:
        raise ConfigError(f"--table writes .md, .csv or .json; got {path.name!r}.")
    figures = [{k: v for k, v in row.items() if not isinstance(v, dict)} for row in rows]
    try:
        path.write_text(writers[path.suffix](figures), encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"The table {path} can not be written ({error.strerror}): name a file in a folder that "
            f"is there."
        ) from error


def _evaluate_file(path: Path, at: list[int]) -> dict[str, Any]:
    from bitreel.evaluation import CodeFile, evaluate_codes

    file = CodeFile.load(path)
    evaluation = evaluate_codes(
        file.query, file.query_labels, file.database, file.database_labels, at=at
    )
    return {"codes": str(path), **evaluation.to_json()}


def _evaluate_models(
    models: list[str],
    data: str,
    at: list[int],
    fold: int,
    lists: Path | None,
    cache: Path | None,
) -> list[dict[str, Any]]:
    from bitreel.dataset import open_dataset
    from bitreel.model import Model
    from bitreel.training import evaluate as run

    rows: list[dict[str, Any]] = []
    dataset = None
    for folder in _model_folders(models):
        model = Model.load(folder)
        dataset = dataset or open_dataset(data, fold=fold, lists=lists)
        with show_progress() as progress:
            done = run(model, dataset, at=at, cache=cache, progress=progress)
        rows.append(
            {
                "model": str(folder),
                **done.evaluation.to_json(),
                "unreadable": {str(path): reason for path, reason in done.unreadable.items()},
                "damaged": {str(path): what for path, what in done.damaged.items()},
            }
        )
    return rows


def _model_folders(names: list[str]) -> list[Path]:
    """Every model named; a folder that is none stands for the models in it, by rising width."""
    folders: list[Path] = []
    for folder in map(Path, names):
        inside = [p.parent for p in folder.glob("*/model.json") if p.parent.suffix != ".writing"]
        is_one = (folder / "model.json").exists() or not inside
        folders += [folder] if is_one else sorted(inside, key=lambda p: (len(p.name), p.name))
    return folders


def _cutoffs(at: str) -> list[int]:
    try:
        return [int(k) for k in at.split(",")]
    except ValueError:
        raise ConfigError(f"--at takes cut-offs, as 5,10,100; got {at!r}.") from None


def _print(rows: list[dict[str, Any]]) -> None:
    warn_of_files("Left out", rows[0].get("unreadable", {}), rows[0].get("damaged", {}))
    out.print(_table(rows))
    out.print(f"{rows[0]['queries']} queries in a database of {rows[0]['database']}.")
    out.print(FOOTNOTE, style="dim")


def _table(rows: list[dict[str, Any]]) -> Table:
    """A line for each row, or a column where the figures are too many for the terminal's width."""
    names = [name for name, value in rows[0].items() if isinstance(value, float)]
    subject = "codes" if "codes" in rows[0] else "model"
    grid = [[subject, "bits", *names]]
    grid += [[row[subject], str(row["bits"]), *(f"{row[n]:.4f}" for n in names)] for row in rows]
    turned = LEAST_SUBJECT_WIDTH + sum(len(name) + 3 for name in grid[0][1:]) > out.width
    if turned:
        grid = [list(column) for column in zip(*grid, strict=True)]
    table = Table()
    for place, heading in enumerate(grid[0]):
        # Figures and the names of measures are never cut; the name of a folder goes on below.
        table.add_column(heading, overflow="fold", no_wrap=(place == 0) == turned)
    for line in grid[1:]:
        table.add_row(*line)
    return table
