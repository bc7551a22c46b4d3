"""`bitreel evaluate`: the figures of models and of codes from elsewhere."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from bitreel.model import Model
from bitreel.training import evaluate
from command_line import Trained, bitreel

CSQ = Path(__file__).parents[3] / "shared" / "data" / "csq"
KEYS = ["mAP@10", "mAP@10/hits", "recall@1", "recall@10", "mAP", "bits", "queries", "database"]


def published(name: str) -> Path:
    path = CSQ / f"{name}_64bit.npz"
    if not path.is_file():
        pytest.skip(f"the published codes are not there: {path}")
    return path


@pytest.mark.parametrize(
    ("name", "k", "at_k_over_hits", "at_10", "sizes"),
    [
        ("ucf101", 100, 0.8740, 0.8601, (3783, 9537)),
        ("hmdb51", 70, 0.5767, 0.5131, (1530, 3570)),
    ],
)
def test_the_figures_of_published_codes(
    name: str, k: int, at_k_over_hits: float, at_10: float, sizes: tuple[int, int]
) -> None:
    answer = bitreel("evaluate", "--codes", published(name), "--at", f"5,10,{k}", "--json").json
    assert round(answer[f"mAP@{k}/hits"], 4) == at_k_over_hits
    assert round(answer["mAP@10"], 4) == at_10
    assert (answer["queries"], answer["database"]) == sizes
    assert {"mAP@5", "mAP@5/hits", "recall@5", f"recall@{k}", *KEYS} <= set(answer)


def test_the_keys_of_a_model(trained: Trained) -> None:
    words = ("evaluate", trained.model, trained.manifest, "--cache", trained.cache)
    answer = bitreel(*words, "--json").json
    assert list(answer) == ["model", *KEYS, "unreadable", "damaged"]
    assert answer["model"] == str(trained.model)
    assert (answer["bits"], answer["queries"], answer["database"]) == (16, 24, 48)
    assert (answer["unreadable"], answer["damaged"]) == ({}, {})
    figures = evaluate(Model.load(trained.model), trained.manifest, cache=trained.cache).evaluation
    assert answer["mAP@10"] == figures.values["mAP@10"]


def test_a_folder_of_models_gives_a_row_for_each_the_narrow_first(trained: Trained) -> None:
    data = (trained.manifest, "--cache", trained.cache, "--json")
    rows = bitreel("evaluate", trained.models, *data).json["models"]
    assert [row["bits"] for row in rows] == [16, 32]
    rows = bitreel("evaluate", trained.models / "32", trained.models / "16", *data).json["models"]
    assert [row["bits"] for row in rows] == [32, 16]  # as they were named


def test_widths_are_sorted_as_numbers_and_half_a_model_is_left_out(
    trained: Trained, tmp_path: Path
) -> None:
    """8, 16 and 128, not 128, 16 and 8; and not what a killed run left of 32."""
    for name in ("128", "16", "8"):
        (tmp_path / name).symlink_to(trained.model)
    (tmp_path / "32.writing").mkdir()
    (tmp_path / "32.writing" / "model.json").write_text("{")
    words = ("evaluate", tmp_path, trained.manifest, "--cache", trained.cache, "--json")
    rows = bitreel(*words).json["models"]
    assert [Path(row["model"]).name for row in rows] == ["8", "16", "128"]


def test_a_table_with_a_line_for_each_model(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    words = ("evaluate", trained.models, trained.manifest, "--cache", trained.cache)
    printed = bitreel(*words)
    assert printed.code == 0
    lines = printed.out.splitlines()
    assert [name for name in KEYS[:5] if name not in lines[1]] == []
    assert [line.split("│")[2].strip() for line in lines if "│ 0." in line] == ["16", "32"]
    assert "24 queries in a database of 48." in lines


def given_codes(path: Path) -> Path:
    """Three queries and eight codes, the nearest of each its own."""
    codes = np.arange(8, dtype=np.uint8)[:, None] * 36
    labels = np.arange(8) % 4
    np.savez(
        path,
        query_codes=codes[:3],
        database_codes=codes,
        query_labels=labels[:3],
        database_labels=labels,
    )
    return path


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_no_figure_and_no_name_of_a_measure_is_cut(
    tmp_path: Path, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    words = ("evaluate", "--codes", given_codes(tmp_path / "codes.npz"), "--at", "1,2,3,4,5,6,7,8")
    answer = bitreel(*words, "--json").json
    printed = bitreel(*words).out
    for name in set(answer) - {"codes", "queries", "database"}:
        value = f"{answer[name]:.4f}" if isinstance(answer[name], float) else str(answer[name])
        assert name in printed
        assert value in printed
    assert "…" not in printed


def test_recall_at_1_of_codes_that_find_themselves(tmp_path: Path) -> None:
    words = ("evaluate", "--codes", given_codes(tmp_path / "codes.npz"), "--json")
    assert bitreel(*words).json["recall@1"] == 1.0


@pytest.mark.parametrize("suffix", ["md", "csv", "json"])
def test_a_table_in_a_file(suffix: str, trained: Trained, tmp_path: Path) -> None:
    table = tmp_path / f"table.{suffix}"
    data = (trained.manifest, "--cache", trained.cache, "--table", table, "--json")
    rows = bitreel("evaluate", trained.models, *data).json["models"]
    written = table.read_text()
    if suffix == "json":
        assert [row["mAP@10"] for row in json.loads(written)] == [row["mAP@10"] for row in rows]
    elif suffix == "csv":
        read = list(csv.DictReader(written.splitlines()))
        assert [float(row["mAP@10"]) for row in read] == [row["mAP@10"] for row in rows]
        assert [row["bits"] for row in read] == ["16", "32"]
    else:
        heading, rule, *lines = written.splitlines()
        assert "mAP@10/hits" in heading
        assert set(rule) <= set("|-: ")
        assert len(lines) == 2


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("table.xls", "--table writes .md, .csv or .json; got 'table.xls'"),
        ("gone/table.md", "gone/table.md can not be written (No such file or directory)"),
    ],
)
def test_a_table_that_can_not_be_written(name: str, sentence: str, tmp_path: Path) -> None:
    codes = given_codes(tmp_path / "codes.npz")
    ran = bitreel("evaluate", "--codes", codes, "--table", tmp_path / name)
    assert ran.code == 1
    assert sentence in ran.err


WHAT_TO_GIVE = (
    "Give a model and its labelled videos (bitreel evaluate MODEL DATA), or --codes FILE.npz."
)


@pytest.mark.parametrize(
    "words", [[], ["model"], ["--codes", "file.npz", "model", "data"], ["--codes", "f.npz", "data"]]
)
def test_wrong_combinations_say_what_to_give(words: list[str]) -> None:
    assert bitreel("evaluate", *words).error == WHAT_TO_GIVE


@pytest.mark.parametrize("at", ["ten", "", "5,,10", "1.5"])
def test_cut_offs_that_are_no_numbers(at: str) -> None:
    error = bitreel("evaluate", "--codes", "file.npz", "--at", at).error
    assert error == f"--at takes cut-offs, as 5,10,100; got {at!r}."


@pytest.mark.parametrize("at", ["0", "10,-1"])
def test_cut_offs_out_of_range(at: str, tmp_path: Path) -> None:
    error = bitreel("evaluate", "--codes", given_codes(tmp_path / "codes.npz"), "--at", at).error
    assert "1 or more" in error


def test_codes_that_can_not_be_read(tmp_path: Path) -> None:
    junk = tmp_path / "junk.npz"
    junk.write_bytes(b"junk")
    (tmp_path / "folder.npz").mkdir()
    np.savez(tmp_path / "other.npz", numbers=np.arange(3))
    expected = {
        "gone.npz": "gone.npz is not there",
        "junk.npz": "junk.npz is not an .npz file, or is cut short",
        "folder.npz": "folder.npz is not there, or is no file",
        "other.npz": "other.npz lacks database_codes",
    }
    for name, sentence in expected.items():
        assert sentence in bitreel("evaluate", "--codes", tmp_path / name).error


def test_data_without_queries_are_refused(trained: Trained, tmp_path: Path) -> None:
    lines = trained.manifest.read_text().splitlines()
    rows = [line for line in lines[1:] if ",database," in line]
    manifest = tmp_path / "manifest.csv"
    folder = trained.manifest.parent
    manifest.write_text("\n".join([lines[0], *(f"{folder}/{row}" for row in rows)]))
    words = ("evaluate", trained.model, manifest, "--cache", trained.cache)
    assert "0 query and 48 database videos: an evaluation needs both" in bitreel(*words).error


def test_json_stays_json_while_models_are_loaded_and_videos_read(
    trained: Trained, tmp_path: Path
) -> None:
    """With an empty cache there is progress to show: it does not go to standard output."""
    words = ("evaluate", trained.model, trained.manifest, "--cache", tmp_path / "cache", "--json")
    ran = bitreel(*words)
    assert json.loads(ran.out)["queries"] == 24
    assert "features" in ran.err
