"""The videos that a command line names: files, folders, labelled data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bitreel.errors import ConfigError, DataError
from bitreel.library.collection import Collection, Filter, collect

if TYPE_CHECKING:
    from bitreel.library import Video


@dataclass(frozen=True)
class Choice:
    """What is wanted of what is named."""

    labels: bool
    wanted: Filter
    split: str
    fold: int
    lists: Path | None


@dataclass(frozen=True)
class Found:
    """videos: named one by one, or by labelled data. folders: whose collection is to be kept."""

    videos: tuple[Video, ...]
    folders: tuple[Path, ...]
    collection: Collection | None


def find(names: Sequence[str], chosen: Choice, library: Path) -> Found:
    """Raises DataError, ConfigError, VideoError for a name that does not lead to videos."""
    if chosen.split not in ("database", "query", "all"):
        raise ConfigError(f"--split takes database, query or all; got {chosen.split!r}.")
    # A part can be had of labelled data only: what is none must not be indexed whole instead.
    part = chosen.split != "all" or chosen.fold != 1 or chosen.lists is not None
    videos: list[Video] = []
    folders: list[Path] = []
    for name in names:
        if part or _is_labelled_data(name):
            if chosen.wanted != Filter():
                raise ConfigError(f"--only and --exclude choose in folders, and {name} is a list.")
            videos += _from_dataset(name, chosen)
        elif Path(name).is_dir():
            folders.append(Path(name))
        else:
            videos += _from_file(name)
    collection = collection_of(folders, chosen, library) if folders else None
    return Found(tuple(videos), tuple(folders), collection)


def collection_of(folders: Sequence[Path], chosen: Choice, library: Path) -> Collection:
    found = collect(
        folders, labels=chosen.labels, wanted=chosen.wanted, leave_out=library.resolve()
    )
    if not found.videos and not library.exists():
        raise DataError(
            f"There are no videos in {', '.join(map(str, folders))}: name a folder or files that "
            f"hold some."
        )
    return found


def _is_labelled_data(name: str) -> bool:
    official = name.lower().startswith(("ucf101:", "hmdb51:"))
    return official or name.lower().endswith(".csv") or (Path(name) / "manifest.csv").is_file()


def _from_dataset(spec: str, chosen: Choice) -> list[Video]:
    from bitreel.dataset import open_dataset
    from bitreel.library import Video

    examples = open_dataset(spec, fold=chosen.fold, lists=chosen.lists).examples
    return [
        Video(e.path, e.label if chosen.labels else None)
        for e in examples
        if chosen.split in ("all", e.split)
    ]


def _from_file(name: str) -> list[Video]:
    from bitreel.library import Video
    from bitreel.video import find_videos

    return [Video(found) for found in find_videos([name])]
