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
    """So many at once, of so many bytes each. under_way: how many there are now."""

    def __init__(self, *, at_once: int, most_bytes: int) -> None:
        self._at_once, self.most_bytes = at_once, most_bytes
        self._counting = threading.Lock()
        self.under_way = 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Until the answer. Raises HTTPException (503) where there are too many."""
        with self._counting:
            if self.under_way >= self._at_once:
                raise HTTPException(
                    503, "Too many uploads at once: try again.", {"Retry-After": "2"}
                )
            self.under_way += 1
        try:
            yield
        finally:
            with self._counting:
                self.under_way -= 1

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


def suffix_of(name: str | None) -> str:
    """Of the name that was sent, where it is one: some containers are told by it."""
    suffix = PurePosixPath(name or "").suffix.lower()
    return suffix if suffix[1:].isalnum() and len(suffix) <= 6 and suffix.isascii() else ""
