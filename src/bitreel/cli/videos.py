"""The videos that a command line names: files, folders, URLs, lists of these, labelled data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bitreel.errors import ConfigError, DataError
from bitreel.library.collection import Collection, Filter, collect
from bitreel.library.urls import is_url, list_url

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
            videos += _from_file(name, chosen)
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


def _from_file(name: str, chosen: Choice) -> list[Video]:
    from bitreel.library import Video
    from bitreel.video import find_videos

    if is_url(name):
        return _from_url(name, chosen)
    if name.lower().endswith(".txt") and Path(name).is_file():
        return list(_from_list(Path(name), chosen))
    return [Video(found) for found in find_videos([name])]


def _from_list(path: Path, chosen: Choice) -> Iterator[Video]:
    """A file, a folder or a URL a line; paths are as seen from the list."""
    try:
        lines = path.read_text("utf-8", "surrogateescape").splitlines()
    except OSError as error:
        raise DataError(f"The list {path} can not be read: {error.strerror}.") from error
    for line in filter(None, map(str.strip, lines)):
        yield from _from_file(line if is_url(line) else str(path.parent / line), chosen)


def _from_url(url: str, chosen: Choice) -> list[Video]:
    """What --only and --exclude leave of it, labelled as in a folder of this machine."""
    from bitreel.library.collection import label_of
    from bitreel.library.urls import to_path

    root, found = to_path(url.rstrip("/")), []
    for video in list_url(url.rstrip("/")):
        below = video.path.relative_to(root) if video.path != root else Path(root.name)
        if chosen.wanted.refusal(below) is None:
            found.append(replace(video, label=label_of(below) if chosen.labels else None))
    return found
