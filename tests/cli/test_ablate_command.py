"""`bitreel ablate` as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import TINY, Ran, bitreel
from fixed_weights import write_weights


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ablate_command")
    write_weights(folder)
    return folder


def ablate(actions: Path, folder: Path, *words: object, output: str = "table") -> Ran:
    weights = ("--weights", folder / "weights.safetensors")
    places = ("--output", folder / output, "--cache", folder / "cache")
    options = (*TINY, *weights, "--preset", "seed", "--seeds", 1, "--epochs", 2)
    return bitreel("ablate", actions, *places, *options, *words)


def test_the_answer_as_json_and_the_files(actions: Path, folder: Path) -> None:
    words = ("--loss", "ortho", "--loss", "itq", "--encoder", "mean", "--bits", "16,24", "--json")
    answer = ablate(actions, folder, *words).json
    assert [(row["loss"], row["bits"]) for row in answer["rows"]] == [
        ("ortho", 16),
        ("ortho", 24),
        ("itq", 16),
        ("itq", 24),
    ]
    assert {(row["modality"], row["encoder"]) for row in answer["rows"]} == {("rgb", "mean")}
    assert json.loads((folder / "table" / "table.json").read_text()) == answer["rows"]
    assert (folder / "table" / "plot.png").is_file()
    assert answer["caption"].startswith("mAP@10 (÷k, expected over ties) on held-out groups")


def test_people_get_the_table_and_why_a_row_is_missing(actions: Path, folder: Path) -> None:
    ran = ablate(actions, folder, "--loss", "itq", "--encoder", "mean", "--encoder", "temporal")
    assert ran.code == 0
    assert "| rgb      | mean     | itq  |" in ran.out
    assert "Not trained (rgb · temporal · itq · 64 bits): itq trains" in ran.out
    assert "rows 1/1" in ran.err


def test_on_the_official_queries(actions: Path, folder: Path) -> None:
    words = ("--on", "query", "--loss", "itq", "--encoder", "mean", "--bits", 16, "--json")
    answer = ablate(actions, folder, *words, output="query").json
    assert "official queries" in answer["caption"]
    assert answer["rows"][0]["queries"] == 24


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--bits", "many"], "--bits takes a number or several, as 64,128,256; got 'many'."),
        (["--preset", "worst"], "Unknown preset 'worst'"),
        (["--fold", "2"], "fold and lists belong to"),
    ],
)
def test_an_option_that_does_not_hold_is_one_sentence(
    actions: Path, folder: Path, words: list[str], sentence: str
) -> None:
    assert sentence in ablate(actions, folder, *words).error


@pytest.mark.parametrize("words", [["--seeds", "0"], ["--on", "train"]])
def test_what_the_parser_refuses_ends_with_2(actions: Path, folder: Path, words: list[str]) -> None:
    assert ablate(actions, folder, *words).code == 2
