"""What a running server holds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bitreel.errors import BitreelError, VideoError
from bitreel.library import AddReport, Library, collect
from bitreel.library.records import printable
from bitreel.progress import Progress
from bitreel.server.guards import RateLimit
from bitreel.server.jobs import Jobs
from bitreel.server.media import Media
from bitreel.server.settings import Settings
from bitreel.server.uploads import Uploads
from bitreel.video.guarded import GuardedReader


class State:
    """The library, opened once, and what stands around it. Threads share it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.library = Library.open(settings.library)
        self._reader = GuardedReader()
        self.media = Media(settings.cache, self._reader)
        self.uploads = Uploads(at_once=settings.uploads_at_once, most_bytes=settings.upload_bytes)
        self.rate = RateLimit(settings.searches_a_minute)
        self.jobs = Jobs(self._index)
        self._warming = threading.Thread(target=self._warm_up, daemon=True)
        self._warming.start()

    def close(self) -> None:
        self.jobs.close()
        self._warming.join()
        self._reader.close()
        self.library.close()

    def _warm_up(self) -> None:
        """Load the model and the codes before somebody waits for them."""
        with suppress(BitreelError):  # who asks next is told
            _ = self.library.model
            _, videos = self.library.list_videos(limit=1)
            if videos:
                _, segments = self.library.video(videos[0].id)
                self.library.similar([segments[0].id], k=1)

    @contextmanager
    def said_of(self, path: Path, name: str) -> Iterator[None]:
        """What is said of a temporary file is said of the name that was sent."""
        try:
            yield
        except VideoError as error:
            raise type(error)(str(error).replace(str(path), printable(name))) from error

    def _index(self, folder: Path, progress: Progress) -> AddReport:
        """By a library of its own: searches go on by theirs."""
        leave_out = self.library.folder.resolve()
        with Library.open(self.settings.library) as library:
            found = collect([folder], labels=True, leave_out=leave_out)
            return library.sync(found, progress=progress)
