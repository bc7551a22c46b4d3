"""Encode the videos of a library with another model, until none is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from bitreel.errors import LibraryError
from bitreel.library.adding import add_videos
from bitreel.library.engine import AnyCatalogue
from bitreel.library.records import Fate, Video, printable
from bitreel.progress import Progress, Step
from bitreel.video import Segmenting

if TYPE_CHECKING:
    from bitreel.model import Model

_MOST_TRIES = 3  # to encode a file that changes again and again


class VideosMissing(LibraryError):
    """A migration that can not be completed, since videos can not be read any more.

    reasons: in plain words, for each.
    """

    def __init__(self, place: Path | str, reasons: dict[Path, str]) -> None:
        self.reasons = reasons
        super().__init__(
            f"{len(reasons)} videos of {place} can not be encoded anew, so it keeps its model and "
            f"its codes for now (the first: {next(iter(reasons.values())).rstrip('.')}). Bring the "
            f"files back, or let `bitreel index` forget what is gone, and do the same again; or go "
            f"on without them by --forget-missing."
        )


class ReEncoding:
    """The videos of one catalogue on their way into a new one."""

    def __init__(
        self,
        catalogue: AnyCatalogue,
        new: AnyCatalogue,
        segmenting: Segmenting,
        load_model: Callable[[], Model],
        progress: Progress,
    ) -> None:
        self.catalogue, self.new, self.segmenting = catalogue, new, segmenting
        self.load_model, self.progress = load_model, progress
        self._failures: dict[Path, str] = {}
        self._tries: Counter[Path] = Counter()

    def encode_missing(self) -> None:
        """Encode what is missing, and note what can not be: only another run tries that again."""
        from bitreel.video.guarded import GuardedReader

        todo = [path for path in self.catalogue.not_in(self.new) if path not in self._failures]
        if not todo:
            return
        total = self.catalogue.count_entries(Fate.INDEXED)
        before = total - len(todo)

        def told(step: Step) -> None:
            self.progress(Step("migrating", before + step.done, total, step.note))

        known = self.catalogue.entries_of(todo)
        videos = [Video(path, known[path].label) for path in todo if path in known]
        with closing(GuardedReader()) as reader:
            report = add_videos(
                self.new,
                self.load_model,
                videos,
                self.segmenting,
                reader,
                retry=True,
                progress=told,
            )
        self._failures |= report.failures
        self._tries.update(todo)
        for path in todo:
            if self._tries[path] == _MOST_TRIES:
                self._failures.setdefault(
                    path,
                    f"{printable(path)} changes all the time, or is a link to another file now.",
                )

    def missing(self) -> dict[Path, str] | None:
        """The videos that can not be encoded, with the reason. None where others are missing too:
        they were added meanwhile."""
        missing = self.catalogue.not_in(self.new)
        if any(path not in self._failures for path in missing):
            return None
        return {path: self._failures[path] for path in missing}
