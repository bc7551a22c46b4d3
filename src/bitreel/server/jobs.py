"""Folders that are being indexed while the server answers."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bitreel.errors import BitreelError, NotInLibrary
from bitreel.library import AddReport
from bitreel.progress import Progress, Step

_KEPT = 50  # ended jobs that can still be asked about


@dataclass
class Job:
    """state: running, done, failed or cancelled. told: how it ended, in a sentence."""

    id: int
    folder: Path
    state: str = "running"
    step: Step = field(default_factory=lambda: Step("indexing", 0, 0))
    told: str = ""
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


class _Cancelled(Exception):
    pass


class Jobs:
    """One at a time runs, the others wait for it: two would share the cores and gain nothing."""

    def __init__(self, index: Callable[[Path, Progress], AddReport]) -> None:
        """index: brings a folder into the library."""
        self._index = index
        self._jobs: dict[int, Job] = {}
        self._ids = itertools.count(1)
        self._turn, self._changing = threading.Lock(), threading.Lock()

    def start(self, folder: Path) -> Job:
        with self._changing:
            job = Job(next(self._ids), folder)
            self._jobs[job.id] = job
            for old in [j for j in self._jobs.values() if j.state != "running"][:-_KEPT]:
                del self._jobs[old.id]
        job.thread = threading.Thread(target=self._run, args=(job,), daemon=True)
        job.thread.start()
        return job

    def all(self) -> list[Job]:
        with self._changing:
            return list(self._jobs.values())

    def get(self, job_id: int) -> Job:
        with self._changing:
            if job_id not in self._jobs:
                raise NotInLibrary(f"There is no job {job_id}.")
            return self._jobs[job_id]

    def cancel(self, job_id: int) -> Job:
        """Ask it to end. What it indexed so far stays."""
        job = self.get(job_id)
        job.stop.set()
        return job

    def close(self) -> None:
        """End them all, and wait until they have."""
        for job in self.all():
            job.stop.set()
        for job in self.all():
            if job.thread is not None:
                job.thread.join()

    def _run(self, job: Job) -> None:
        def show(step: Step) -> None:
            job.step = step
            if job.stop.is_set():
                raise _Cancelled

        try:
            with self._turn:
                show(job.step)
                report = self._index(job.folder, show)
            job.told, job.state = _in_words(report), "done"
        except _Cancelled:
            job.told, job.state = "Cancelled; what was indexed so far is kept.", "cancelled"
        except BitreelError as error:
            job.told, job.state = str(error), "failed"
        except Exception as error:  # a thread of its own: nobody else would tell
            job.told, job.state = f"An error in bitreel: {error!r}", "failed"


def _in_words(report: AddReport) -> str:
    counts = ("added", "replaced", "moved", "removed", "unchanged", "failed")
    told = [f"{getattr(report, name)} {name}" for name in counts if getattr(report, name)]
    return ", ".join(told) or "Nothing to do."
