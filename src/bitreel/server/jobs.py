"""Videos that are indexed while the server answers."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from starlette.exceptions import HTTPException

from bitreel.errors import BitreelError, NotInLibrary
from bitreel.library import AddReport
from bitreel.progress import Progress, Step
from bitreel.server.problems import kind_of

_KEPT = 50  # ended jobs that can still be asked about
_WAITING = 32  # that have not ended
_LOOK_SECONDS = 0.1
_END_SECONDS = (
    10.0  # of waiting for jobs when the server ends; what they wrote is whole at any time
)

Work = Callable[[Progress], AddReport]
JobState = Literal["running", "done", "failed", "cancelled"]


@dataclass
class Job:
    """name: of what is indexed. ended: called when it has, however it did. told: how it ended, in a
    sentence. error: the kind, where it failed. report: what it did, where it is done."""

    id: int
    name: str
    work: Work
    ended: Callable[[], None]
    state: JobState = "running"
    step: Step = field(default_factory=lambda: Step("indexing", 0, 0))
    told: str = ""
    error: str | None = None
    report: AddReport | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def finished(self) -> AddReport:
        """What it did. Raises NotInLibrary where it has not, or not yet."""
        if self.report is None:
            raise NotInLibrary(f"The job {self.id} has no report: it is {self.state}.")
        return self.report


def _nothing() -> None:
    pass


class _Cancelled(Exception):
    pass


class Jobs:
    """One at a time runs, the others wait for it: two would share the cores and gain nothing."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}
        self._ids = itertools.count(1)
        self._turn, self._changing = threading.Lock(), threading.Lock()

    def start(self, name: str, work: Work, ended: Callable[[], None] = _nothing) -> Job:
        """Raises HTTPException (503) where many wait already."""
        with self._changing:
            if sum(job.state == "running" for job in self._jobs.values()) >= _WAITING:
                raise HTTPException(503, "Many jobs wait: try again later.", {"Retry-After": "10"})
            job = Job(next(self._ids), name, work, ended)
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
        """End them all, and wait a moment until they have."""
        until = time.monotonic() + _END_SECONDS
        for job in self.all():
            job.stop.set()
        for job in self.all():
            if job.thread is not None and job.thread.ident is not None:
                job.thread.join(max(0.0, until - time.monotonic()))

    @contextmanager
    def _its_turn(self, job: Job) -> Iterator[None]:
        while not self._turn.acquire(timeout=_LOOK_SECONDS):
            if job.stop.is_set():
                raise _Cancelled
        try:
            yield
        finally:
            self._turn.release()

    def _run(self, job: Job) -> None:
        def show(step: Step) -> None:
            job.step = step
            if job.stop.is_set():
                raise _Cancelled

        try:
            try:
                with self._its_turn(job):
                    show(job.step)
                    job.report = job.work(show)
            finally:
                job.ended()
            job.told, job.state = _in_words(job.report), "done"
        except _Cancelled:
            job.told, job.state = "Cancelled; what was indexed so far is kept.", "cancelled"
        except BitreelError as error:
            job.told, job.error, job.state = str(error), kind_of(error), "failed"
        except Exception as error:  # a thread of its own: nobody else would tell
            job.told, job.error, job.state = f"An error in bitreel: {error!r}", "Bug", "failed"


def _in_words(report: AddReport) -> str:
    counts = ("added", "replaced", "moved", "removed", "unchanged", "failed")
    told = [f"{getattr(report, name)} {name}" for name in counts if getattr(report, name)]
    return ", ".join(told) or "Nothing to do."
