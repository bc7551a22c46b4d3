"""Tell when something changes in folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from watchfiles import Change, watch

from bitreel.library.records import resolved

_CALM_MS = 1600  # changes are gathered for so long: a file that is copied changes all the time
_FIRST_LOOK_MS = 2000


def changes(folders: Sequence[Path], *, besides: Path) -> Iterator[None]:
    """Once for each lot of changes, for ever, and first for what changed before it was watched for.

    besides: a folder whose changes count for nothing. Where the system does not tell of changes,
    as on network disks, the folders are looked through instead.
    """
    own = resolved(besides)

    def matters(change: Change, path: str) -> bool:
        return not Path(path).is_relative_to(own)

    roots = [resolved(folder) for folder in folders]
    watched = watch(
        *roots,
        watch_filter=matters,
        debounce=_CALM_MS,
        rust_timeout=_FIRST_LOOK_MS,
        yield_on_timeout=True,
        raise_interrupt=True,
    )
    looked = False
    for changed in watched:
        if changed or not looked:
            looked = True
            yield
