"""Add videos to a library: which are new or changed, what became of each."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bitreel.clip import Damage
from bitreel.errors import VideoError
from bitreel.library.catalogue import Catalogue
from bitreel.library.reading import read_clips, total_damage
from bitreel.library.records import CodedSegment, FileState, Video, VideoRecord, printable
from bitreel.library.results import AddReport
from bitreel.progress import Progress, Step
from bitreel.read_ahead import read_ahead
from bitreel.video import Segmenting

if TYPE_CHECKING:
    from bitreel.model import Model


def add_videos(
    catalogue: Catalogue,
    load_model: Callable[[], Model],
    videos: Iterable[Video | Path | str],
    segmenting: Segmenting,
    *,
    progress: Progress,
) -> AddReport:
    """See `Library.add`. The model is loaded only if there is something to index."""
    run = _Run(catalogue, videos)
    if run.pending:
        model = load_model()

        def encode(path: Path) -> CodedVideo:
            return encode_video(model, path, segmenting)

        for done, (path, coded) in enumerate(read_ahead(encode, run.pending), start=1):
            run.finish(path, coded)
            progress(Step("indexing", done, len(run.pending), printable(path.name)))
    return run.report()


@dataclass(frozen=True)
class CodedVideo:
    """The segments of a video with their codes. damage: of its frames, None where there is none."""

    segments: Sequence[CodedSegment]
    damage: str | None


def encode_video(model: Model, path: Path, segmenting: Segmenting) -> CodedVideo:
    """Read and encode a video segment by segment, in constant memory.

    Where reading fails midway, what was read is kept and the failure noted as damage. Raises
    VideoError where nothing could be read.
    """
    segments: list[CodedSegment] = []
    damages: list[Damage] = []
    failure: VideoError | None = None
    try:
        for clip in read_clips(model, path, segmenting):
            code = model.encode(clip).packed[0].tobytes()
            segments.append(CodedSegment(clip.segment, code))
            damages.append(clip.damage)
    except VideoError as error:
        if not segments:
            raise
        failure = error
    damage = total_damage(damages)
    told = ([str(damage)] if damage else []) + ([str(failure)] if failure else [])
    return CodedVideo(segments, "; ".join(told) or None)


class _Run:
    """One call of `add`: what is left to do and what became of the rest."""

    def __init__(self, catalogue: Catalogue, videos: Iterable[Video | Path | str]) -> None:
        self.catalogue = catalogue
        self.labels = _distinct(videos)
        self.pending: dict[Path, FileState] = {}  # what the file was before it was read
        self.outcomes: Counter[str] = Counter()
        self.failures: dict[Path, str] = {}
        self.damaged: dict[Path, str] = {}
        other_labels: dict[Path, str] = {}
        with catalogue.transaction():
            for path, label in self.labels.items():
                self._sort_out(path, label, other_labels)
        if other_labels:
            catalogue.relabel(other_labels)
        self.relabelled = len(other_labels)

    def _sort_out(self, path: Path, label: str | None, other_labels: dict[Path, str]) -> None:
        state = FileState.of(path)
        if state is None:
            self.failures[path] = f"{printable(path)} is not there, or not a file: check the path."
            return
        fate = self.catalogue.fate(path)
        if fate is None or fate.state != state:
            self.pending[path] = state
        elif fate.reason is not None:
            self.failures[path] = fate.reason
        else:
            self.outcomes["unchanged"] += 1
            if label is not None and label != fate.label:
                other_labels[path] = label

    def finish(self, path: Path, coded: CodedVideo | VideoError) -> None:
        """Write down what became of a video: its segments and codes, or why there are none."""
        state = self.pending[path]
        if isinstance(coded, VideoError):
            self.failures[path] = str(coded)
            if FileState.of(path) != state or not os.access(path, os.R_OK):
                return  # not the file's own fault: the next run tries again
            record = VideoRecord(path, state, self.labels[path], reason=str(coded))
        else:
            record = VideoRecord(
                path,
                state,
                self.labels[path],
                duration_seconds=coded.segments[-1].segment.end_seconds,
                segments=coded.segments,
                damage=None if coded.damage is None else printable(coded.damage),
            )
            if record.damage:
                self.damaged[path] = record.damage
        self.outcomes[self.catalogue.put(record)] += 1

    def report(self) -> AddReport:
        return AddReport(
            added=self.outcomes["added"],
            replaced=self.outcomes["replaced"],
            unchanged=self.outcomes["unchanged"],
            relabelled=self.relabelled,
            failures=self.failures,
            damaged=self.damaged,
        )


def _distinct(videos: Iterable[Video | Path | str]) -> dict[Path, str | None]:
    """Absolute paths, links followed, in the order given; of each the first label given."""
    labels: dict[Path, str | None] = {}
    for video in videos:
        given = video if isinstance(video, Video) else Video(Path(video))
        path = _resolved(Path(given.path))
        if labels.get(path) is None:
            labels[path] = given.label
    return labels


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # links in a circle, a name with a zero byte
        return path.absolute()
