"""Videos that nobody has labelled, for what learns without labels."""

from __future__ import annotations

from pathlib import Path

from bitreel.dataset.example import Dataset, Example
from bitreel.errors import DataError
from bitreel.video import find_videos

NO_LABEL = "(none)"


def open_unlabelled(folder: Path) -> Dataset:
    """Every video under a folder (or the one file), on the database side, with no label.

    Raises DataError where there is none.
    """
    videos = find_videos([folder])
    if not videos:
        raise DataError(f"There are no videos in {folder}: name a folder that holds some.")
    examples = (Example(path, NO_LABEL, str(path), "database") for path in videos)
    return Dataset(folder.name, tuple(examples))
