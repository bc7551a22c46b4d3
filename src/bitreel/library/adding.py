"""Add videos to a library: which are new, changed, moved or copied, and what became of each."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bitreel.clip import Clip, Segment
from bitreel.errors import VideoError
from bitreel.library.encoding import CodedVideo, encode_videos
from bitreel.library.engine import AnyCatalogue
from bitreel.library.reading import read_clips
from bitreel.library.records import (
    CodedSegment,
    Entry,
    Fate,
    FileState,
    Video,
    VideoRecord,
    printable,
    resolved,
)
from bitreel.library.results import AddReport
from bitreel.progress import Progress, Step
from bitreel.read_ahead import in_groups, read_ahead
from bitreel.video import Segmenting

if TYPE_CHECKING:
    from bitreel.model import Model
    from bitreel.video.guarded import GuardedReader


def add_videos(
    catalogue: AnyCatalogue,
    load_model: Callable[[], Model],
    videos: Iterable[Video | Path | str],
    segmenting: Segmenting,
    reader: GuardedReader,
    *,
    retry: bool,
    progress: Progress,
) -> AddReport:
    """See `Library.add`. The model is loaded only if there is something to index."""
    run = _Run(catalogue, videos, retry=retry)
    if not run.pending:
        return run.report()
    catalogue.check_writable()  # before minutes of work
    model = load_model()

    def read(path: Path) -> Iterator[Clip]:
        return read_clips(model, path, segmenting, read=reader.read_segments)

    def work(paths: Sequence[Path]) -> list[_Read]:
        looked = {path: _look(catalogue, path, reader) for path in paths}
        new = [path for path in paths if looked[path].same_as is None]
        coded = dict(zip(new, encode_videos(model, new, read), strict=True))
        return [replace(looked[path], coded=coded.get(path)) for path in paths]

    todo = list(run.pending)
    while todo:
        units = in_groups(todo, model.clips_at_once)
        for paths, outcomes in read_ahead(work, units, stop=reader.close):
            if isinstance(outcomes, VideoError):  # the network has no video to blame
                raise outcomes
            for path, outcome in zip(paths, outcomes, strict=True):
                run.finish(path, outcome)
                progress(run.step(path))
        todo = run.take_overtaken()
    return run.report()


@dataclass(frozen=True)
class _Read:
    """What reading a file brought. same_as: an indexed video whose file holds the same, so that
    this one was not decoded."""

    content: bytes | None
    same_as: Path | None
    coded: CodedVideo | VideoError | None = None


def _look(catalogue: AnyCatalogue, path: Path, reader: GuardedReader) -> _Read:
    """Whether there is an indexed video of the same content: this one, one that is gone, or any."""
    try:
        content = reader.content_of(path)
    except VideoError:  # decoding it will say more
        content = None
    if content is None:
        return _Read(None, None)
    others = [entry.path for entry in catalogue.same_content(content)]
    if path in others:
        return _Read(content, path)
    gone = (other for other in others if _left(other, path))
    return _Read(content, next(gone, others[0] if others else None))


def is_gone(path: Path) -> bool:
    """Whether no file is there. One on a disk that does not answer is not gone."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def _left(other: Path, path: Path) -> bool:
    """Whether a file was moved from there to here, perhaps with a link left behind."""
    return is_gone(other) or resolved(other) == path


class _Run:
    """One call of `add`: what is left to do and what became of the rest."""

    def __init__(
        self, catalogue: AnyCatalogue, videos: Iterable[Video | Path | str], *, retry: bool
    ) -> None:
        self.catalogue, self.retry = catalogue, retry
        self.labels = _distinct(videos)
        self.pending: dict[Path, FileState] = {}  # what the file was before it was read
        self.outcomes: Counter[str] = Counter()
        self.failures: dict[Path, str] = {}
        self.damaged: dict[Path, str] = {}
        self.overtaken: list[Path] = []
        other_labels: dict[Path, str] = {}
        states = {path: FileState.of(path) for path in self.labels}
        known = catalogue.entries_of(path for path, state in states.items() if state is not None)
        for path, label in self.labels.items():
            self._sort_out(path, label, states[path], known.get(path), other_labels)
        if other_labels:
            catalogue.relabel(other_labels)
        self.relabelled = len(other_labels)
        self.done = self.segments = 0
        self.seconds, self.began = 0.0, time.monotonic()

    def _sort_out(
        self,
        path: Path,
        label: str | None,
        state: FileState | None,
        known: Entry | None,
        other_labels: dict[Path, str],
    ) -> None:
        if state is None:
            self.failures[path] = f"{printable(path)} is not there, or not a file: check the path."
            return
        if known is None or known.state != state or known.fate is Fate.SKIPPED:
            self.pending[path] = state
        elif known.fate is Fate.QUARANTINED:
            assert known.reason is not None
            if self.retry:
                self.pending[path] = state
            else:
                self.failures[path] = known.reason
        elif self.retry and known.damage and known.content is None:
            self.pending[path] = state  # its reading was broken off
        else:
            self.outcomes["unchanged"] += 1
            if label is not None and label != known.label:
                other_labels[path] = label

    def finish(self, path: Path, read: _Read) -> None:
        """Write down what became of a video: its segments and codes, or why there are none."""
        self.done += 1
        if isinstance(read.coded, VideoError):
            self._fail(path, read.coded)
        elif read.coded is not None:
            self._put(path, read.coded, read.content)
        elif read.same_as is not None and read.content is not None:
            self._finish_known(path, read.same_as, read.content)

    def take_overtaken(self) -> list[Path]:
        """Files to look at again: the codes that they were to take over changed meanwhile."""
        overtaken, self.overtaken = self.overtaken, []
        self.done -= len(overtaken)
        return overtaken

    def step(self, path: Path) -> Step:
        """How far the run is."""
        speed = self.seconds / max(time.monotonic() - self.began, 1e-3)
        told = [f"{self.segments} segments", f"{speed:.0f} s of video a second"]
        if self.failures:
            told.append(f"{len(self.failures)} failed")
        told.append(printable(path.name))
        return Step("indexing", self.done, len(self.pending), ", ".join(told))

    def _fail(self, path: Path, error: VideoError) -> None:
        self.failures[path] = str(error)
        state = self.pending[path]
        if FileState.of(path) != state:
            return  # it changed or went meanwhile: the next run tries again
        if not os.access(path, os.R_OK):
            self.catalogue.skip({path: str(error)})
            return
        record = VideoRecord(path, state, self.labels[path], reason=str(error))
        self.outcomes[self.catalogue.put(record)] += 1

    def _put(self, path: Path, coded: CodedVideo, content: bytes | None) -> None:
        state = self.pending[path]
        record = VideoRecord(
            path,
            state,
            self.labels[path],
            duration_seconds=coded.segments[-1].segment.end_seconds,
            segments=coded.segments,
            damage=coded.damage,
            # Not of what was broken off or written to meanwhile: nothing is to be copied from it.
            content=content if coded.is_whole and FileState.of(path) == state else None,
        )
        if record.damage:
            self.damaged[path] = record.damage
        self.segments += len(record.segments)
        self.seconds += record.duration_seconds or 0.0
        self.outcomes[self.catalogue.put(record, again=self.retry)] += 1

    def _finish_known(self, path: Path, other: Path, content: bytes) -> None:
        """The file was touched, moved or copied: its codes are there."""
        state, label = self.pending[path], self.labels[path]
        if other == path and self.catalogue.touch(path, state, content):
            self.outcomes["unchanged"] += 1
            if label is not None:
                self.catalogue.relabel({path: label})
        elif _left(other, path) and self.catalogue.move(other, path, state, label, content):
            self.outcomes["moved"] += 1
        else:
            self._copy(path, other, content)

    def _copy(self, path: Path, other: Path, content: bytes) -> None:
        with self.catalogue.transaction():
            known, segments = self.catalogue.entry(other), self.catalogue.segments_of(other)
        if known is None or known.content != content or not segments:
            self.overtaken.append(path)
            return
        own = [_of_path(coded, path) for coded in segments]
        self._put(path, CodedVideo(own, known.damage), content)

    def report(self) -> AddReport:
        return AddReport(
            added=self.outcomes["added"],
            replaced=self.outcomes["replaced"],
            moved=self.outcomes["moved"],
            unchanged=self.outcomes["unchanged"],
            relabelled=self.relabelled,
            failures=self.failures,
            damaged=self.damaged,
        )


def _of_path(coded: CodedSegment, path: Path) -> CodedSegment:
    segment = coded.segment
    return replace(coded, segment=Segment(path, segment.start_seconds, segment.end_seconds))


def _distinct(videos: Iterable[Video | Path | str]) -> dict[Path, str | None]:
    """Absolute paths, links followed, in the order given; of each the first label given."""
    labels: dict[Path, str | None] = {}
    for video in videos:
        given = video if isinstance(video, Video) else Video(Path(video))
        path = resolved(given.path)
        if labels.get(path) is None:
            labels[path] = given.label
    return labels
