"""One call of `add`: which videos are new, changed, moved or copied, and what became of each."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from bitreel.clip import Segment
from bitreel.errors import VideoError
from bitreel.library.encoding import CodedVideo, Read
from bitreel.library.engine import AnyCatalogue
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
from bitreel.library.urls import OutOfReach, is_url, state_at, to_path
from bitreel.progress import Step


def same_as(catalogue: AnyCatalogue, path: Path, content: bytes) -> Path | None:
    """An indexed video of this content: this one, one that is gone, or any."""
    others = [entry.path for entry in catalogue.same_content(content)]
    if path in others:
        return path
    gone = (other for other in others if left(other, path))
    return next(gone, others[0] if others else None)


def is_gone(path: Path) -> bool:
    """Whether no file is there. One on a disk that does not answer is not gone, nor is one on
    another machine, which is not asked."""
    if is_url(path):
        return False
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def left(other: Path, path: Path) -> bool:
    """Whether a file was moved from there to here, perhaps with a link left behind."""
    return is_gone(other) or resolved(other) == path


class Run:
    """One call of `add`: what is left to do and what became of the rest."""

    def __init__(
        self, catalogue: AnyCatalogue, videos: Iterable[Video | Path | str], *, retry: bool
    ) -> None:
        self.catalogue, self.retry = catalogue, retry
        self.labels, listed = _distinct(videos)
        self.pending: dict[Path, FileState] = {}  # what the file was before it was read
        self.outcomes: Counter[str] = Counter()
        self.failures: dict[Path, str] = {}
        self.damaged: dict[Path, str] = {}
        self.overtaken: list[Path] = []
        other_labels: dict[Path, str] = {}
        states = {path: listed.get(path) or self._state(path) for path in self.labels}
        known = catalogue.entries_of(path for path, state in states.items() if state is not None)
        for path, label in self.labels.items():
            self._sort_out(path, label, states[path], known.get(path), other_labels)
        if other_labels:
            catalogue.relabel(other_labels)
        self.relabelled = len(other_labels)
        self.done = self.segments = 0
        self.seconds, self.began = 0.0, time.monotonic()

    def _state(self, path: Path) -> FileState | None:
        try:
            return state_at(path)
        except OutOfReach as error:
            self.failures[path] = str(error)
            return None

    def _is_as_it_was(self, path: Path) -> bool:
        """Whoever fetched it has looked at that already."""
        return is_url(path) or FileState.of(path) == self.pending[path]

    def _sort_out(
        self,
        path: Path,
        label: str | None,
        state: FileState | None,
        known: Entry | None,
        other_labels: dict[Path, str],
    ) -> None:
        if state is None:
            missing = f"{printable(path)} is not there, or not a file: check the path."
            self.failures.setdefault(path, missing)
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

    def finish(self, path: Path, read: Read) -> None:
        """Write down what became of a video: its segments and codes, or why there are none."""
        self.done += 1
        if isinstance(read.coded, VideoError):
            self._fail(path, read.coded)
        elif read.coded is not None:
            self._put(path, read.coded, read.content)
        elif read.content is not None:
            self._finish_known(path, read.content)

    def take_overtaken(self) -> dict[Path, FileState]:
        """Files to look at again: the codes that they were to take over changed meanwhile."""
        overtaken = {path: self.pending[path] for path in self.overtaken}
        self.overtaken = []
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
        if not self._is_as_it_was(path):
            return  # it changed or went meanwhile: the next run tries again
        if isinstance(error, OutOfReach) or not (is_url(path) or os.access(path, os.R_OK)):
            self.catalogue.skip({path: str(error)})
            return
        record = VideoRecord(path, self.pending[path], self.labels[path], reason=str(error))
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
            content=content if coded.is_whole and self._is_as_it_was(path) else None,
        )
        if record.damage:
            self.damaged[path] = record.damage
        self.segments += len(record.segments)
        self.seconds += record.duration_seconds or 0.0
        self.outcomes[self.catalogue.put(record, again=self.retry)] += 1

    def _finish_known(self, path: Path, content: bytes) -> None:
        """The file was touched, moved or copied: its codes are there."""
        state, label = self.pending[path], self.labels[path]
        other = same_as(self.catalogue, path, content)
        if other is None:
            self.overtaken.append(path)
        elif other == path and self.catalogue.touch(path, state, content):
            self.outcomes["unchanged"] += 1
            if label is not None:
                self.catalogue.relabel({path: label})
        elif left(other, path) and self.catalogue.move(other, path, state, label, content):
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


def _distinct(
    videos: Iterable[Video | Path | str],
) -> tuple[dict[Path, str | None], dict[Path, FileState]]:
    """Absolute paths, links followed, in the order given; of each the first label given, and the
    state of those that have one."""
    labels: dict[Path, str | None] = {}
    states: dict[Path, FileState] = {}
    for video in videos:
        given = video if isinstance(video, Video) else Video(_path_of(video))
        path = resolved(given.path)
        if labels.get(path) is None:
            labels[path] = given.label
        if given.state is not None:
            states.setdefault(path, given.state)
    return labels, states


def _path_of(video: Path | str) -> Path:
    return to_path(video) if isinstance(video, str) and is_url(video) else Path(video)
