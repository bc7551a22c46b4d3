"""UCF101 and HMDB51: the official lists over empty placeholder files, and known counts."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from bitreel.dataset import Dataset, check_leakage, hold_out_groups, open_dataset
from bitreel.dataset.example import Example
from bitreel.errors import DataError

LISTS = Path(__file__).parents[2] / ".." / "shared" / "data" / "splits"

pytestmark = pytest.mark.skipif(not LISTS.is_dir(), reason="the official split lists are not here")


def touch_all(folder: Path, names: list[tuple[str, str]]) -> None:
    for label in {label for label, _ in names}:
        (folder / label).mkdir(parents=True)
    for label, name in names:
        (folder / label / name).touch()


@pytest.fixture(scope="session")
def ucf101(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ucf101")
    shutil.copytree(LISTS / "ucf101", root / "ucfTrainTestlist")
    names = [
        tuple(line.split()[0].split("/"))
        for side in ("train", "test")
        for line in (LISTS / "ucf101" / f"{side}list01.txt").read_text().splitlines()
    ]
    touch_all(root / "UCF-101", [(label, name) for label, name in names])
    return root


@pytest.fixture(scope="session")
def hmdb51(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hmdb51")
    names = [
        (path.name.removesuffix("_test_split1.txt"), line.split()[0])
        for path in (LISTS / "hmdb51").glob("*_test_split1.txt")
        for line in path.read_text().splitlines()
    ]
    touch_all(root, names)
    return root


def open_hmdb51(root: Path, fold: int = 1) -> Dataset:
    return open_dataset(f"hmdb51:{root}", fold=fold, lists=LISTS / "hmdb51")


@pytest.mark.parametrize(
    ("fold", "database", "query"), [(1, 9537, 3783), (2, 9586, 3734), (3, 9624, 3696)]
)
def test_ucf101_counts(ucf101: Path, fold: int, database: int, query: int) -> None:
    dataset = open_dataset(f"ucf101:{ucf101}", fold=fold)
    assert (len(dataset.database), len(dataset.query)) == (database, query)
    assert len(dataset.labels) == 101
    assert dataset.name == f"UCF101 split {fold}"


def test_ucf101_groups_of_split_1(ucf101: Path) -> None:
    dataset = open_dataset(f"ucf101:{ucf101}")
    numbers = [
        {example.group.rpartition("/g")[2] for example in side}
        for side in (dataset.query, dataset.database)
    ]
    assert numbers[0] == {f"{number:02}" for number in range(1, 8)}
    assert numbers[1] == {f"{number:02}" for number in range(8, 26)}
    relevant = Counter(example.label for example in dataset.database)
    assert (min(relevant.values()), max(relevant.values())) == (72, 121)
    example = dataset.query[0]
    assert example.group == f"{example.label}/g01"
    assert example.path == (ucf101 / "UCF-101" / "ApplyEyeMakeup" / "v_ApplyEyeMakeup_g01_c01.avi")


def test_ucf101_validation_holds_out_whole_recordings_of_every_class(ucf101: Path) -> None:
    training_part = open_dataset(f"ucf101:{ucf101}").database
    training, validation = hold_out_groups(training_part, fraction=0.2)
    assert 0.18 < len(validation) / len(training_part) < 0.22
    assert len({training_part[row].label for row in validation}) == 101
    assert not {training_part[row].group for row in training} & {
        training_part[row].group for row in validation
    }


def test_class_folders_may_lie_in_the_root_and_lists_elsewhere(ucf101: Path) -> None:
    dataset = open_dataset(f"UCF101:{ucf101 / 'UCF-101'}", lists=LISTS / "ucf101")
    assert len(dataset.examples) == 13320


@pytest.mark.parametrize("fold", [1, 2, 3])
def test_hmdb51_counts(hmdb51: Path, fold: int) -> None:
    dataset = open_hmdb51(hmdb51, fold)
    assert (len(dataset.database), len(dataset.query)) == (3570, 1530)
    assert len(dataset.labels) == 51
    assert set(Counter(example.label for example in dataset.database).values()) == {70}
    assert set(Counter(example.label for example in dataset.query).values()) == {30}


@pytest.mark.parametrize(
    ("fold", "films", "queries"), [(1, 133, 457), (2, 149, 527), (3, 144, 529)]
)
def test_hmdb51_keeps_class_and_title_apart_but_not_films(
    hmdb51: Path, fold: int, films: int, queries: int
) -> None:
    """The counts that the docstring of open_hmdb51 tells."""
    dataset = open_hmdb51(hmdb51, fold)
    check_leakage(dataset.examples)

    def title(example: Example) -> str:
        return example.group.partition("/")[2]

    both = set(map(title, dataset.database)) & set(map(title, dataset.query))
    assert len(both) == films
    assert sum(title(example) in both for example in dataset.query) == queries


def test_hmdb51_group_is_class_and_title(hmdb51: Path) -> None:
    groups = {example.path.name: example.group for example in open_hmdb51(hmdb51).examples}
    assert groups["April_09_brush_hair_u_nm_np1_ba_goo_0.avi"] == "brush_hair/April_09"
    assert groups["AmericanGangster_walk_f_cm_np1_le_bad_8.avi"] == "walk/AmericanGangster"


def test_hmdb51_validation_has_every_class(hmdb51: Path) -> None:
    training_part = open_hmdb51(hmdb51).database
    training, validation = hold_out_groups(training_part, fraction=0.2)
    held = Counter(training_part[row].label for row in validation)
    assert len(held) == 51
    assert 13 <= min(held.values()) <= max(held.values()) <= 15  # of 70
    assert len({training_part[row].label for row in training}) == 51


def test_missing_videos_are_counted_and_a_few_named(hmdb51: Path, tmp_path: Path) -> None:
    shutil.copytree(hmdb51, tmp_path / "hmdb51_org")
    for path in sorted((tmp_path / "hmdb51_org" / "wave").iterdir()):
        path.unlink()
    with pytest.raises(DataError, match=r"100 of the 5100 videos .* and 97 more") as caught:
        open_hmdb51(tmp_path)
    assert str(caught.value).count(".avi") == 3


def test_missing_lists_name_the_places_tried(hmdb51: Path) -> None:
    with pytest.raises(DataError, match=r"brush_hair_test_split1\.txt.*testTrainMulti_7030_splits"):
        open_dataset(f"hmdb51:{hmdb51}")
    with pytest.raises(DataError, match=r"trainlist01\.txt.*ucfTrainTestlist.*`lists`"):
        open_dataset(f"ucf101:{hmdb51}")


@pytest.mark.parametrize("line", ["brush.avi 3", "brush.avi", "1", "brush.avi 1 2 x"])
def test_a_malformed_hmdb51_list_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "splits" / "brush_hair_test_split1.txt"
    path.parent.mkdir()
    path.write_text(f"a_brush_hair_u_nm_np1_ba_goo_0.avi 1 \n\n{line}\n")
    with pytest.raises(DataError, match=r"brush_hair_test_split1\.txt, line 3: expected") as caught:
        open_dataset(f"hmdb51:{tmp_path}")
    assert repr(line) in str(caught.value)


@pytest.mark.parametrize("line", ["Archery", "/v_Archery_g01_c01.avi", "Archery/clip_1.avi 3"])
def test_a_malformed_ucf101_list_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "trainlist01.txt").write_text("Archery/v_Archery_g08_c01.avi 3\n")
    (tmp_path / "testlist01.txt").write_text(f"Archery/v_Archery_g01_c01.avi\n{line}\n")
    with pytest.raises(DataError, match=r"testlist01\.txt, line 2: expected") as caught:
        open_dataset(f"ucf101:{tmp_path}")
    assert repr(line) in str(caught.value)


def test_a_missing_test_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trainlist01.txt").write_text("Archery/v_Archery_g08_c01.avi 3\n")
    with pytest.raises(DataError, match=r"testlist01\.txt could not be read"):
        open_dataset(f"ucf101:{tmp_path}")
