"""Read videos in processes of their own, so that one that crashes a decoder costs no more."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from bitreel.clip import Clip
from bitreel.errors import BitreelError, ConfigError, VideoError
from bitreel.video.clip_options import DEFAULT_SPACING_SECONDS
from bitreel.video.decoding_process import DecodingProcess, Limits, Lost
from bitreel.video.segmenting import Segmenting

_STARTS = 3  # a process may be killed by others while it starts


class GuardedReader:
    """`read_segments` in other processes, which are started when they are needed and used again.

    Threads may share one; each reads by a process of its own. A video that makes its process crash,
    hang or take more than its memory raises VideoError, and the process is replaced. The processes
    end with this one, however it ends.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._all: set[DecodingProcess] = set()
        self._idle: list[DecodingProcess] = []
        self._turn = threading.Lock()
        self._is_closed = False
        # Whoever forgets to close it leaves nothing behind all the same.
        weakref.finalize(self, _end_all, self._all)

    def read_segments(
        self,
        path: Path,
        segmenting: Segmenting,
        *,
        frames: int,
        snippet: int = 1,
        spacing_seconds: float = DEFAULT_SPACING_SECONDS,
        size: tuple[int, int] | None = None,
        start_seconds: float = 0.0,
        end_seconds: float | None = None,
    ) -> Iterator[Clip]:
        """The clips of a video's segments, each as soon as it is complete. Raises VideoError."""
        request = {
            "task": "read",
            "path": str(path),
            "segmenting": asdict(segmenting),
            "frames": frames,
            "snippet": snippet,
            "spacing_seconds": spacing_seconds,
            "size": size,
            "start_seconds": start_seconds,
            "end_seconds": end_seconds,
        }
        with self._worker() as worker:
            yield from worker.read(path, request)

    def content_of(self, path: Path) -> bytes | None:
        """What `bitreel.video.content_of` gives. Raises VideoError where the disk hangs."""
        with self._worker() as worker:
            return worker.content_of(path)

    def close(self) -> None:
        """End all processes, also those at work: their readers get VideoError. There is no reading
        after that."""
        with self._turn:
            self._is_closed = True
            for worker in self._all:
                worker.kill()  # who reads from it sees the end, and puts it away
            for worker in self._idle:
                worker.end()
            self._all.clear()
            self._idle.clear()

    @contextmanager
    def _worker(self) -> Iterator[DecodingProcess]:
        worker = self._take()
        try:
            yield worker
        except BaseException as error:
            if isinstance(error, Lost) or not isinstance(error, VideoError | ConfigError):
                self._drop(worker)  # in the middle of an answer, which the next video would get
            raise
        finally:
            self._give_back(worker)

    def _take(self) -> DecodingProcess:
        for attempt in range(_STARTS):
            worker = self._idle_or_new()
            try:
                worker.await_ready()
                return worker
            except BitreelError:
                self._drop(worker)
                worker.end()
                if attempt == _STARTS - 1:
                    raise
        raise AssertionError("not reached")

    def _idle_or_new(self) -> DecodingProcess:
        with self._turn:
            if self._is_closed:
                raise BitreelError("Reading videos was ended.")
            while self._idle:
                worker = self._idle.pop()
                if worker.is_alive:
                    return worker
                self._all.discard(worker)
                worker.end()
            worker = DecodingProcess(self.limits)
            self._all.add(worker)
        return worker

    def _give_back(self, worker: DecodingProcess) -> None:
        with self._turn:
            if worker in self._all:
                self._idle.append(worker)
                return
        worker.end()  # it was dropped, or all were closed meanwhile

    def _drop(self, worker: DecodingProcess) -> None:
        with self._turn:
            self._all.discard(worker)


def _end_all(workers: set[DecodingProcess]) -> None:
    for worker in workers:
        worker.end()
