"""Models, libraries and data that are missing, damaged or something else: one sentence each."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from command_line import TINY, Trained, bitreel

# Models


def spoil_model(model: Path, how: str) -> None:
    """Damage a copy of a model in one way."""
    manifest, tensors = model / "model.json", model / "model.safetensors"
    values = json.loads(manifest.read_text())
    if how == "cut tensors":
        tensors.write_bytes(tensors.read_bytes()[:1000])
    elif how == "no tensors":
        tensors.unlink()
    elif how == "no json":
        manifest.write_text("{")
    elif how == "another kind of json":
        manifest.write_text("[1, 2]")
    elif how == "a later format":
        manifest.write_text(json.dumps(values | {"format_version": 99, "bitreel": "9.9"}))
    elif how == "an unknown option":
        config = values["config"] | {"magic": 1}
        manifest.write_text(json.dumps(values | {"config": config}))
    else:
        manifest.write_text(json.dumps(values | {"fingerprint": "0" * 64}))


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("cut tensors", "is damaged or incomplete"),
        ("no tensors", "is damaged or incomplete"),
        ("no json", "can not be read: copy the model anew"),
        ("another kind of json", "does not describe a bitreel model"),
        ("a later format", "was written by bitreel 9.9, in a format that this version"),
        ("an unknown option", "is damaged or incomplete"),
        ("another fingerprint", "its tensors do not match its fingerprint"),
    ],
)
def test_a_damaged_model(how: str, sentence: str, trained: Trained, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(trained.model, model)
    spoil_model(model, how)
    for words in (
        ("evaluate", model, trained.manifest),
        ("index", tmp_path / "library", trained.manifest, "--model", model),
    ):
        error = bitreel(*words).error
        assert sentence in error
        assert str(model) in error
    assert not (tmp_path / "library").exists()


@pytest.mark.parametrize("place", ["gone", "empty", "file", "videos"])
def test_what_is_no_model(place: str, trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "videos").symlink_to(trained.manifest.parent)
    model = tmp_path / place
    expected = f"No model at {model}: make one with `bitreel train DATA --output {model}`."
    assert bitreel("evaluate", model, trained.manifest).error == expected
    words = ("index", tmp_path / "library", trained.manifest, "--model", model)
    assert bitreel(*words).error == expected


def test_the_output_of_training_is_another_folder(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    words = ("train", trained.manifest, "--output", tmp_path / "mine", *TINY)
    assert "is there already" in bitreel(*words).error
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


# Libraries


@pytest.mark.parametrize("place", ["gone", "empty", "file", "videos"])
def test_what_is_no_library(place: str, trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "videos").symlink_to(trained.manifest.parent)
    library = tmp_path / place
    expected = (
        f"There is no library at {library}: make one with "
        f"`bitreel index {library} VIDEOS --model MODEL`."
    )
    for words in (
        ("search", library, trained.query),
        ("status", library),
        ("index", library, trained.manifest),
    ):
        assert bitreel(*words).error == expected


def test_a_library_is_not_made_among_other_files(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    words = ("index", tmp_path, trained.manifest, "--model", trained.model)
    error = bitreel(*words).error
    assert error.startswith(f"{tmp_path} holds other files (thesis.txt)")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_library_where_a_file_is(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in ("file", "file/library"):
        words = ("index", tmp_path / place, trained.manifest, "--model", trained.model)
        assert "No library can be made at" in bitreel(*words).error


@pytest.mark.parametrize("how", ["junk", "empty", "another model", "no model"])
def test_a_damaged_library(how: str, trained: Trained, tmp_path: Path) -> None:
    library = tmp_path / "library"
    shutil.copytree(trained.library, library)
    if how == "junk":
        (library / "catalogue.sqlite").write_bytes(b"junk" * 1000)
    elif how == "empty":
        (library / "catalogue.sqlite").write_bytes(b"")
    else:
        shutil.rmtree(library / "model")
    if how == "another model":
        shutil.copytree(trained.models / "32", library / "model")
    for words in (("search", library, trained.query), ("status", library)):
        error = bitreel(*words).error
        assert str(library) in error
        assert len(error.splitlines()) == 1


# Videos and data


def test_videos_that_are_not_there(trained: Trained, tmp_path: Path) -> None:
    words = ("index", tmp_path / "library", tmp_path / "gone", "--model", trained.model)
    assert bitreel(*words).error == f"{tmp_path / 'gone'} does not exist. Check the path."
    assert not (tmp_path / "library").exists()


def manifest_of(trained: Trained, folder: Path, *lines: str) -> Path:
    """A manifest beside its videos: each line, with VIDEO for the path of a real one."""
    video = trained.query.resolve()
    (folder / "manifest.csv").write_text("\n".join(lines).replace("VIDEO", str(video)))
    return folder / "manifest.csv"


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["path,group", "VIDEO,a"], "line 1: the column label is missing (found: path, group)"),
        (["name,label", "VIDEO,a"], "line 1: the column path is missing"),
        (["path,label"], "lists no videos"),
        ([""], "the column path is missing (found: nothing)"),
        (["path,label", "VIDEO,"], "line 2: the column label is empty"),
        (["path,label,split", "VIDEO,jump,both"], "line 2, column split: 'both' is unknown"),
        (["path,label", "gone.mp4,jump"], "1 of 1 files are not there (line 2: "),
        (["path,label", "VIDEO,jump", "VIDEO,run"], "line 3, column path: "),
        (["path,label", "VIDEO,jump,and,more"], "4 cells under 2 columns"),
        (["path,label", 'VIDEO,"jump'], "this is no CSV"),
    ],
)
def test_a_manifest_that_does_not_hold(
    lines: list[str], sentence: str, trained: Trained, tmp_path: Path
) -> None:
    manifest = manifest_of(trained, tmp_path, *lines)
    for words in (
        ("train", manifest, "--output", tmp_path / "model", *TINY),
        ("evaluate", trained.model, manifest),
        ("index", tmp_path / "library", manifest, "--model", trained.model),
    ):
        error = bitreel(*words).error
        assert str(manifest) in error
        assert sentence in error


def test_a_group_on_both_sides_is_refused_with_its_name(trained: Trained, tmp_path: Path) -> None:
    lines = trained.manifest.read_text().splitlines()
    folder = trained.manifest.parent
    rows = [f"{folder}/{line}" for line in lines[1:]]
    rows[0] = rows[0].replace(",scene0000,database", ",scene0004,database")
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("\n".join([lines[0], *rows]))
    for words in (
        ("train", manifest, "--output", tmp_path / "model", *TINY),
        ("evaluate", trained.model, manifest),
        ("index", tmp_path / "library", manifest, "--split", "query", "--model", trained.model),
    ):
        error = bitreel(*words).error
        assert "1 groups stand on both sides of the split: scene0004." in error
        assert "put all clips of a group in `database` or all in `query`" in error


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("gone", "gone is not there. A data set is one of"),
        ("notes.txt", "notes.txt is no folder and no .csv file"),
        ("empty", "holds no videos: put them in one folder for each class"),
        ("ucf101:", "names no folder: write ucf101:ROOT"),
        ("ucf101:gone", "gone"),
        ("hmdb51:empty", "empty"),
    ],
)
def test_data_that_are_none(
    data: str, sentence: str, trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").touch()
    assert sentence in bitreel("train", data, "--output", "model", *TINY).error
    assert sentence in bitreel("evaluate", trained.model, data).error


def test_videos_beside_the_class_folders(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "jump").mkdir()
    for place in ("jump/a.mp4", "b.mp4"):
        shutil.copy(trained.query, tmp_path / place)
    error = bitreel("train", tmp_path, "--output", tmp_path / "model", *TINY).error
    assert "1 videos are in no class folder (b.mp4)" in error


def test_one_class_is_not_enough_to_learn_from(trained: Trained, tmp_path: Path) -> None:
    for number in range(4):
        place = tmp_path / "actions" / "jump" / f"{number}.mp4"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(trained.query, place)
    words = ("train", tmp_path / "actions", "--output", tmp_path / "model", *TINY)
    assert "training needs two or more" in bitreel(*words).error


def test_a_demo_where_there_is_something_else(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "can not hold the synthetic set" in bitreel("demo", "--output", tmp_path / "file").error
    (tmp_path / "mine" / "clips").mkdir(parents=True)
    (tmp_path / "mine" / "clips" / "thesis.txt").write_text("years of work")
    error = bitreel("demo", "--output", tmp_path / "mine").error
    assert "holds files that are no synthetic set" in error
    settings = {"task": "motion"}
    (tmp_path / "other" / "clips").mkdir(parents=True)
    (tmp_path / "other" / "clips" / "settings.json").write_text(json.dumps(settings))
    error = bitreel("demo", "--output", tmp_path / "other").error
    assert "holds a synthetic set made with other settings" in error
