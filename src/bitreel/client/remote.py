"""A library that `bitreel serve` holds, with the calls of `bitreel.Library`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from bitreel.client import answers
from bitreel.client.connection import Connection
from bitreel.client.uris import path_of
from bitreel.client.waiting import await_job
from bitreel.clip import Clip
from bitreel.errors import ConfigError, NotInLibrary
from bitreel.library import (
    AddReport,
    Collection,
    Entry,
    Fate,
    SearchResults,
    Status,
    Video,
    VideoFilter,
)
from bitreel.library.listing import IndexedVideo, SegmentOfVideo
from bitreel.library.records import printable
from bitreel.progress import Progress, silent
from bitreel.video import Segmenting

_PAGE = 500  # what a server gives at once
_Made = TypeVar("_Made")


class RemoteLibrary:
    """What `bitreel serve` serves at an address, used like a `Library`: the same calls, the same
    answers, the same errors.

    token: what the server was started with, where it was. timeout_seconds: of waiting for one
    answer. patience_seconds: of waiting for a server that says it is busy. Threads may share one.

    Queries are sent. `add` and `sync` name files of the server's disk, which must lie below one of
    its folders (`--folder`). A label that is not UTF-8 comes with replacement characters. Every
    method raises LibraryError where the server is gone, does not answer in time, refuses the token
    or stays busy.
    """

    def __init__(
        self,
        address: str,
        *,
        token: str | None = None,
        timeout_seconds: float = 300.0,
        patience_seconds: float = 60.0,
    ) -> None:
        self._connection = Connection(address, token, timeout_seconds, patience_seconds)
        try:
            _ = self.bits  # who opens a library that is not there hears of it at once
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> RemoteLibrary:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"RemoteLibrary({self._connection.address!r})"

    @property
    def bits(self) -> int:
        return self._get(lambda content: int(content["bits"]), "library")

    @property
    def fingerprint(self) -> str:
        """Of the model that made the codes."""
        return self._get(lambda content: str(content["fingerprint"]), "library")

    @property
    def segmenting(self) -> Segmenting:
        """How videos are cut into segments: those added, and the queries."""
        return self._get(answers.segmenting, "library")

    def add(
        self,
        videos: Iterable[Video | Path | str],
        *,
        retry: bool = False,
        progress: Progress = silent,
    ) -> AddReport:
        """Index videos of the server's disk, as a job of the server.

        Waits until it has ended; Ctrl-C cancels it, and what was indexed so far stays. progress: is
        shown how far it is, though not every step. Otherwise as `Library.add`.
        """
        asked = {"videos": _named(videos), "retry": retry}
        return await_job(self._connection, self._connection.post("jobs/add", asked), progress)

    def sync(
        self, collection: Collection, *, retry: bool = False, progress: Progress = silent
    ) -> AddReport:
        """Make the library hold what folders hold, as a job of the server: see `add`.

        `collect` looks through folders on this machine, which must be the server's too, at the same
        paths.
        """
        asked = {
            "roots": [root.absolute().as_uri() for root in collection.roots],
            "videos": _named(collection.videos),
            "skipped": [
                {"uri": path.absolute().as_uri(), "reason": printable(reason)}
                for path, reason in collection.skipped.items()
            ],
            "retry": retry,
        }
        return await_job(self._connection, self._connection.post("jobs/sync", asked), progress)

    def upload(
        self, file: Path | str, *, label: str | None = None, progress: Progress = silent
    ) -> IndexedVideo:
        """Send a video, which the server keeps and indexes: see `add`. No `Library` has this.

        Raises VideoError for one that can not be read, which is not kept.
        """
        job = self._connection.send("uploads", Path(file).absolute(), label=label)
        kept = self._read(lambda job: path_of(job["uri"]), job)
        await_job(self._connection, job, progress)
        _, found = self.list_videos(VideoFilter(text=printable(kept)), limit=_PAGE)
        for video in found:
            if video.path == kept:
                return video
        raise NotInLibrary(f"{printable(kept)} was removed from the library as soon as it was in.")

    def search(
        self,
        query: Path | str | Clip,
        *,
        k: int = 10,
        start_seconds: float = 0.0,
        end_seconds: float | None = None,
        exclude_self: bool = False,
        rerank: bool = False,
        recall: float = 1.0,
        wanted: VideoFilter | None = None,
    ) -> SearchResults:
        """As `Library.search`. The file is sent; a Clip can not be, and raises ConfigError.

        exclude_self: leaves out a video of the library whose file has the same content, wherever
        the two lie. Raises VideoTooLarge for a file larger than the server takes.
        """
        if isinstance(query, Clip):
            raise ConfigError("A clip can not be sent: give the path of the video and the range.")
        path = Path(query).absolute()
        fields: dict[str, object] = {
            "k": k,
            "start": start_seconds,
            "end": end_seconds,
            "exclude_self": exclude_self,
            "rerank": rerank,
            "recall": recall,
        }
        content = self._connection.send("search", path, **fields, **_wanted(wanted))
        return self._read(answers.results(path.resolve()), content)

    def similar(
        self,
        segment_ids: Sequence[int],
        *,
        k: int = 10,
        exclude_self: bool = True,
        recall: float = 1.0,
        wanted: VideoFilter | None = None,
    ) -> SearchResults:
        """As `Library.similar`."""
        asked: dict[str, object] = {"segments": [int(one) for one in segment_ids], "k": k}
        asked |= {"exclude_self": exclude_self, "recall": recall}
        content = self._connection.post("similar", asked | _wanted(wanted))
        return self._read(answers.results(None), content)

    def list_videos(
        self, wanted: VideoFilter | None = None, *, offset: int = 0, limit: int = 50
    ) -> tuple[int, list[IndexedVideo]]:
        """How many videos fit, and some of them in the order of paths."""
        return self._pages(answers.videos, "videos", offset, limit, **_wanted(wanted))

    def video(self, video_id: int) -> tuple[IndexedVideo, list[SegmentOfVideo]]:
        """A video and its segments. Raises NotInLibrary where there is none of that id."""
        return self._get(answers.video_details, f"videos/{int(video_id)}")

    def segment(self, segment_id: int) -> SegmentOfVideo:
        """Raises NotInLibrary where there is none of that id."""
        return self._get(answers.segment, f"segments/{int(segment_id)}")

    def ledger(
        self,
        fate: Fate | None = None,
        *,
        text: str | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[Entry]:
        """What became of the files that the library was shown: see `Library.ledger`."""
        return self._pages(answers.entries, "ledger", offset, limit, fate=fate, text=text)[1]

    def ledger_count(self, fate: Fate | None = None, *, text: str | None = None) -> int:
        """How many files the ledger has that fit."""
        return self._pages(answers.entries, "ledger", 0, 0, fate=fate, text=text)[0]

    def status(self) -> Status:
        """What is in the library."""
        return self._get(answers.status, "status")

    def _pages(
        self,
        make: Callable[[Any], tuple[int, list[_Made]]],
        path: str,
        offset: int,
        limit: int | None,
        **asked: object,
    ) -> tuple[int, list[_Made]]:
        """How many there are, and those wanted, page after page."""
        found: list[_Made] = []
        while True:
            left = _PAGE if limit is None else min(_PAGE, limit - len(found))
            total, page = self._get(
                make, path, offset=offset + len(found), limit=max(1, left), **asked
            )
            found += page[: max(0, left)]
            if left < _PAGE or len(page) < _PAGE:
                return total, found

    def _get(self, make: Callable[[Any], _Made], path: str, **asked: object) -> _Made:
        return self._read(make, self._connection.get(path, **asked))

    def _read(self, make: Callable[[Any], _Made], content: Any) -> _Made:
        return answers.read(make, content, self._connection.address)


def _named(videos: Iterable[Video | Path | str]) -> list[dict[str, str | None]]:
    given = (video if isinstance(video, Video) else Video(Path(video)) for video in videos)
    return [{"uri": one.path.absolute().as_uri(), "label": one.label} for one in given]


def _wanted(wanted: VideoFilter | None) -> dict[str, object]:
    """A filter as a server is asked for it. Its folder is the server's."""
    if wanted is None:
        return {}
    folder = None if wanted.folder is None else printable(wanted.folder.absolute())
    return {
        "text": wanted.text,
        "label": wanted.label,
        "folder": folder,
        "min_seconds": wanted.min_seconds,
        "max_seconds": wanted.max_seconds,
    }
