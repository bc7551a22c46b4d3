"""A video that was sent to be searched with: in a file while it is needed, and no longer."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from fastapi import UploadFile
from starlette.exceptions import HTTPException

from bitreel.errors import VideoTooLarge


class Uploads:
    """So many at once, of so many bytes each."""

    def __init__(self, *, at_once: int, most_bytes: int) -> None:
        self._turns = threading.BoundedSemaphore(at_once)
        self._most_bytes = most_bytes

    @contextmanager
    def kept(self, upload: UploadFile) -> Iterator[Path]:
        """The upload as a file, which is gone afterwards. Raises VideoTooLarge; HTTPException (503)
        where too many are being searched with."""
        if not self._turns.acquire(blocking=False):
            raise HTTPException(503, "Too many uploads at once: try again.", {"Retry-After": "2"})
        try:
            with tempfile.TemporaryDirectory(prefix="bitreel-upload-") as folder:
                path = Path(folder) / f"query{_suffix(upload.filename)}"
                self._copy(upload, path)
                yield path
        finally:
            self._turns.release()

    def _copy(self, upload: UploadFile, path: Path) -> None:
        size, most = (upload.size or 0) / 1e6, self._most_bytes / 1e6
        if size > most:
            raise VideoTooLarge(
                f"The video has {size:.0f} MB, and {most:.0f} MB are taken: send a part of it."
            )
        with path.open("wb") as file:
            shutil.copyfileobj(upload.file, file, 1 << 20)


def _suffix(name: str | None) -> str:
    """Of the name that was sent, where it is one: some containers are told by it."""
    suffix = PurePosixPath(name or "").suffix.lower()
    return suffix if suffix[1:].isalnum() and len(suffix) <= 6 and suffix.isascii() else ""
