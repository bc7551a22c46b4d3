"""`bitreel tune` as a person runs it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from bitreel.training.presets import make_config
from command_line import TINY, Ran, bitreel
from fixed_weights import write_weights

OPTIONS = ("--trials", 3, "--seeds", 1, "--final-seeds", 2, "--epochs", 2, "--encoder", "mean")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tune_command")
    write_weights(folder)
    return folder


def tune(actions: Path, folder: Path, *words: object, output: str = "tuned") -> Ran:
    weights = ("--weights", folder / "weights.safetensors")
    places = ("--output", folder / output, "--cache", folder / "cache")
    return bitreel("tune", actions, *places, *TINY, *weights, *OPTIONS, *words)


def test_the_answer_as_json_and_the_files(actions: Path, folder: Path) -> None:
    words = ("--bits", "16,24", "--json")
    answer = tune(actions, folder, *words).json
    assert [row["bits"] for row in answer["widths"]] == [16, 24]
    assert answer["points"] == 3
    for row in answer["widths"]:
        assert row["verdict"].startswith(f"{row['bits']} bits: ")
        assert (row["interval"] is None) == (row["difference"] == 0.0)
        told = json.loads((folder / "tuned" / f"best-{row['bits']}.json").read_text())
        assert told == row["config"]
    best = make_config("seed", Path(answer["config"]))
    assert (best.backbone, best.epochs) == (TINY[1], 2)
    assert "<svg" in Path(answer["report"]).read_text()
    assert tune(actions, folder, *words).json == answer  # nothing is left to do


def test_people_get_a_table_a_verdict_and_the_way_on(actions: Path, folder: Path) -> None:
    ran = tune(actions, folder, "--bits", 16, output="people")
    assert ran.code == 0
    for words in ("defaults", "chosen", "16 bits: ", "bitreel train --config", "3 points"):
        assert words in ran.out
    for stage in ("points 3/3", "finals"):
        assert stage in ran.err
    options = ("--output", folder / "model", "--config", folder / "people" / "best.json")
    assert bitreel("train", actions, *options, "--cache", folder / "cache").code == 0


def test_the_base_comes_from_a_file_and_from_options(actions: Path, folder: Path) -> None:
    config = folder / "base.json"
    config.write_text(json.dumps({"alpha": 0.5, "beta": 1.0, "bits": 20, "patience": 7}))
    answer = tune(actions, folder, "--config", config, "--json", "--patience", 6, output="base")
    (row,) = answer.json["widths"]
    assert (row["bits"], row["config"]["patience"]) == (20, 6)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--bits", "64,"], "--bits takes a number or several, as 64,128,256; got '64,'."),
        (["--trials", "0"], "A search takes one point or more"),
        (["--final-seeds", "1"], "The last comparison takes two seeds or more, got 1"),
        (["--loss", "itq"], "The loss itq can not be tuned"),
        (["--encoder", "shift"], "need features of their own each"),
        (["--encoder", "best"], "Unknown encoder 'best'"),
        (["--preset", "worst"], "Unknown preset 'worst'"),
        (["--weights", "gone.pth"], "No weights at gone.pth"),
    ],
)
def test_an_option_that_does_not_hold_is_one_sentence(
    actions: Path, folder: Path, words: list[str], sentence: str
) -> None:
    assert sentence in tune(actions, folder, *words, output="bad").error


@pytest.mark.parametrize(
    ("module", "missing", "sentence"),
    [
        ("bitreel.training.study", "optuna", "Tuning needs Optuna: pip install 'bitreel[tune]'."),
        (
            "bitreel.insight.plots",
            "matplotlib",
            "The plots need Matplotlib: pip install 'bitreel[tune]'.",
        ),
    ],
)
def test_what_is_not_installed_is_said_before_anything_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, module: str, missing: str, sentence: str
) -> None:
    for name in [module, "bitreel.insight.tuning_report", "bitreel.training.tune"]:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    gone = folder / "there is nothing here"
    assert tune(gone, folder, output="missing").error == sentence
    assert not (folder / "missing").exists()
