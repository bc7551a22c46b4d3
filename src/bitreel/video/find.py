"""Find the videos in folders."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from bitreel.errors import VideoError
from bitreel.video.source import shown

_NAMES = (
    "3g2 3gp asf avi divx f4v flv gif m2ts m2v m4v mkv mov mp4 mpeg mpg mts mxf ogv ts vob webm wmv"
)
VIDEO_SUFFIXES = frozenset(f".{name}" for name in _NAMES.split())


def find_videos(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    """The videos under these files and folders, sorted, none twice.

    A folder is searched to any depth for the known suffixes, in any case; hidden files and folders
    (".name") and linked folders in it are left out. A file is taken as given, whatever its name.
    Raises VideoError for a path that does not exist and a folder that can not be listed.
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    found: set[Path] = set()
    for path in map(Path, given):
        if path.is_dir():
            found.update(_under(path))
        elif path.exists():
            found.add(path)
        else:
            raise VideoError(f"{shown(path)} does not exist. Check the path.")
    return sorted(found)


def _under(folder: Path) -> Iterable[Path]:
    for place, folders, files in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() in VIDEO_SUFFIXES:
                yield Path(place, name)


def _refuse(error: OSError) -> NoReturn:
    raise VideoError(
        f"{shown(error.filename)} can not be listed: {error.strerror}. Check its permissions."
    )
