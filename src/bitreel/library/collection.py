"""What folders hold: the videos to index, and the files that are passed over, with the reason."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from bitreel.errors import DataError
from bitreel.library.records import Video, printable, resolved


@dataclass(frozen=True)
class Filter:
    """Which files of a folder are wanted, by glob patterns as a shell has them.

    A pattern with a slash is compared with the path below the folder (`holiday/*`), one without
    with the name of the file and of each folder above it (`*.mkv`, `trailers`). `*` and `?` stand
    for no slash, `**` for any folders or none (`holiday/**`). Upper and lower case are the same.
    only: one of these must fit, where there are any. exclude: none of these may.
    """

    only: Sequence[str] = ()
    exclude: Sequence[str] = ()

    def refusal(self, below: Path) -> str | None:
        """Why a file at this path below its folder is left out; None where it is wanted."""
        for pattern in self.exclude:
            if _fits(below, pattern):
                return f"left out by the pattern {pattern}"
        if self.only and not any(_fits(below, pattern) for pattern in self.only):
            return f"none of the patterns wanted ({', '.join(self.only)}) fits it"
        return None


@dataclass(frozen=True)
class Collection:
    """roots: the folders that were looked through, absolute. skipped: files and folders in them
    that are not to be indexed, with the reason."""

    roots: tuple[Path, ...]
    videos: tuple[Video, ...]
    skipped: dict[Path, str] = field(default_factory=dict)


def collect(
    folders: Iterable[Path | str],
    *,
    labels: bool = False,
    wanted: Filter | None = None,
    leave_out: Path | None = None,
) -> Collection:
    """Look through folders to any depth, links to folders not followed, hidden files left alone.

    labels: a video's label is the name of its folder right below the one given (below `train`,
    `test` and the like where that is what is there). leave_out: a folder not to look into. A folder
    in a folder that can not be listed is skipped. Raises DataError for a folder given that is none.
    """
    wanted, roots, videos = wanted or Filter(), [], []
    skipped: dict[Path, str] = {}
    for folder in map(Path, folders):
        root = resolved(folder)
        if not root.is_dir():
            raise DataError(f"{printable(folder)} is no folder that is there: check the path.")
        roots.append(root)
        for path in sorted(_files(root, skipped, leave_out)):
            below = path.relative_to(root)
            reason = _not_by_name(path) or wanted.refusal(below)
            if reason is None:
                videos.append(Video(resolved(path), label_of(below) if labels else None))
            else:
                skipped[path] = f"{printable(path)}: {reason}."
    return Collection(tuple(roots), tuple(videos), skipped)


def _files(root: Path, skipped: dict[Path, str], leave_out: Path | None) -> Iterator[Path]:
    def note(error: OSError) -> None:
        place = Path(error.filename)
        if place == root:
            raise DataError(
                f"{printable(root)} can not be listed: {error.strerror}. Check its permissions."
            ) from error
        skipped[place] = f"{printable(place)} can not be listed: {error.strerror}."

    for place, folders, files in os.walk(root, onerror=note):
        here = Path(place)
        folders[:] = [n for n in folders if not n.startswith(".") and here / n != leave_out]
        yield from (here / name for name in files if not name.startswith("."))


def _not_by_name(path: Path) -> str | None:
    from bitreel.video import VIDEO_SUFFIXES

    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return None
    return f"{suffix or 'no suffix'} is not a video's, by its name"


def _fits(below: Path, pattern: str) -> bool:
    parts = [part.lower() for part in below.parts]
    pattern = pattern.lower()
    if "/" not in pattern:
        return any(fnmatchcase(part, pattern) for part in parts)
    if pattern.endswith("/"):  # a folder: all below it
        pattern += "**"
    return _fit(parts, [part for part in pattern.split("/") if part])


def _fit(parts: Sequence[str], patterns: Sequence[str]) -> bool:
    """Folder by folder. What is left after each pattern so far: places among the parts."""
    places = {0}
    for pattern in patterns:
        if pattern == "**":
            places = set(range(min(places, default=len(parts) + 1), len(parts) + 1))
        else:
            places = {
                place + 1
                for place in places
                if place < len(parts) and fnmatchcase(parts[place], pattern)
            }
    return len(parts) in places


def label_of(below: Path) -> str | None:
    """The label of a file at this path below its folder; None right in it."""
    from bitreel.dataset import SPLIT_NAMES

    folders = below.parts[:-1]
    if len(folders) > 1 and folders[0].lower() in SPLIT_NAMES:  # train/run/a.mp4
        folders = folders[1:]
    return folders[0] if folders else None
