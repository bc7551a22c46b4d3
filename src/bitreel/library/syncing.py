"""Make a library hold what folders hold: what is new is added, what is gone is forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bitreel.library.adding import is_gone
from bitreel.library.catalogue import Catalogue
from bitreel.library.collection import Collection
from bitreel.library.results import AddReport


def sync(catalogue: Catalogue, collection: Collection, add: Callable[[], AddReport]) -> AddReport:
    """See `Library.sync`. add: adds the collection's videos.

    What is gone is forgotten last: a file that moved takes its codes along.
    """
    catalogue.skip(collection.skipped)
    report = add()
    catalogue.skip(report.failures)  # such as a link that leads nowhere: no file, but in the folder
    gone, absent = _gone(catalogue, collection)
    removed = catalogue.remove(gone) if gone else 0
    return replace(report, removed=removed, skipped=len(collection.skipped), absent=absent)


def _gone(catalogue: Catalogue, collection: Collection) -> tuple[list[Path], dict[Path, int]]:
    """The files that are no longer there, and those that an empty folder is missing.

    A folder that holds nothing now and held much is more likely a disk that is not mounted than a
    collection that was thrown away.
    """
    found = {video.path for video in collection.videos} | collection.skipped.keys()
    gone: list[Path] = []
    absent: Counter[Path] = Counter()
    for root in collection.roots:
        missing = [
            path
            for path in catalogue.paths()
            if path.is_relative_to(root) and path not in found and is_gone(path)
        ]
        if any(path.is_relative_to(root) for path in found):
            gone += missing
        elif missing:
            absent[root] = len(missing)
    return gone, dict(absent)
