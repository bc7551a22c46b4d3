"""A video that was sent to be searched with: in a file while it is needed, and no longer."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path, PurePosixPath

import anyio
from fastapi import UploadFile
from starlette.exceptions import HTTPException

from bitreel.errors import VideoTooLarge

_WAIT_SECONDS, _MOST_WAITING = 15.0, 64


class Uploads:
    """So many at once, of so many bytes each. under_way: how many there are now."""

    def __init__(self, *, at_once: int, most_bytes: int) -> None:
        self._places, self.most_bytes = anyio.Semaphore(at_once), most_bytes
        self.under_way = self._waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Until the answer. Who comes when all places are taken waits for one, and sends nothing
        meanwhile. Raises HTTPException (503) for who waited long, and where many wait already."""
        if self._waiting >= _MOST_WAITING:
            raise _too_many()
        self._waiting += 1
        try:
            with anyio.fail_after(_WAIT_SECONDS):
                await self._places.acquire()
        except TimeoutError:
            raise _too_many() from None
        finally:
            self._waiting -= 1
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1
            self._places.release()

    @contextmanager
    def kept(self, upload: UploadFile) -> Iterator[Path]:
        """The upload as a file, which is gone afterwards. Raises VideoTooLarge."""
        with tempfile.TemporaryDirectory(prefix="bitreel-upload-") as folder:
            path = Path(folder) / f"query{suffix_of(upload.filename)}"
            self.copy(upload, path)
            yield path

    def copy(self, upload: UploadFile, path: Path) -> None:
        """Raises VideoTooLarge."""
        size, most = (upload.size or 0) / 1e6, self.most_bytes / 1e6
        if size > most:
            raise VideoTooLarge(
                f"The video has {size:.0f} MB, and {most:.0f} MB are taken: send a part of it."
            )
        with path.open("xb") as file:
            shutil.copyfileobj(upload.file, file, 1 << 20)


def _too_many() -> HTTPException:
    return HTTPException(503, "Too many uploads at once: try again.", {"Retry-After": "2"})


def suffix_of(name: str | None) -> str:
    """Of the name that was sent, where it is one: some containers are told by it."""
    suffix = PurePosixPath(name or "").suffix.lower()
    return suffix if suffix[1:].isalnum() and len(suffix) <= 6 and suffix.isascii() else ""
