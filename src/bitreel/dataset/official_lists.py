"""What the official split lists of UCF101 and HMDB51 have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from bitreel.dataset.example import Example
from bitreel.errors import ConfigError, DataError

FOLDS = (1, 2, 3)
NAMES_SHOWN = 3


def check_fold(fold: int) -> None:
    """Raise ConfigError unless fold is 1, 2 or 3."""
    if fold not in FOLDS:
        raise ConfigError(f"The official lists have the folds 1, 2 and 3, got {fold}.")


def find_lists(root: Path, names: Sequence[str], *, given: Path | None, needed: str) -> Path:
    """The folder that holds the split lists: `given`, or the first of root/name that is there.

    needed: the name of a file that the folder must hold. Raises DataError with the places tried.
    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder: give the folder that the data set is in.")
    places = [given] if given else [root / name for name in names]
    for place in places:
        if (place / needed).is_file():
            return place
    tried = ", ".join(map(str, places))
    raise DataError(
        f"{needed} is in none of the folders tried ({tried}). Unpack the official split lists "
        f"there, or name their folder with `lists`."
    )


def read_lines(path: Path) -> list[tuple[int, str]]:
    """(line number, text without outer spaces) of the lines that are not empty."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{path} could not be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text in UTF-8: is it the official list?") from error
    lines = ((number, line.strip()) for number, line in enumerate(text.split("\n"), 1))
    return [(number, line) for number, line in lines if line]


def first_folder_with(root: Path, names: Iterable[str], label: str) -> Path:
    """Where the class folders are: the first of root/name that holds the folder `label`."""
    places = [root / name for name in names]
    return next((place for place in places if (place / label).is_dir()), places[0])


def refuse_missing(examples: Sequence[Example], *, root: Path, lists: Path) -> None:
    """Raise DataError when videos that the lists name are not there."""
    missing = [example.path for example in examples if not example.path.is_file()]
    if missing:
        names = ", ".join(str(path) for path in missing[:NAMES_SHOWN])
        more = len(missing) - NAMES_SHOWN
        raise DataError(
            f"{root}: {len(missing)} of the {len(examples)} videos that the lists in {lists} name "
            f"are not there: {names}{f' and {more} more' if more > 0 else ''}. Unpack the whole "
            f"data set, or open the part you have as a folder of class folders."
        )
