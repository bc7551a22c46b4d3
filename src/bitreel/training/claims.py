"""What this process is working on, told to others by locks that end with it.

A lock of the kernel's goes when its process dies, however it dies. So work whose lock can be had is
done or was left behind, and nobody needs heartbeats or clocks to know.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bitreel.errors import ConfigError


class Claims:
    """Locks by name, as files of one folder. Processes on one machine share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{folder} can not be made: {error.strerror}.") from error

    @contextmanager
    def take(self, name: str, *, wait: bool = False) -> Iterator[bool]:
        """Hold `name` inside, if no one else does; with `wait`, once no one else does.

        Gives whether it is held. Not for a name that the caller holds already.
        """
        path = self.folder / f"{name}.lock"
        handle, held = _open(path), False
        try:
            while (held := _lock(handle, wait=wait)) and not _stands(handle, path):
                os.close(handle)  # its last holder took the file away: lock the one there now
                handle = _open(path)
            yield held
        finally:
            if held:
                path.unlink(missing_ok=True)
            os.close(handle)

    def is_free(self, name: str) -> bool:
        """Whether no living process holds `name`."""
        with self.take(name) as held:
            return held

    def wait_for(self, name: str) -> None:
        """Return once no living process holds `name`."""
        with self.take(name, wait=True):
            pass


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise ConfigError(f"{path} can not be written: {error.strerror}.") from error


def _lock(handle: int, *, wait: bool) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _stands(handle: int, path: Path) -> bool:
    """Whether that open file is still the one of this name."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
