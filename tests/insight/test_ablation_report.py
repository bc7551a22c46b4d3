"""The table of an ablation, for people and for programs, and its picture."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from bitreel.evaluation.bootstrap import Interval
from bitreel.insight.ablation_report import caption, figures, markdown, plot, write_report
from bitreel.insight.plots import spread, style
from bitreel.training.ablation import Ablation, AblationRow, Combination


def row(encoder: str, bits: int, mean: float, gain: float | None = None) -> AblationRow:
    return AblationRow(
        Combination("rgb", encoder, "ortho", bits),
        mean,
        (mean - 0.01, mean + 0.01),
        Interval(mean - 0.03, mean + 0.02, 0.95),
        gain,
        None if gain is None else Interval(gain - 0.01, gain + 0.01, 0.95),
        queries=186,
        groups=40,
    )


FAILED = AblationRow(Combination("flow", "mean", "itq", 64), reason="flow | needs OpenCV.")
ROWS = (row("mean", 64, 0.5), row("mean", 128, 0.55, 0.05), row("temporal", 64, 0.6, 0.1), FAILED)
ABLATION = Ablation("actions16", "validation", (0, 1), ROWS)
ONE_WIDTH = Ablation("actions16", "query", (0,), (ROWS[0], ROWS[2], FAILED))


def test_the_table_for_people() -> None:
    lines = markdown(ABLATION).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[:6]]
    assert cells[0][:5] == ["modality", "encoder", "loss", "bits", "mAP@10"]
    assert cells[2][4:] == ["0.5000", "0.470 to 0.520", "± 0.0141", "", "", "186"]
    assert cells[3][4:] == [
        "0.5500",
        "0.520 to 0.570",
        "± 0.0141",
        "+0.0500",
        "+0.040 to +0.060",
        "186",
    ]
    assert cells[5][4:] == ["", "", "", "", "", ""]
    assert lines[-1] == "Not trained (flow · mean · itq · 64 bits): flow | needs OpenCV."


def test_the_caption_says_who_asked() -> None:
    assert "held-out groups of the database part of actions16, 2 seeds" in caption(ABLATION)
    assert "official queries of actions16, 1 seed, each" in caption(ONE_WIDTH)
    assert "narrower than they should be" not in caption(ABLATION)


def test_few_groups_are_said_to_be_few() -> None:
    few = AblationRow(Combination("rgb", "mean", "ortho", 64), 0.5, (0.5,), groups=4)
    told = caption(Ablation("x", "validation", (0,), (few, FAILED)))
    assert "There are only 4 groups: the intervals are narrower than they should be." in told


def test_the_files(tmp_path: Path) -> None:
    write_report(ABLATION, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"table.md", "table.csv", "table.json", "plot.png"}
    rows = json.loads((tmp_path / "table.json").read_text())
    assert rows == figures(ABLATION)
    assert rows[1]["difference low"] == pytest.approx(0.04)
    assert rows[3]["note"] == "flow | needs OpenCV."
    read = list(csv.DictReader(io.StringIO((tmp_path / "table.csv").read_text())))
    assert [line["mAP@10"] for line in read] == ["0.5", "0.55", "0.6", ""]
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_trained_is_no_picture(tmp_path: Path) -> None:
    write_report(Ablation("x", "validation", (0,), (FAILED,)), tmp_path)
    assert not (tmp_path / "plot.png").exists()
    assert "Not trained" in (tmp_path / "table.md").read_text()


def test_several_widths_are_lines_over_bits_and_one_is_a_row_for_each_method() -> None:
    (axes,) = plot(ABLATION).axes
    assert axes.get_xlabel() == "bits"
    assert [text.get_text() for text in axes.get_xticklabels()] == ["64", "128"]
    assert len(axes.containers) == 2
    (axes,) = plot(ONE_WIDTH).axes
    assert axes.get_xlabel() == "mAP@10 at 64 bits"
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert labels == ["rgb · mean · ortho", "rgb · temporal · ortho"]
    assert list(axes.get_yticks()) == [1, 0]  # the first on top


def test_marks_at_one_place_are_kept_apart_and_lines_can_be_told_apart() -> None:
    assert spread(1, 0.2) == [0.0]
    assert spread(3, 0.2) == pytest.approx([-0.1, 0.0, 0.1])
    assert len({style(number) for number in range(28)}) == 28
