"""What a data set is to the rest of the house: labelled videos, each on one side of a split."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from bitreel.dataset.splits import check_leakage
from bitreel.errors import DataError

Split = Literal["database", "query"]

SPLIT_NAMES: dict[str, Split] = {  # in a manifest's column and as folders above the classes
    "database": "database",
    "train": "database",
    "query": "query",
    "test": "query",
}


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled video.

    group: clips of one group come from one recording and must not stand on both sides of a split.
    split: `database` is searched and trained on, `query` asks and is never trained on.
    """

    path: Path
    label: str
    group: str
    split: Split

    def __post_init__(self) -> None:
        if not self.label.strip():
            raise DataError(
                f"{self.path} has an empty label: give every video the name of a class."
            )
        if not self.group.strip():
            raise DataError(f"{self.path} has an empty group: name the recording it comes from.")
        if self.split not in get_args(Split):
            raise DataError(
                f"{self.path} has the split {self.split!r}: expected one of {get_args(Split)}."
            )


@dataclass(frozen=True)
class Dataset:
    """Labelled videos with distinct paths, and no group on both sides of the split.

    Raises DataError for a path that comes twice, LeakageError for a group on both sides.
    """

    name: str
    examples: tuple[Example, ...]

    def __post_init__(self) -> None:
        counts = Counter(example.path for example in self.examples)
        if twice := [path for path, count in counts.items() if count > 1]:
            raise DataError(
                f"{self.name}: {len(twice)} videos are listed more than once ({_few(twice)}). "
                f"Keep one line for each."
            )
        check_leakage(self.examples, name=self.name)

    @property
    def database(self) -> tuple[Example, ...]:
        """The examples that are searched and trained on, in their order."""
        return tuple(example for example in self.examples if example.split == "database")

    @property
    def query(self) -> tuple[Example, ...]:
        """The examples that ask, in their order."""
        return tuple(example for example in self.examples if example.split == "query")

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes, sorted."""
        return tuple(sorted({example.label for example in self.examples}))

    def __repr__(self) -> str:
        return (
            f"Dataset({self.name!r}, {len(self.labels)} classes, "
            f"{len(self.database)} database, {len(self.query)} query)"
        )


def _few(paths: list[Path]) -> str:
    return ", ".join(map(str, paths[:3])) + (", …" if len(paths) > 3 else "")
