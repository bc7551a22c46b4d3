"""Data sets: labelled videos with groups and a split, opened from what people have on disk."""

from __future__ import annotations

from pathlib import Path

from bitreel.dataset.example import SPLIT_NAMES, Dataset, Example, Split
from bitreel.dataset.hmdb51 import open_hmdb51
from bitreel.dataset.labelled_folder import open_labelled_folder
from bitreel.dataset.manifest import open_manifest, write_manifest
from bitreel.dataset.splits import check_leakage, hold_out_groups
from bitreel.dataset.ucf101 import open_ucf101
from bitreel.dataset.unlabelled import open_unlabelled
from bitreel.errors import ConfigError, DataError

__all__ = [
    "SPLIT_NAMES",
    "Dataset",
    "Example",
    "Split",
    "check_leakage",
    "hold_out_groups",
    "open_dataset",
    "write_manifest",
]

OFFICIAL = {"ucf101": open_ucf101, "hmdb51": open_hmdb51}
UNDERSTOOD = """A data set is one of
  FOLDER          one folder for each class in it: FOLDER/running/clip.mp4
  manifest.csv    a CSV with the columns path,label and, if wanted, group,split
  ucf101:ROOT     UCF101 in its official layout, with its split lists
  hmdb51:ROOT     HMDB51 in its official layout, with its split lists"""


def open_dataset(
    spec: str | Path, *, fold: int = 1, lists: Path | None = None, labelled: bool = True
) -> Dataset:
    """Open a data set: a folder, a manifest.csv, `ucf101:ROOT` or `hmdb51:ROOT`.

    A folder that holds a manifest.csv is opened by it, any other as a folder per class. fold (1, 2,
    3) and lists (the folder of the split lists) belong to the official layouts. labelled: off, a
    folder may hold videos in any way, and those that have no class folder have no label.

    Raises DataError for what can not be opened, LeakageError for a group on both sides of the
    split, ConfigError for a fold or lists out of place.
    """
    kind, colon, root = str(spec).partition(":")
    if colon and kind.lower() in OFFICIAL:
        if not root:
            raise DataError(f"{spec} names no folder: write {kind}:ROOT.\n{UNDERSTOOD}")
        return OFFICIAL[kind.lower()](Path(root).expanduser(), fold=fold, lists=lists)
    if fold != 1 or lists is not None:
        raise ConfigError(
            f"fold and lists belong to ucf101:ROOT and hmdb51:ROOT; {spec} is neither, so leave "
            f"them out."
        )
    path = Path(spec).expanduser()
    if path.is_dir():
        manifest = path / "manifest.csv"
        if manifest.is_file():
            return open_manifest(manifest)
        return open_labelled_folder(path) if labelled else _open_any_folder(path)
    if path.is_file() and path.suffix.lower() == ".csv":
        return open_manifest(path)
    cause = "is no folder and no .csv file" if path.exists() else "is not there"
    raise DataError(f"{spec} {cause}. {UNDERSTOOD}")


def _open_any_folder(path: Path) -> Dataset:
    """With its labels and its split where it has them, so that a query is not learnt from."""
    try:
        return open_labelled_folder(path)
    except DataError:
        return open_unlabelled(path)
