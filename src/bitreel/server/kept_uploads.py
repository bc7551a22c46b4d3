"""Videos that were sent to stay: each in a file of its own, under a name made from the one sent."""

from __future__ import annotations

import os
import re
import threading
import time
import unicodedata
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fastapi import UploadFile
from starlette.exceptions import HTTPException

from bitreel.errors import LibraryError
from bitreel.library.records import printable, resolved
from bitreel.server.uploads import Uploads, suffix_of

_PART, _STALE_SECONDS = "-part", 86_400.0
_NAME_BYTES = 100
_SAFE = re.compile(r"[^\w .,()+-]+")


class KeptUploads:
    """So many files in a folder, none of which is ever overwritten. Threads may share one."""

    def __init__(self, folder: Path, most: int, uploads: Uploads) -> None:
        self.folder, self._most, self._uploads = resolved(folder), most, uploads
        self._placing = threading.Lock()
        self._remove_stale()

    @contextmanager
    def taken(self, upload: UploadFile) -> Iterator[Path]:
        """The upload as a file with a name that nobody looks for; give it to `keep`, or it is gone
        afterwards. Raises HTTPException (403) where there are too many, VideoTooLarge and
        LibraryError."""
        self._check_room()
        path = self.folder / f".{uuid.uuid4().hex}{_PART}{suffix_of(upload.filename)}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._uploads.copy(upload, path)
            yield path
        except OSError as error:
            raise LibraryError(
                f"The video can not be kept in {printable(self.folder)}: {error.strerror}. Make "
                f"room there, or name another folder by --uploads."
            ) from error
        finally:
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def keep(self, taken: Path, name: str | None) -> Path:
        """Give it a name made from the one that was sent, and a number where that is in use."""
        stem, suffix = _stem(name), suffix_of(name)
        with self._placing:
            self._check_room()
            number = 1
            while True:
                path = self.folder / f"{stem}{f'-{number}' if number > 1 else ''}{suffix}"
                try:
                    os.link(taken, path)  # which never overwrites
                    return path
                except FileExistsError:
                    number += 1

    def _check_room(self) -> None:
        """Raises HTTPException (403)."""
        if self._count() >= self._most:
            raise HTTPException(
                403,
                f"The server keeps {self._most} uploads and has as many: whoever runs it can "
                f"remove some, or start it with a larger --most-uploads.",
            )

    def _count(self) -> int:
        try:
            return sum(not entry.name.startswith(".") for entry in os.scandir(self.folder))
        except OSError:  # there is none yet; where it can not be made, that is said
            return 0

    def _remove_stale(self) -> None:
        """What a server left that was killed meanwhile."""
        for path in self.folder.glob(f".*{_PART}*"):
            try:
                if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                    path.unlink()
            except OSError:  # another server was faster, or may alone
                continue


def _stem(name: str | None) -> str:
    """Letters, digits and a few signs, whatever was sent. Never empty, hidden or a path."""
    last = re.split(r"[/\\]", name or "")[-1]
    suffix = suffix_of(last)
    stem = unicodedata.normalize("NFC", printable(last))
    stem = stem[: len(stem) - len(suffix)] if suffix else stem
    stem = _SAFE.sub("_", stem).strip(" ._")
    return stem.encode()[:_NAME_BYTES].decode(errors="ignore").strip(" ._") or "video"
