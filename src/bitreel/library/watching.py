"""Tell when something changes in folders."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from watchfiles import Change, watch

from bitreel.library.records import resolved

_CALM_MS = 1600  # changes are gathered for so long: a file that is copied changes all the time
_LOOK_MS = 2000  # so often it is looked whether the folders are still the same

_Identity = tuple[int, int] | None  # of a folder; None where it is away


def changes(folders: Sequence[Path], *, besides: Path) -> Iterator[None]:
    """Once for each lot of changes, for ever, and first for what changed before it was watched for.

    besides: a folder whose changes count for nothing. A folder that is away, as on a disk that is
    not mounted, is watched when it is there again, and so is another one that took its place; what
    the system tells of the former would never come. Where it does not tell of changes, as on
    network disks, the folders are looked through instead.
    """
    while True:
        identities = [_identity(folder) for folder in folders]
        if not any(identities):
            time.sleep(_LOOK_MS / 1000)
            continue
        with suppress(FileNotFoundError):  # gone before it could be watched
            yield from _of_these(folders, identities, resolved(besides))


def _of_these(
    folders: Sequence[Path], identities: Sequence[_Identity], own: Path
) -> Iterator[None]:
    """The changes until one of the folders goes, comes or is another."""

    def matters(change: Change, path: str) -> bool:
        return not Path(path).is_relative_to(own)

    there = zip(folders, identities, strict=True)
    roots = [str(resolved(folder)) for folder, identity in there if identity]
    watched = watch(
        *roots,
        watch_filter=matters,
        debounce=_CALM_MS,
        rust_timeout=_LOOK_MS,
        yield_on_timeout=True,
        raise_interrupt=True,
    )
    looked = False
    for changed in watched:
        # A folder that is made anew at once may have the number of the one before.
        if any(change is Change.deleted and path in roots for change, path in changed):
            return
        if [_identity(folder) for folder in folders] != identities:
            return
        if changed or not looked:
            looked = True
            yield


def _identity(folder: Path) -> _Identity:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
