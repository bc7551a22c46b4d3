"""`bitreel export` and `bitreel import`: there and back, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bitreel.library import Library
from bitreel.model import Model
from command_line import Trained, bitreel


@pytest.fixture
def library(trained: Trained, tmp_path: Path) -> Path:
    """A copy that the test may write to."""
    return Path(shutil.copytree(trained.library, tmp_path / "library"))


@pytest.mark.parametrize("suffix", [".npz", ".parquet", ".faiss"])
def test_there_and_back(trained: Trained, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"codes{suffix}"
    answer = bitreel("export", trained.library, file, "--json").json
    assert (answer["videos"], answer["segments"], answer["bits"]) == (48, 48, 16)
    assert (answer["files"][0], answer["bit_order"]) == (str(file), "big")
    assert answer["bytes"] == sum(Path(path).stat().st_size for path in answer["files"])
    made = tmp_path / "made"
    answer = bitreel("import", made, file, "--model", trained.model, "--json").json
    assert (answer["added"], answer["replaced"], answer["unchanged"]) == (48, 0, 0)
    assert (answer["videos"], answer["segments"]) == (48, 48)
    assert bitreel("import", made, file, "--json").json["unchanged"] == 48
    before = bitreel("search", trained.library, trained.query, "--json").json["hits"]
    after = bitreel("search", made, trained.query, "--json").json["hits"]
    kept = ("path", "distance_bits", "label", "start_seconds", "end_seconds")
    assert sorted([hit[name] for name in kept] for hit in after[:3]) == sorted(
        [hit[name] for name in kept] for hit in before[:3]
    )
    said, again = (bitreel("status", folder, "--json").json for folder in (trained.library, made))
    for name in ("labels", "seconds", "segmenting", "model_fingerprint"):
        assert said[name] == again[name]


def test_in_words(library: Path, tmp_path: Path) -> None:
    file = tmp_path / "codes.faiss"
    printed = bitreel("export", library, file)
    assert printed.out.startswith("48 codes of 16 bits, of 48 videos, in ")
    assert "codes.faiss and " in printed.out
    assert "writing 48/48" in printed.err
    printed = bitreel("import", library, file)
    assert printed.out.startswith("0 added, 0 replaced, 48 unchanged. ")
    assert "importing 48/48" in printed.err


def test_a_file_that_is_there_stays_without_force(library: Path, tmp_path: Path) -> None:
    file = tmp_path / "codes.npz"
    file.write_text("mine")
    assert f"{file} is there already" in bitreel("export", library, file).error
    assert file.read_text() == "mine"
    assert bitreel("export", library, file, "--force").code == 0
    assert bitreel("import", library, file).code == 0


def test_where_there_is_no_library(trained: Trained, tmp_path: Path) -> None:
    assert "There is no library at" in bitreel("export", tmp_path, tmp_path / "a.npz").error
    file = tmp_path / "codes.npz"
    bitreel("export", trained.library, file)
    assert "with --model" in bitreel("import", tmp_path / "made", file).error
    assert not (tmp_path / "made").exists()


def test_another_model_is_refused_before_a_library_is_made(
    trained: Trained, library: Path, tmp_path: Path
) -> None:
    file, made, other = tmp_path / "codes.npz", tmp_path / "made", trained.models / "32"
    bitreel("export", library, file)
    codes, wrong = Model.load(trained.model), Model.load(other)
    for folder in (made, library):
        told = bitreel("import", folder, file, "--model", other).error
        assert f"The codes were made with the model {codes.fingerprint[:12]} (16 bits)" in told
        assert f"the one in {other} is {wrong.fingerprint[:12]} (32 bits)" in told
    assert not made.exists()


def test_codes_of_another_model_than_the_librarys(
    trained: Trained, library: Path, tmp_path: Path
) -> None:
    """The model named is the one that made them: it is the library that they do not fit."""
    file, made, other = tmp_path / "codes.npz", tmp_path / "made", trained.models / "32"
    bitreel("export", library, file)
    Library.create(made, Model.load(other)).close()
    for words in ((), ("--model", trained.model)):
        told = bitreel("import", made, file, *words).error
        assert f"those of {made} are by {Model.load(other).fingerprint[:12]}" in told
        assert "Import them into another library" in told


def test_a_damaged_file_makes_no_library(trained: Trained, tmp_path: Path) -> None:
    file, made = tmp_path / "codes.parquet", tmp_path / "made"
    file.write_bytes(b"PAR1 not truly PAR1")
    for words in ((), ("--model", trained.model)):
        assert f"{file} can not be imported" in bitreel("import", made, file, *words).error
    assert not made.exists()
    assert "name that ends in" in bitreel("export", trained.library, tmp_path / "codes.txt").error
