"""Videos as files of this machine, while they are read: those of elsewhere are fetched first."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from bitreel.clip import Clip, Segment
from bitreel.errors import VideoError
from bitreel.library.records import FileState
from bitreel.library.urls import fetch, is_url, to_url


class Fetched:
    """A few videos, read under their own paths wherever they lie.

    Each of another place is fetched when it is first read, into a folder that goes with this.
    """

    def __init__(
        self,
        videos: Mapping[Path, FileState],
        read: Callable[[Path], Iterator[Clip]],
        content_of: Callable[[Path], bytes | None],
    ) -> None:
        self._videos, self._read, self._content_of = videos, read, content_of
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._here: dict[Path, Path | VideoError] = {}

    def __enter__(self) -> Fetched:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def content_of(self, path: Path) -> bytes | None:
        """None where it can not be told: reading it will say more."""
        try:
            return self._content_of(self._file(path))
        except VideoError:
            return None

    def read(self, path: Path) -> Iterator[Clip]:
        """The clips of a video, of which its own path is told. Raises VideoError."""
        file = self._file(path)
        if file == path:
            yield from self._read(path)
            return
        try:
            for clip in self._read(file):
                segment = clip.segment
                own = Segment(path, segment.start_seconds, segment.end_seconds)
                yield replace(clip, segment=own)
        except VideoError as error:
            raise type(error)(str(error).replace(str(file), to_url(path))) from error

    def _file(self, path: Path) -> Path:
        if not is_url(path):
            return path
        if path not in self._here:
            self._here[path] = self._fetch(path)
        here = self._here[path]
        if isinstance(here, VideoError):
            raise here
        return here

    def _fetch(self, path: Path) -> Path | VideoError:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="bitreel-")
        file = Path(self._folder.name, f"{len(self._here)}{path.suffix}")
        try:
            fetch(path, self._videos[path], file)
        except VideoError as error:
            return error
        return file
