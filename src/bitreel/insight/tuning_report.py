"""The report of a search: one HTML file that needs nothing else, and the files beside it.

OUTPUT/
  report.html    what was found, with the figures in it
  best.json      the options, for `bitreel train --config`; best-64.json … where several widths were
                 searched
  curve.csv      mAP@10 over beta/alpha, where it was asked for, and curve.png
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import stdev
from typing import Any

from bitreel.evaluation.report import to_csv
from bitreel.insight.plots import as_png, write_whole
from bitreel.insight.tuning_figures import curve_figure, within_splits
from bitreel.insight.tuning_page import page
from bitreel.training.tuning import Tuning, options_file


def write_report(tuning: Tuning, output: Path) -> None:
    """Write the files of a search to its folder. Raises BitreelError where they can not be."""
    write_whole(output / "best.json", _json(options_file(tuning.best.config, tuning.space)))
    if len(tuning.finalists) > 1:
        for width in tuning.finalists:
            options = options_file(tuning.chosen(width).config, tuning.space)
            write_whole(output / f"best-{width}.json", _json(options))
    if tuning.curve:
        write_whole(output / "curve.csv", to_csv(curve_rows(tuning)))
        write_whole(output / "curve.png", as_png(curve_figure(tuning)))
    write_whole(output / "report.html", page(tuning))


def curve_rows(tuning: Tuning) -> list[dict[str, float | int]]:
    """A row for each ratio of the two weights."""
    rows: list[dict[str, float | int]] = []
    for point, spread in zip(tuning.curve, within_splits(tuning.curve), strict=True):
        row: dict[str, float | int] = {
            "log2(beta/alpha)": point.log2_ratio,
            "alpha": point.config.alpha,
            "beta": point.config.beta,
            "mAP@10": point.mean,
            "sd": stdev(point.scores),
            "sd within splits": spread,
            "seeds": len(point.scores),
        }
        rows.append(row | {f"seed {i + 1}": score for i, score in enumerate(point.scores)})
    return rows


def _json(options: dict[str, Any]) -> str:
    return json.dumps(options, indent=2) + "\n"
