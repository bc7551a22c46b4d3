"""Add videos to a library: they are read and encoded, here or elsewhere, and written down here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bitreel.clip import Clip
from bitreel.errors import VideoError
from bitreel.library.add_run import Run, same_as
from bitreel.library.encoding import Read, read_videos
from bitreel.library.engine import AnyCatalogue
from bitreel.library.reading import read_clips
from bitreel.library.records import FileState, Video
from bitreel.library.results import AddReport
from bitreel.progress import Progress
from bitreel.read_ahead import in_groups, read_ahead
from bitreel.video import Segmenting

if TYPE_CHECKING:
    from bitreel.model import Model
    from bitreel.video.guarded import GuardedReader

_VIDEOS_AT_ONCE = 20_000


@dataclass(frozen=True, eq=False)
class Work:
    """What there is to encode. videos: what each file was when it was looked at. known: the
    contents of indexed videos whose files are as long as one of these."""

    model: Model
    segmenting: Segmenting
    videos: Mapping[Path, FileState]
    known: Callable[[], frozenset[bytes]]


# Who encodes elsewhere than in this process. Each video once, in any order; what is known already
# is not decoded. Raises BitreelError where it can not go on.
Encoding = Callable[[Work], Iterator[tuple[Path, Read]]]


def add_videos(
    catalogue: AnyCatalogue,
    load_model: Callable[[], Model],
    videos: Iterable[Video | Path | str],
    segmenting: Segmenting,
    reader: GuardedReader,
    *,
    retry: bool,
    progress: Progress,
    encoding: Encoding | None = None,
) -> AddReport:
    """See `Library.add`. The model is loaded only if there is something to index."""
    run = Run(catalogue, videos, retry=retry)
    if not run.pending:
        return run.report()
    catalogue.check_writable()  # before minutes of work
    model = load_model()

    def read(path: Path) -> Iterator[Clip]:
        return read_clips(model, path, segmenting, read=reader.read_segments)

    def is_known(path: Path, content: bytes) -> bool:
        return same_as(catalogue, path, content) is not None

    def work(paths: Sequence[Path]) -> list[Read]:
        states = {path: run.pending[path] for path in paths}
        return read_videos(model, states, read, reader.content_of, is_known)

    def here(asked: Work) -> Iterator[tuple[Path, Read]]:
        units = in_groups(asked.videos, model.clips_at_once)
        for paths, reads in read_ahead(work, units, stop=reader.close):
            if isinstance(reads, VideoError):  # the network has no video to blame
                raise reads
            yield from zip(paths, reads, strict=True)

    todo: Mapping[Path, FileState] = run.pending
    while todo:
        known = partial(_contents, catalogue, {state.size_bytes for state in todo.values()})
        for path, outcome in (encoding or here)(Work(model, segmenting, todo, known)):
            run.finish(path, outcome)
            progress(run.step(path))
        todo = run.take_overtaken()
    return run.report()


def _contents(catalogue: AnyCatalogue, sizes: set[int]) -> frozenset[bytes]:
    """Of the indexed videos whose files have one of these sizes."""
    found: set[bytes] = set()
    after = 0
    while True:
        videos = catalogue.video_columns(after=after, limit=_VIDEOS_AT_ONCE)
        rows = zip(videos.sizes_bytes.tolist(), videos.contents, strict=True)
        found.update(content for size, content in rows if content and size in sizes)
        if len(videos) < _VIDEOS_AT_ONCE:
            return frozenset(found)
        after = int(videos.ids[-1])
