"""UCF101 (Soomro, Zamir, Shah, CRCV-TR-12-01) in its official layout, with its official lists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bitreel.dataset import official_lists
from bitreel.dataset.example import Dataset, Example, Split
from bitreel.dataset.groups import UCF101_NAME
from bitreel.errors import DataError

LIST_FOLDERS = ("ucfTrainTestlist", "ucfTrainTestList", "splits", ".")
VIDEO_FOLDERS = ("UCF-101", ".")


def open_ucf101(root: Path, *, fold: int = 1, lists: Path | None = None) -> Dataset:
    """Open ROOT/UCF-101/Class/v_Class_gNN_cNN.avi, or ROOT/Class/….

    The official training list of the fold is the database, its test list the query. lists: the
    folder of trainlist01.txt and its like, ROOT/ucfTrainTestlist if not given. A group is
    Class/gNN, the long recording that its clips were cut from; the official lists keep them apart.

    Raises ConfigError for a fold other than 1, 2, 3, and DataError for lists that are missing or
    malformed (with file and line) and for videos that are missing.
    """
    official_lists.check_fold(fold)
    training, test = f"trainlist{fold:02}.txt", f"testlist{fold:02}.txt"
    place = official_lists.find_lists(root, LIST_FOLDERS, given=lists, needed=training)
    rows = [*_read_list(place / training, "database"), *_read_list(place / test, "query")]
    if not rows:
        raise DataError(f"{place / training} and {place / test} name no videos.")
    videos = official_lists.first_folder_with(root, VIDEO_FOLDERS, rows[0][0])
    examples = tuple(
        Example(videos / label / name, label, group, split) for label, name, group, split in rows
    )
    official_lists.refuse_missing(examples, root=root, lists=place)
    return Dataset(f"UCF101 split {fold}", examples)


def _read_list(path: Path, split: Split) -> Iterator[tuple[str, str, str, Split]]:
    """(label, file name, group, split) of the lines `Class/v_Class_g08_c01.avi [number]`."""
    for number, line in official_lists.read_lines(path):
        label, slash, name = line.split()[0].partition("/")
        match = UCF101_NAME.fullmatch(Path(name).stem)
        if not label or not slash or match is None:
            raise DataError(
                f"{path}, line {number}: expected Class/v_Class_g08_c01.avi, got {line!r}."
            )
        yield label, name, f"{label}/g{match['group']}", split
