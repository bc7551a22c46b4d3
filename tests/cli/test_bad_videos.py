"""Every kind of broken file, given to every verb that reads videos."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from broken import READABLE, SAID, make_broken
from command_line import TINY, Trained, bitreel

pytestmark = pytest.mark.usefixtures("never_hangs")


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_broken(tmp_path_factory.mktemp("broken") / "files")


@pytest.mark.parametrize("name", [name for name, said in SAID.items() if said])
def test_a_search_with_it_is_one_sentence(
    name: str, broken: dict[str, Path], trained: Trained, tmp_path: Path
) -> None:
    words = ("search", trained.library, broken[name], "--sheet", tmp_path / "sheet.png")
    error = bitreel(*words).error
    assert str(broken[name]) in error
    assert ("does not exist" if name == "link.mp4" else str(SAID[name])) in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "sheet.png").exists()
    assert bitreel(*words, "--json").error == error


@pytest.mark.parametrize("name", READABLE)
def test_a_search_with_a_damaged_file_gives_hits_and_tells_the_damage(
    name: str, broken: dict[str, Path], trained: Trained, tmp_path: Path
) -> None:
    words = ("search", trained.library, broken[name], "--sheet", tmp_path / "sheet.png")
    answer = bitreel(*words, "--json").json
    assert answer["damage"]
    assert len(answer["hits"]) == 10
    ran = bitreel(*words)
    assert ran.code == 0
    assert f"The query is damaged: {answer['damage']}." in ran.err
    assert (tmp_path / "sheet.png").is_file()


@pytest.mark.parametrize(
    ("name", "said"), [("files", "is a folder, not a video"), ("gone.mp4", "does not exist")]
)
def test_a_search_with_what_is_no_file(
    name: str, said: str, broken: dict[str, Path], trained: Trained
) -> None:
    path = broken["junk.mp4"].parent.parent / name
    assert said in bitreel("search", trained.library, path).error


def test_a_folder_of_all_of_them_is_indexed_as_far_as_it_goes(
    broken: dict[str, Path], trained: Trained, tmp_path: Path
) -> None:
    folder = broken["junk.mp4"].parent
    good = [folder / f"good{number}.mp4" for number in range(3)]
    for number, path in enumerate(good):
        shutil.copy(trained.query.with_name(f"scene000{number}.mp4"), path)
    library = tmp_path / "library"
    words = ("index", library, folder, "--model", trained.model)
    first = bitreel(*words, "--json")
    answer = first.json
    assert answer["added"] == answer["videos"] == 3 + len(READABLE)
    assert {Path(path).name for path in answer["damaged"]} == set(READABLE)
    failed = {path: said for path, said in SAID.items() if said}
    assert answer["failed"] == len(failed)
    by_name = {Path(path).name: reason for path, reason in answer["failures"].items()}
    assert set(by_name) == {*failed, "gone.mp4"} - {"link.mp4"}  # links are followed
    for name, reason in by_name.items():
        assert failed[name if name != "gone.mp4" else "link.mp4"] in reason

    again = bitreel(*words)
    assert again.code == 0
    assert again.out.startswith(f"0 added, 0 replaced, {3 + len(READABLE)} unchanged, ")
    for path, reason in answer["failures"].items():
        assert path in again.err
        assert f"Passed over {reason}" in again.err
    hits = bitreel("search", library, good[1], "--json").json["hits"]
    assert str(good[1]) in [hit["path"] for hit in hits if not hit["distance_bits"]]


@pytest.fixture(scope="module")
def partly_broken(
    broken: dict[str, Path], trained: Trained, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Two classes of six good clips, and every broken file in one or the other."""
    folder = tmp_path_factory.mktemp("labelled") / "actions"
    for label in ("striped-disc-left", "dotted-heart-rot_ccw"):
        shutil.copytree(trained.manifest.parent / label, folder / label)
    for number, (name, path) in enumerate(broken.items()):
        place = sorted(folder.iterdir())[number % 2] / name
        if name == "pipe.mp4":
            os.mkfifo(place)
        else:
            shutil.copy(path, place, follow_symlinks=False)
    return folder


def test_training_leaves_out_what_can_not_be_read_and_names_it(
    partly_broken: Path, tmp_path: Path
) -> None:
    options = ("--output", tmp_path / "model", *TINY, "--cache", tmp_path / "cache")
    ran = bitreel("train", partly_broken, *options)
    assert ran.code == 0
    answer = bitreel("evaluate", tmp_path / "model", partly_broken, "--cache", tmp_path / "cache")
    assert answer.code == 0
    named = [name for name, said in SAID.items() if said and f"/{name} " in ran.err + answer.err]
    unreadable = [name for name, said in SAID.items() if said]
    assert named == unreadable
    for name in set(named) - {"link.mp4", "pipe.mp4"}:  # of which training says it its own way
        assert str(SAID[name]) in ran.err + answer.err


def test_what_training_left_out_is_in_its_json_and_in_the_model(
    partly_broken: Path, tmp_path: Path
) -> None:
    from bitreel.model import Model

    options = ("--output", tmp_path / "model", *TINY, "--cache", tmp_path / "cache")
    answer = bitreel("train", partly_broken, *options, "--json").json
    assert answer["unreadable"]
    assert Model.load(tmp_path / "model").training["unreadable"] == answer["unreadable"]
    words = ("evaluate", tmp_path / "model", partly_broken, "--cache", tmp_path / "cache", "--json")
    again = bitreel(*words).json
    assert again["database"] == answer["training_clips"]  # all, after validation
    assert answer["unreadable"].items() <= again["unreadable"].items()
    damaged = {Path(path).name for path in [*answer["damaged"], *again["damaged"]]}
    assert damaged == set(READABLE)


def test_data_in_which_nothing_can_be_read(broken: dict[str, Path], tmp_path: Path) -> None:
    for label in ("jump", "run"):
        for number in range(4):
            place = tmp_path / "actions" / label / f"{number}.mp4"
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(broken["junk.mp4"], place)
    options = ("--output", tmp_path / "model", *TINY, "--cache", tmp_path / "cache")
    error = bitreel("train", tmp_path / "actions", *options).error
    assert "None of the" in error
    assert "can not be read as a video" in error
