"""A folder per class, with and without split folders. No real videos are needed to open one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from bitreel.dataset import Dataset, open_dataset
from bitreel.errors import DataError, LeakageError


def fill(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def sides(dataset: Dataset) -> dict[str, str]:
    return {example.path.name: example.split for example in dataset.examples}


def many(label: str, count: int = 20) -> list[str]:
    return [f"{label}/{label}_{number:02}.mp4" for number in range(count)]


def test_the_folder_is_the_label_and_a_quarter_of_every_class_asks(tmp_path: Path) -> None:
    dataset = open_dataset(fill(tmp_path, *many("run"), *many("walk", 8), "run/deeper/x.webm"))
    assert dataset.labels == ("run", "walk")
    assert Counter(example.label for example in dataset.query) == {"run": 5, "walk": 2}
    assert len(dataset.examples) == 29
    assert dataset.name == tmp_path.name


def test_the_draw_is_the_same_again_and_for_a_class_on_its_own(tmp_path: Path) -> None:
    alone = sides(open_dataset(fill(tmp_path / "a", *many("run"))))
    beside = sides(open_dataset(fill(tmp_path / "b", *many("run"), *many("walk", 7))))
    assert beside == beside | alone


def test_the_draw_does_not_move_with_the_place_of_the_folder_or_the_suffix(tmp_path: Path) -> None:
    first = sides(open_dataset(fill(tmp_path / "a", *many("run"))))
    moved = open_dataset(
        fill(tmp_path / "b" / "c", *(name.replace(".mp4", ".avi") for name in many("run")))
    )
    assert {name.replace(".avi", ".mp4"): side for name, side in sides(moved).items()} == first


def test_a_new_clip_leaves_nearly_all_others_on_their_side(tmp_path: Path) -> None:
    before = sides(open_dataset(fill(tmp_path, *many("run"))))
    after = sides(open_dataset(fill(tmp_path, "run/new.mp4")))
    assert sum(after[name] != side for name, side in before.items()) <= 1


def test_groups_of_ucf101_names_stay_together_and_a_lone_group_is_no_query(tmp_path: Path) -> None:
    bowling = [f"Bowling/v_Bowling_g{g:02}_c{c:02}.avi" for g in range(1, 9) for c in range(1, 5)]
    lone = [f"Diving/v_Diving_g03_c{c:02}.avi" for c in range(1, 5)]
    dataset = open_dataset(fill(tmp_path, *bowling, *lone))
    assert {example.group for example in dataset.examples if example.label == "Diving"} == {
        "Diving/g03"
    }
    assert {example.label for example in dataset.query} == {"Bowling"}
    assert len({example.group for example in dataset.query}) == 2
    assert len(dataset.query) == 8


@pytest.mark.parametrize(("training", "test"), [("train", "test"), ("database", "query")])
def test_split_folders_are_the_sides(tmp_path: Path, training: str, test: str) -> None:
    names = [f"{training}/run/1.mp4", f"{training}/walk/1.mp4", f"{test}/run/1.mp4"]
    dataset = open_dataset(fill(tmp_path, *names))
    assert [example.path for example in dataset.query] == [tmp_path / test / "run" / "1.mp4"]
    assert len(dataset.database) == 2
    assert dataset.labels == ("run", "walk")


def test_a_recording_in_both_split_folders_is_refused(tmp_path: Path) -> None:
    names = ["train/Bowling/v_Bowling_g01_c01.avi", "test/Bowling/v_Bowling_g01_c02.avi"]
    with pytest.raises(LeakageError, match="Bowling/g01"):
        open_dataset(fill(tmp_path, *names))


def test_train_may_be_a_class(tmp_path: Path) -> None:
    dataset = open_dataset(fill(tmp_path, *many("train", 4), *many("test", 4), *many("bus", 4)))
    assert dataset.labels == ("bus", "test", "train")


def test_other_files_hidden_folders_and_empty_classes_are_left_out(tmp_path: Path) -> None:
    fill(tmp_path, *many("run", 4), "run/notes.txt", ".cache/x/y.mp4", "README.md")
    (tmp_path / "empty").mkdir()
    assert open_dataset(tmp_path).labels == ("run",)


def test_a_folder_without_videos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no videos.*one folder for each class"):
        open_dataset(fill(tmp_path, "run/readme.txt"))


def test_videos_beside_the_class_folders_are_refused_by_name(tmp_path: Path) -> None:
    fill(tmp_path, *many("run", 4), "a.mp4", "b.mp4", "c.mp4", "d.mp4")
    with pytest.raises(
        DataError, match=r"4 videos are in no class folder \(a.mp4, b.mp4, c.mp4, …"
    ):
        open_dataset(tmp_path)


def test_a_third_folder_beside_the_split_folders_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, "train/run/1.mp4", "test/run/2.mp4", "validation/run/3.mp4")
    with pytest.raises(
        DataError, match=r"1 videos are in no class folder \(validation/run/3.mp4\)"
    ):
        open_dataset(tmp_path)
