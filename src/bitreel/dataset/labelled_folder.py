"""A folder per class: FOLDER/class/clip.avi, with or without split folders above the classes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bitreel.dataset.example import SPLIT_NAMES, Dataset, Example, Split
from bitreel.dataset.groups import draw_queries, group_of
from bitreel.errors import DataError
from bitreel.video import find_videos


def open_labelled_folder(folder: Path) -> Dataset:
    """Open FOLDER/class/clip.avi, or FOLDER/{train,test}/class/clip.avi.

    Folders named train and test (or database and query) that hold class folders are the two sides.
    Without them about a quarter of the groups of every class become queries, by a stable hash. The
    group is read from a UCF101 name; any other video is a group of its own.

    Raises DataError when there is no video in a class folder, or videos lie beside the folders
    that give them their label.
    """
    videos = [(path, path.relative_to(folder).parts) for path in find_videos([folder])]
    if not videos:
        raise DataError(
            f"{folder} holds no videos: put them in one folder for each class, "
            f"such as {folder / 'running' / 'clip.mp4'}."
        )
    if _has_split_folders([parts for _, parts in videos]):
        return Dataset(folder.name, tuple(_split_examples(folder, videos)))
    _refuse_unlabelled(folder, [path for path, parts in videos if len(parts) < 2])
    drafts = [
        Example(path, parts[0], group_of(path, root=folder), "database") for path, parts in videos
    ]
    return Dataset(folder.name, draw_queries(drafts))


def _has_split_folders(videos: list[tuple[str, ...]]) -> bool:
    """Whether both sides are there and hold class folders, not videos: `train` may be a class."""
    depths: dict[Split, list[int]] = {"database": [], "query": []}
    for parts in videos:
        if len(parts) > 1 and (side := SPLIT_NAMES.get(parts[0])):
            depths[side].append(len(parts))
    return all(of_side and max(of_side) > 2 for of_side in depths.values())


def _split_examples(
    folder: Path, videos: Iterable[tuple[Path, tuple[str, ...]]]
) -> Iterable[Example]:
    beside: list[Path] = []
    for path, parts in videos:
        side = SPLIT_NAMES.get(parts[0])
        if side is None or len(parts) < 3:
            beside.append(path)
        else:
            yield Example(path, parts[1], group_of(path, root=folder), side)
    _refuse_unlabelled(folder, beside)


def _refuse_unlabelled(folder: Path, videos: list[Path]) -> None:
    if videos:
        names = ", ".join(path.relative_to(folder).as_posix() for path in videos[:3])
        raise DataError(
            f"{folder}: {len(videos)} videos are in no class folder ({names}"
            f"{', …' if len(videos) > 3 else ''}). The folder of a video is its label: move them "
            f"into one, or list what you mean in a manifest.csv."
        )
