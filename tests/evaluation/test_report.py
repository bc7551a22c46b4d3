"""Rows of figures as Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json

import pytest

from bitreel.evaluation import table, to_csv, to_json
from bitreel.evaluation.report import Row

ROWS: list[Row] = [
    {"bits": 64, "mAP@10": 0.47712345, "mAP@10/hits": 0.5, "loss": "both"},
    {"bits": 512, "mAP@10": 1.0, "loss": "alpha | only", "recall@1": 0.25},
]


def test_a_table_lines_up_and_shows_four_digits() -> None:
    assert table(ROWS) == (
        "| bits | mAP@10 | mAP@10/hits | loss          | recall@1 |\n"
        "| ---: | -----: | ----------: | ------------- | -------: |\n"
        "|   64 | 0.4771 |      0.5000 | both          |          |\n"
        "|  512 | 1.0000 |             | alpha \\| only |   0.2500 |\n"
    )


def test_no_rows_make_no_table() -> None:
    assert table([]) == table([{}]) == ""


def test_csv_and_json_keep_figures_in_full() -> None:
    read = list(csv.DictReader(io.StringIO(to_csv(ROWS))))
    assert float(read[0]["mAP@10"]) == 0.47712345
    assert (read[1]["loss"], read[1]["mAP@10/hits"]) == ("alpha | only", "")
    assert json.loads(to_json(ROWS)) == ROWS


def test_json_refuses_what_it_can_not_hold() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json([{"mAP": float("nan")}])
