"""Files that can be made again, kept as long as there is room for them."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from bitreel.errors import LibraryError
from bitreel.library.records import printable

_SWEPT_TO = 0.9  # of the room: a sweep looks at every file, and is to be rare
_PART, _STALE_SECONDS = ".part-", 3600.0
_AT_ONCE = 2  # made side by side: a page asks for twenty at once


class PictureCache:
    """So many bytes in a folder; what was not asked for longest goes first.

    Threads may share one, and processes the folder. What is given is an open file, which stays as
    it is when its name is removed.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder, self._most_bytes = folder, most_bytes
        self._turns = threading.Semaphore(_AT_ONCE)
        self._sweeping = threading.Lock()
        self._bytes: int | None = None  # what is there, as far as this process knows

    def get(self, name: str, make: Callable[[Path], None]) -> BinaryIO:
        """The file of that name (hexadecimal digits, a suffix), made by writing to a path where it
        is not there. Raises LibraryError where it can not be kept, and what `make` raises."""
        target = self.folder / name[:2] / name[2:]
        found = _opened(target)
        if found is None:
            with self._turns:
                found = _opened(target) or self._made(target, make)  # made while we waited
        return found

    def _made(self, target: Path, make: Callable[[Path], None]) -> BinaryIO:
        partial = target.with_name(f"{_PART}{uuid.uuid4().hex}{target.suffix}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            make(partial)
            made = partial.open("rb")  # before others can see it, and remove it
            try:
                os.replace(partial, target)
                self._grow(os.fstat(made.fileno()).st_size)
            except BaseException:
                made.close()
                raise
            return made
        except OSError as error:
            raise LibraryError(
                f"Pictures can not be kept in {printable(self.folder)}: {error.strerror}. Make "
                f"room there."
            ) from error
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)

    def _grow(self, size_bytes: int) -> None:
        with self._sweeping:
            if self._bytes is None:
                self._bytes = sum(size for _, size, _ in self._files())
            else:
                self._bytes += size_bytes
            if self._bytes > self._most_bytes:
                self._bytes = self._sweep()

    def _sweep(self) -> int:
        """Remove the oldest; how many bytes are left."""
        files = sorted(self._files())
        left = sum(size for _, size, _ in files)
        for _, size, path in files:
            if left <= _SWEPT_TO * self._most_bytes:
                break
            with suppress(OSError):  # another process was faster, or may alone
                path.unlink(missing_ok=True)
                left -= size
        return left

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """When each was asked for last, its size in bytes, its path."""
        for folder in self.folder.glob("[0-9a-f][0-9a-f]"):
            for path in folder.iterdir():
                with suppress(OSError):
                    found = path.stat()
                    if not path.name.startswith(_PART):
                        yield found.st_atime, found.st_size, path
                    elif time.time() - found.st_mtime > _STALE_SECONDS:  # its maker was killed
                        path.unlink(missing_ok=True)


def _opened(path: Path) -> BinaryIO | None:
    """With the time noted, which the disk may not do by itself."""
    try:
        file = path.open("rb")
    except OSError:  # where it is more than not there, making it will say so
        return None
    with suppress(OSError):  # of another user
        os.utime(file.fileno(), ns=(time.time_ns(), os.fstat(file.fileno()).st_mtime_ns))
    return file
