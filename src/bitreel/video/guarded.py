"""Read videos in processes of their own, so that one that crashes a decoder costs no more."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from bitreel import errors
from bitreel.clip import Clip, Damage, Segment
from bitreel.errors import BitreelError, ConfigError, UnreadableVideo, VideoError
from bitreel.video.clip_options import DEFAULT_SPACING_SECONDS
from bitreel.video.segmenting import Segmenting
from bitreel.video.source import shown

WORKER = ("-P", "-m", "bitreel.video.worker")  # -P: nothing in the user's folder is taken for ours
_START_SECONDS = 60.0
_STARTS = 3  # a process may be killed by others while it starts
_PIPE_BYTES = 1 << 20
_SLOWEST_BYTES_PER_SECOND = 4 << 20  # of a disk that still counts as alive


@dataclass(frozen=True)
class Limits:
    """What one video may take.

    silent_seconds: the longest wait for its next clip, and a second more for each 4 MB of the file.
    memory_bytes: what the process that decodes it may have.
    """

    silent_seconds: float = 60.0
    memory_bytes: int = 4 << 30


class GuardedReader:
    """`read_segments` in other processes, which are started when they are needed and used again.

    Threads may share one; each reads by a process of its own. A video that makes its process crash,
    hang or take more than its memory raises VideoError, and the process is replaced. The processes
    end with this one, however it ends.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._all: set[_Worker] = set()
        self._idle: list[_Worker] = []
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
    def _worker(self) -> Iterator[_Worker]:
        worker = self._take()
        try:
            yield worker
        except BaseException as error:
            if isinstance(error, _Lost) or not isinstance(error, VideoError | ConfigError):
                self._drop(worker)  # in the middle of an answer, which the next video would get
            raise
        finally:
            self._give_back(worker)

    def _take(self) -> _Worker:
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

    def _idle_or_new(self) -> _Worker:
        with self._turn:
            if self._is_closed:
                raise BitreelError("Reading videos was ended.")
            while self._idle:
                worker = self._idle.pop()
                if worker.is_alive:
                    return worker
                self._all.discard(worker)
                worker.end()
            worker = _Worker(self.limits)
            self._all.add(worker)
        return worker

    def _give_back(self, worker: _Worker) -> None:
        with self._turn:
            if worker in self._all:
                self._idle.append(worker)
                return
        worker.end()  # it was dropped, or all were closed meanwhile

    def _drop(self, worker: _Worker) -> None:
        with self._turn:
            self._all.discard(worker)


def _end_all(workers: set[_Worker]) -> None:
    for worker in workers:
        worker.end()


class _Lost(UnreadableVideo):
    """The video cost its process. Who catches VideoError sees an unreadable one."""


class _Worker:
    """One process, and the two pipes to it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # what libraries print as they crash
        reading, writing = os.pipe()
        with suppress(OSError, AttributeError):  # fewer turns; not on every system
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._results = Connection(reading, writable=False)
        command = [sys.executable, *WORKER, str(writing), str(limits.memory_bytes)]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                pass_fds=(writing,),
                start_new_session=True,  # Ctrl-C is for who started it
                env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            )
        except OSError as error:
            self._results.close()
            self._said.close()
            raise BitreelError(
                f"The process that decodes videos does not start: {error}. Is there memory left?"
            ) from error
        finally:
            os.close(writing)
        self._is_ready = False

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def content_of(self, path: Path) -> bytes | None:
        self._ask(path, {"task": "content", "path": str(path)})
        content = self._receive(path)["content"]
        return None if content is None else bytes.fromhex(content)

    def read(self, path: Path, request: dict[str, Any]) -> Iterator[Clip]:
        self._ask(path, request)
        while True:
            facts = self._receive(path)
            if facts["kind"] == "end":
                return
            if facts["kind"] == "error":
                raise getattr(errors, facts["name"])(facts["message"])
            yield self._clip(path, facts)

    def kill(self) -> None:
        with suppress(OSError):
            self._process.kill()

    def end(self) -> None:
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._results, self._said):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def await_ready(self) -> None:
        if self._is_ready:
            return
        with suppress(OSError, EOFError):
            self._is_ready = self._results.poll(_START_SECONDS) and bool(self._results.recv_bytes())
        if not self._is_ready:
            self.kill()
            self._process.wait()
            raise BitreelError(
                f"The process that decodes videos does not start ({self._last_words() or 'silence'}"
                f"): see whether `{sys.executable} -c 'import bitreel.video.worker'` works."
            )

    def _ask(self, path: Path, request: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError) as error:
            raise self._lost(path) from error

    def _receive(self, path: Path) -> dict[str, Any]:
        patience = self.limits.silent_seconds + _size_bytes(path) / _SLOWEST_BYTES_PER_SECOND
        try:
            if not self._results.poll(patience):
                raise _Lost(
                    f"{shown(path)} gave no frames for {patience:.0f} seconds, so its decoding was "
                    f"ended. Convert it, or leave it out."
                )
            facts: dict[str, Any] = json.loads(self._results.recv_bytes())
        except (OSError, EOFError) as error:
            raise self._lost(path) from error
        return facts

    def _clip(self, path: Path, facts: dict[str, Any]) -> Clip:
        frames = np.empty(facts["shape"], np.uint8)
        try:
            self._results.recv_bytes_into(frames.data.cast("B"))
        except (OSError, EOFError) as error:
            raise self._lost(path) from error
        return Clip(
            frames,
            np.array(facts["times_seconds"], np.float64),
            Segment(path, facts["start_seconds"], facts["end_seconds"]),
            Damage(**facts["damage"]),
            np.array(facts["snippets"], np.int64),
            np.array(facts["centres"], np.int64),
        )

    def _lost(self, path: Path) -> VideoError:
        self.kill()  # a pipe that broke is of no more use
        return _Lost(
            f"{shown(path)} made the process that decoded it {_ending(self._process.wait())}. "
            f"Convert it, or leave it out."
        )

    def _last_words(self) -> str:
        try:
            self._said.seek(0)
            lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
        except (OSError, ValueError):
            return ""
        return lines[-1] if lines else ""


def _ending(code: int) -> str:
    """How a process ended, after "made it"."""
    if code >= 0:
        return f"end with {code}"
    if -code == signal.SIGKILL:
        return "be killed, perhaps for the memory that it took"
    return f"crash ({signal.Signals(-code).name})"


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0
