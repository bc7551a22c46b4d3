"""`bitreel index`: labels, parts of labelled data, and doing it again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bitreel.dataset import open_dataset
from bitreel.library import Library
from command_line import Trained, bitreel

KEYS = {
    "library",
    "added",
    "replaced",
    "moved",
    "removed",
    "skipped",
    "absent",
    "unchanged",
    "failed",
    "failures",
    "damaged",
    "videos",
    "segments",
}


@pytest.fixture
def clips(trained: Trained, tmp_path: Path) -> Path:
    """A folder with a folder for each of two classes, one with a folder in it, and a stray."""
    source = trained.manifest.parent
    for place in ("jump/a.mp4", "jump/b.mp4", "run/slow/c.mp4", "d.mp4"):
        (tmp_path / "clips" / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / "striped-disc-left" / "scene0000.mp4", tmp_path / "clips" / place)
    return tmp_path / "clips"


def labels(library: Path) -> dict[str, int]:
    with Library.open(library) as opened:
        return dict(opened.status().labels)


def test_labels_come_from_the_folders(clips: Path, trained: Trained, tmp_path: Path) -> None:
    library = tmp_path / "library"
    answer = bitreel("index", library, clips, "--model", trained.model, "--json").json
    assert set(answer) == KEYS
    assert (answer["added"], answer["failed"], answer["videos"]) == (4, 0, 4)
    assert labels(library) == {"jump": 2, "run": 1}  # the stray has none


@pytest.mark.parametrize("sides", [("train", "test"), ("database", "query")])
def test_the_sides_of_a_split_are_no_labels(
    sides: tuple[str, str], trained: Trained, tmp_path: Path
) -> None:
    for place in (f"{sides[0]}/jump/a.mp4", f"{sides[1]}/jump/b.mp4", f"{sides[1]}/run/c.mp4"):
        (tmp_path / "clips" / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(trained.query, tmp_path / "clips" / place)
    words = ("index", tmp_path / "library", tmp_path / "clips", "--model", trained.model)
    assert bitreel(*words).code == 0
    assert labels(tmp_path / "library") == {"jump": 2, "run": 1}


def test_no_labels_on_request(clips: Path, trained: Trained, tmp_path: Path) -> None:
    words = ("--model", trained.model, "--no-labels")
    assert bitreel("index", tmp_path / "library", clips, *words).code == 0
    assert labels(tmp_path / "library") == {}
    assert bitreel("index", tmp_path / "two", trained.manifest, *words).code == 0
    assert labels(tmp_path / "two") == {}


def test_a_file_by_itself_has_no_label(clips: Path, trained: Trained, tmp_path: Path) -> None:
    words = ("index", tmp_path / "library", clips / "jump" / "a.mp4", "--model", trained.model)
    assert bitreel(*words, "--json").json["added"] == 1
    assert labels(tmp_path / "library") == {}


def test_indexing_twice_adds_nothing(clips: Path, trained: Trained, tmp_path: Path) -> None:
    library = tmp_path / "library"
    words = ("index", library, clips, "--model", trained.model)
    assert bitreel(*words).out == f"4 added, 0 replaced, 0 unchanged, 0 failed. {library} " + (
        "holds 4 videos in 4 segments.\n"
    )
    with Library.open(library) as opened:
        first = opened.codes()
    again = bitreel(*words, "--json").json
    assert (again["added"], again["unchanged"], again["videos"]) == (0, 4, 4)
    with Library.open(library) as opened:
        ids, codes = opened.codes()
    assert ids.tolist() == first[0].tolist()
    assert codes.packed.tolist() == first[1].packed.tolist()


def test_a_library_knows_its_model(clips: Path, trained: Trained, tmp_path: Path) -> None:
    library = tmp_path / "library"
    assert bitreel("index", library, clips / "jump", "--model", trained.model).code == 0
    answer = bitreel("index", library, clips, "--json").json
    assert (answer["added"], answer["unchanged"], answer["videos"]) == (2, 2, 4)


def test_several_places_at_once(clips: Path, trained: Trained, tmp_path: Path) -> None:
    words = ("index", tmp_path / "library", clips / "jump", clips / "d.mp4", trained.manifest)
    answer = bitreel(*words, "--split", "all", "--model", trained.model, "--json").json
    assert answer["added"] == 3 + 72


@pytest.mark.parametrize("split", ["database", "query", "all"])
def test_a_part_of_labelled_data(split: str, trained: Trained, tmp_path: Path) -> None:
    """A manifest, and the folder that holds it."""
    dataset = open_dataset(trained.manifest)
    expected = {"database": dataset.database, "query": dataset.query, "all": dataset.examples}
    library = tmp_path / "library"
    words = ("--split", split, "--model", trained.model)
    answer = bitreel("index", library, trained.manifest, *words, "--json").json
    assert answer["added"] == len(expected[split])
    assert sum(labels(library).values()) == len(expected[split])
    again = bitreel("index", library, trained.manifest.parent, *words, "--json").json
    assert (again["added"], again["videos"]) == (0, len(expected[split]))


def test_a_part_of_a_folder_is_that_of_train_and_evaluate(
    clips: Path, trained: Trained, tmp_path: Path
) -> None:
    """Not the whole folder, which would put the queries into the library."""
    (clips / "d.mp4").unlink()
    queries = {example.path.resolve() for example in open_dataset(clips).query}
    assert queries
    words = ("index", tmp_path / "library", clips, "--split", "query", "--model", trained.model)
    assert bitreel(*words, "--json").json["added"] == len(queries)
    with Library.open(tmp_path / "library") as opened:
        hits = opened.search(clips / "jump" / "a.mp4").hits
    assert {hit.path for hit in hits} == queries


def test_a_part_of_what_has_no_parts_is_refused(
    clips: Path, trained: Trained, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    words = ("index", library, clips / "d.mp4", "--split", "database", "--model", trained.model)
    assert "is no folder and no .csv file" in bitreel(*words).error
    words = ("index", library, clips, "--fold", "2", "--model", trained.model)
    assert "fold and lists belong to ucf101:ROOT" in bitreel(*words).error
    assert not library.exists()


@pytest.mark.parametrize("split", ["train", "both", ""])
def test_an_unknown_part(split: str, clips: Path, tmp_path: Path) -> None:
    error = bitreel("index", tmp_path / "library", clips, "--split", split).error
    assert error == f"--split takes database, query or all; got {split!r}."


def test_another_model_is_refused_with_what_to_do(clips: Path, trained: Trained) -> None:
    error = bitreel("index", trained.library, clips, "--model", trained.models / "32").error
    assert f"The library {trained.library} was indexed with the model" in error
    assert "(16 bits)" in error
    assert "(32 bits)" in error
    assert "leave the model out to use the library's own, give the library another one by" in error
    assert f"`bitreel migrate {trained.library} --model MODEL`, or index the videos into" in error


def test_a_folder_without_videos(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    words = ("index", tmp_path / "library", tmp_path / "empty", "--model", trained.model)
    assert bitreel(*words).error.startswith("There are no videos in")


@pytest.mark.parametrize("words", [["--only", "*.mp4"], ["--exclude", "jump"]], ids=str)
def test_patterns_choose_in_folders_and_not_in_lists(
    trained: Trained, tmp_path: Path, words: list[str]
) -> None:
    """They would be passed over, and files indexed that were not wanted."""
    library, folder = tmp_path / "library", trained.manifest.parent
    model = ("--model", trained.model)
    for named in ((trained.manifest,), (folder,), (folder, "--split", "database")):
        error = bitreel("index", library, *named, *model, *words).error
        assert f"--only and --exclude choose in folders, and {named[0]} is a list." in error
    assert not library.exists()
