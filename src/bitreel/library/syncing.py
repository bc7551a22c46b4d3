"""Make a library hold what folders hold: what is new is added, what is gone is forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bitreel.library.add_run import is_gone
from bitreel.library.collection import Collection
from bitreel.library.engine import AnyCatalogue
from bitreel.library.results import AddReport


def sync(
    catalogue: AnyCatalogue, collection: Collection, add: Callable[[], AddReport]
) -> AddReport:
    """See `Library.sync`. add: adds the collection's videos.

    What is gone is forgotten last: a file that moved takes its codes along.
    """
    catalogue.skip(collection.skipped)
    report = add()
    catalogue.skip(report.failures)  # such as a link that leads nowhere: no file, but in the folder
    gone, absent = _gone(catalogue, collection)
    removed = catalogue.remove(gone) if gone else 0
    return replace(report, removed=removed, skipped=len(collection.skipped), absent=absent)


def _gone(catalogue: AnyCatalogue, collection: Collection) -> tuple[list[Path], dict[Path, int]]:
    """The files that are no longer there, and those that an empty folder is missing.

    A folder without a video that held some is more likely a disk that is not mounted than a
    collection that was thrown away, and so is an empty one within.
    """
    found = {video.path for video in collection.videos}
    seen = found | collection.skipped.keys()
    missing = [
        path
        for path in catalogue.paths()
        if path not in seen
        and any(path.is_relative_to(root) for root in collection.roots)
        and is_gone(path)
    ]
    bare = [
        root for root in collection.roots if not any(path.is_relative_to(root) for path in found)
    ]
    gone: list[Path] = []
    absent: Counter[Path] = Counter()
    empty: dict[Path, bool] = {}
    for path in missing:
        away = next((root for root in bare if path.is_relative_to(root)), None)
        away = away or _empty_folder_above(path, empty)
        if away is None:
            gone.append(path)
        else:
            absent[away] += 1
    return gone, dict(absent)


def _empty_folder_above(path: Path, known: dict[Path, bool]) -> Path | None:
    """The first folder above that is there, where nothing at all is in it."""
    for folder in path.parents:
        if folder not in known and folder.is_dir():
            known[folder] = not any(folder.iterdir())
        if folder in known:
            return folder if known[folder] else None
    return None
