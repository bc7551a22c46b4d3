"""What a running server holds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from anyio import CapacityLimiter
from starlette.exceptions import HTTPException

from bitreel.errors import BitreelError, VideoError
from bitreel.library import AddReport, Library, Status, collect
from bitreel.library.records import FileState, printable, resolved
from bitreel.progress import Progress
from bitreel.server.guards import RateLimit
from bitreel.server.jobs import Job, Jobs
from bitreel.server.kept_uploads import KeptUploads
from bitreel.server.media import Media
from bitreel.server.picture_cache import PictureCache
from bitreel.server.settings import Settings
from bitreel.server.uploads import Uploads
from bitreel.video import WHOLE_VIDEOS
from bitreel.video.guarded import GuardedReader

_MEDIA_THREADS = 8  # most of them wait for one that decodes, or find what is kept


class State:
    """The library, opened once, and what stands around it. Threads share it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.library = Library.open(settings.library)
        self._reader = GuardedReader()
        self.media = Media(PictureCache(settings.cache, settings.cache_bytes), self._reader)
        self.uploads = Uploads(at_once=settings.uploads_at_once, most_bytes=settings.upload_bytes)
        self.kept = KeptUploads(
            settings.uploads or self.library.folder / "uploads", settings.most_uploads, self.uploads
        )
        self.rate = RateLimit(settings.searches_a_minute)
        self.media_threads = CapacityLimiter(_MEDIA_THREADS)
        self.jobs = Jobs()
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

    def status(self) -> Status:
        """Of the library. Raises LibraryError."""
        return self.library.status()

    def check_readable(self, path: Path) -> None:
        """That a frame of a video can be had. Raises VideoError."""
        for _ in self._reader.read_segments(path, WHOLE_VIDEOS, frames=1, size=(16, 16)):
            pass

    def indexed_as(self, path: Path) -> Path | None:
        """A file of the library that is there and holds what this one holds."""
        content = self._reader.content_of(path)
        if content is None:
            return None
        known = self.library._ask(lambda opened: opened.catalogue.same_content(content))
        there = (e.path for e in known if FileState.of(e.path) == e.state)
        return next((path for path in there if resolved(path) == path), None)

    def index_folder(self, folder: Path) -> Job:
        """Bring what a folder holds into the library; its folders are the labels."""
        leave_out = self.library.folder.resolve()

        def work(library: Library, progress: Progress) -> AddReport:
            found = collect([folder], labels=True, leave_out=leave_out)
            return library.sync(found, progress=progress)

        return self.start(str(folder), work)

    def start(
        self,
        name: str,
        work: Callable[[Library, Progress], AddReport],
        ended: Callable[[], None] = lambda: None,
    ) -> Job:
        """Do work on the library as a job, by a Library of its own: searches go on by theirs."""

        def run(progress: Progress) -> AddReport:
            with Library.open(self.settings.library) as library:
                return work(library, progress)

        return self.jobs.start(name, run, ended)

    def allowed(self, path: Path) -> Path:
        """A path with its links followed, where it is below a folder that the server was given.
        Raises HTTPException (403)."""
        real = resolved(path)
        if not any(real.is_relative_to(resolved(root)) for root in self.settings.folders):
            raise HTTPException(
                403, "The server was not given this folder: start it with --folder to allow it."
            )
        return real
