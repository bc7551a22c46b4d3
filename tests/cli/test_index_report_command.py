"""`bitreel index-report`: what was measured, and which index was taken."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bitreel.search import planner
from command_line import Trained, bitreel


@pytest.fixture
def library(trained: Trained, tmp_path: Path) -> Path:
    """A copy that the test may write to."""
    return Path(shutil.copytree(trained.library, tmp_path / "library"))


def test_few_codes_need_no_measurement(library: Path) -> None:
    ran = bitreel("index-report", library)
    assert "48 codes" in ran.out
    assert "Taken: exact, since fewer than 50,000 codes are compared" in ran.out.replace("\n", " ")
    assert (library / "index" / "manifest.json").is_file()


def test_the_table_says_what_was_measured(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner, "MEASURED_FROM", 1)
    ran = bitreel("index-report", library, "--recall", 0.9, "-k", 5)
    for word in ("exact", "mih", "lsh", "recall@5", "ms a query", "Taken:"):
        assert word in ran.out
    assert "planning" in ran.err


def test_the_answer_as_json(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner, "MEASURED_FROM", 1)
    answer = bitreel("index-report", library, "--json").json
    assert answer["wish"] == {"recall": 1.0, "k": 10}
    assert [row["kind"] for row in answer["measured"]] == ["exact", "mih"]
    assert answer["kind"] in ("exact", "mih")
    assert [row["recall"] for row in answer["measured"]] == [1.0, 1.0]


def test_a_search_finds_the_same_with_a_planned_index(
    trained: Trained, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = bitreel("search", library, trained.query, "--json").json
    monkeypatch.setattr(planner, "MEASURED_FROM", 1)
    monkeypatch.setattr(planner, "WORTH", 0.0)
    assert bitreel("index-report", library, "--json").json["kind"] == "mih"
    assert bitreel("search", library, trained.query, "--json").json == before
    assert bitreel("search", library, trained.query, "--recall", 0.9, "--json").json == before


@pytest.mark.parametrize(
    ("words", "code"), [(("--recall", 0), 2), (("--recall", 2), 2), (("-k", 0), 2)]
)
def test_a_wish_that_makes_no_sense(library: Path, words: tuple[object, ...], code: int) -> None:
    assert bitreel("index-report", library, *words).code == code


def test_a_folder_that_is_no_library(tmp_path: Path) -> None:
    assert "There is no library at" in bitreel("index-report", tmp_path).error
