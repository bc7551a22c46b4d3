"""What is told of a search: no more than the fresh seeds say, in one file that needs no other."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import struct
from dataclasses import replace
from html import escape
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from bitreel.errors import BitreelError
from bitreel.evaluation.report import to_csv
from bitreel.insight.tuning_figures import pareto_front, within_splits
from bitreel.insight.tuning_page import page, verdict
from bitreel.insight.tuning_report import curve_rows, write_report
from bitreel.training.presets import make_config
from bitreel.training.tune import CURVE
from bitreel.training.tuning import Tuning
from tuned import SEEDS, made_up

FIGURES = ("curve", "front", "surface", "slices", "importance")


@pytest.fixture(scope="module")
def two_widths() -> Tuning:
    return made_up(widths=(64, 128))


@pytest.fixture(scope="module")
def text(two_widths: Tuning) -> str:
    return page(two_widths)


def test_a_clear_gain_is_told_with_its_interval() -> None:
    tuning = made_up(gain=0.08)
    sentence = verdict(tuning, 64)
    assert "64 bits: the best point beats the defaults: " in sentence
    difference = tuning.chosen(64).difference
    assert difference
    assert f"difference {difference.mean:+.3f} (97.5 % interval" in sentence
    assert "6 fresh seeds" in sentence


def test_a_gain_within_the_spread_is_told_as_such() -> None:
    tuning = made_up(gain=0.004)
    assert "is within the spread of seeds: " in verdict(tuning, 64)
    assert "It may be no better." in verdict(tuning, 64)


def test_where_nothing_beats_the_defaults_they_are_kept(tmp_path: Path) -> None:
    tuning = made_up(gain=-0.05)
    assert tuning.best.is_default
    assert "no point of the search beats the defaults (0." in verdict(tuning, 64)
    write_report(tuning, tmp_path)
    config = make_config("seed", tmp_path / "best.json")
    assert (config.alpha, config.beta, config.encoder) == (1.0, 1.0, "weighted")


def test_the_page_needs_nothing_but_itself(text: str) -> None:
    assert not re.search(r"<(script|link|img|iframe)\b", text)
    assert "url(http" not in text
    assert "@import" not in text
    assert all(target.startswith(("#", "data:")) for target in re.findall(r'href="([^"]*)"', text))
    assert text.count("<svg") == text.count("</svg>") == len(FIGURES)


def test_the_page_has_what_was_asked_for(two_widths: Tuning, text: str) -> None:
    sections = ["mAP@10 over beta/alpha", "mAP@10 over bits", "Where the search looked"]
    for words in (*sections, "What matters", verdict(two_widths, 64), verdict(two_widths, 128)):
        assert escape(words) in text
    assert "made &lt;up&gt;" in text
    assert "<up>" not in text


def test_the_page_leaves_out_what_was_not() -> None:
    text = page(replace(made_up(curve=False), tried=()))
    for words in ("mAP@10 over beta/alpha", "mAP@10 over bits", "What matters", "<svg"):
        assert words not in text


def test_the_table_shows_every_finalist_and_marks_the_chosen(two_widths: Tuning, text: str) -> None:
    table = text[text.index("<table>") : text.index("</table>")]
    assert table.count("<tr") == 1 + 3 + 3
    chosen = re.findall(r'<tr class="chosen">(.*?)</tr>', table)
    assert [re.findall("<td>(.*?)</td>", row)[:2] for row in chosen] == [
        ["64", "chosen"],
        ["128", "chosen"],
    ]
    best = two_widths.chosen(64)
    assert f"<td>{best.mean:.3f} ± " in chosen[0]
    assert "<td>temporal</td>" in chosen[0]


@pytest.mark.parametrize(
    "changes", [{"loss": "ortho"}, {"loss": "ridge", "encoder": "mean"}, {"beta": 0.0}]
)
def test_other_losses_and_defaults_outside_of_the_space(changes: dict[str, Any]) -> None:
    tuning = made_up(curve=False, **changes)
    point = tuning.space.default(64)
    tried = tuple(replace(one, point=point) for one in tuning.tried) if "loss" in changes else ()
    tuning = replace(tuning, tried=tried, importance={})
    text = page(tuning)
    assert ("Too few points to tell what matters" in text) == bool(tried)
    assert "nan" not in text.lower().replace("nance", "")


def test_the_files(two_widths: Tuning, tmp_path: Path) -> None:
    tuning = two_widths
    write_report(tuning, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "best-128.json",
        "best-64.json",
        "best.json",
        "curve.csv",
        "curve.png",
        "report.html",
    ]
    for width in (64, 128):
        told = json.loads((tmp_path / f"best-{width}.json").read_text())
        assert told["bits"] == width
        config = make_config("seed", tmp_path / f"best-{width}.json")
        assert config == replace(tuning.chosen(width).config, refit=True)
    best = json.loads((tmp_path / "best.json").read_text())
    assert best["bits"] == tuning.best.config.bits
    width, height = struct.unpack(">II", (tmp_path / "curve.png").read_bytes()[16:24])
    assert width > height > 300


def test_the_curve_as_numbers() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(curve_rows(made_up())))))
    assert [float(row["log2(beta/alpha)"]) for row in rows] == list(CURVE)
    assert (float(rows[0]["beta"]), float(rows[-1]["alpha"])) == (0.0, 0.0)
    for row in rows:
        scores = [float(row[f"seed {number + 1}"]) for number in range(SEEDS)]
        assert float(row["mAP@10"]) == pytest.approx(fmean(scores))
        assert int(row["seeds"]) == SEEDS
        mean = fmean(scores)
        deviation = math.sqrt(sum((s - mean) ** 2 for s in scores) / (SEEDS - 1))
        assert float(row["sd"]) == pytest.approx(deviation)


def test_what_a_split_does_to_all_points_is_no_spread_of_theirs() -> None:
    points = made_up().curve[:3]
    scores = [(0.5, 0.6, 0.4), (0.6, 0.7, 0.5), (0.4, 0.5, 0.6)]
    points = tuple(replace(p, scores=s) for p, s in zip(points, scores, strict=True))
    first, second, third = within_splits(points)
    assert first == pytest.approx(second)  # they differ by the same on every split
    assert third == pytest.approx(2 * first)
    alone = within_splits([replace(point, scores=(0.5, 0.6, 0.4)) for point in points])
    assert alone == pytest.approx([0, 0, 0])


def test_the_same_search_gives_the_same_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_report(made_up(), tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_the_front_leaves_out_widths_that_a_narrower_one_matches() -> None:
    tuning = made_up(widths=(64, 128, 256))
    by_width = {width: tuning.chosen(width) for width in (64, 128, 256)}
    assert list(pareto_front(by_width)) == [64, 128, 256]
    by_width[128] = by_width[64]
    assert list(pareto_front(by_width)) == [64, 256]


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(BitreelError, match=r"best\.json can not be written: No such file"):
        write_report(made_up(), tmp_path / "gone")
