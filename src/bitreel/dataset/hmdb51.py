"""HMDB51 (Kuehne et al., ICCV 2011) in its official layout, with its official lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from bitreel.dataset import official_lists
from bitreel.dataset.example import Dataset, Example, Split
from bitreel.errors import DataError

LIST_FOLDERS = ("testTrainMulti_7030_splits", "splits", ".")
VIDEO_FOLDERS = ("hmdb51_org", ".")
SIDES: dict[str, Split | None] = {"0": None, "1": "database", "2": "query"}
# title_class_body_camera_people_viewpoint_quality_number.avi
NAME = re.compile(
    r"(?P<title>.+)_[hulfn]+_(?:cm|nm)_np(?:\d+|n)_(?:fr|ba|le|ri)_(?:goo|med|bad)_\d+"
)


def open_hmdb51(root: Path, *, fold: int = 1, lists: Path | None = None) -> Dataset:
    """Open ROOT/class/*.avi, or ROOT/hmdb51_org/class/*.avi.

    The official id 1 of the fold is the database, 2 the query, 0 is left out. lists: the folder of
    brush_hair_test_split1.txt and its like, ROOT/testTrainMulti_7030_splits if not given.

    A group is class/title, the title being what the file name says before the class: the footage
    that clips of one action were cut from. The official lists keep these apart in all three folds.
    They do not keep films apart: of some 1,340 titles, 133, 149 and 144 (folds 1, 2, 3) give clips
    of one class to the training part and clips of another to the test part, 457, 527 and 529 of the
    1,530 test clips. Titles of one class that differ in a part number alone are 42, 52 and 50 times
    on both sides. A hold-out by these groups inside the training part is built as the official test
    part is, shared films and all, so it foretells the test figures; it is no test on unseen films.

    Raises ConfigError for a fold other than 1, 2, 3, and DataError for lists that are missing or
    malformed (with file and line) and for videos that are missing.
    """
    official_lists.check_fold(fold)
    ending = f"_test_split{fold}.txt"
    place = official_lists.find_lists(root, LIST_FOLDERS, given=lists, needed=f"brush_hair{ending}")
    rows = [
        row
        for path in sorted(place.glob(f"*{ending}"))
        for row in _read_list(path, path.name.removesuffix(ending))
    ]
    videos = official_lists.first_folder_with(root, VIDEO_FOLDERS, "brush_hair")
    examples = tuple(
        Example(videos / label / name, label, _group_of(name, label), split)
        for label, name, split in rows
    )
    official_lists.refuse_missing(examples, root=root, lists=place)
    return Dataset(f"HMDB51 split {fold}", examples)


def _read_list(path: Path, label: str) -> Iterator[tuple[str, str, Split]]:
    """(label, file name, split) of the lines `name.avi 1`."""
    for number, line in official_lists.read_lines(path):
        match line.split():
            case [name, side] if side in SIDES:
                if split := SIDES[side]:
                    yield label, name, split
            case _:
                raise DataError(
                    f"{path}, line {number}: expected a file name and 0, 1 or 2, got {line!r}."
                )


def _group_of(name: str, label: str) -> str:
    """class/title; a name that is not built the official way is a group of its own."""
    stem = Path(name).stem
    match = NAME.fullmatch(stem)
    return f"{label}/{match['title'].removesuffix(f'_{label}') if match else stem}"
