"""One process that decodes videos, and what it may take. See `GuardedReader`, which has several."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from bitreel import errors
from bitreel.clip import Clip, Damage, Segment
from bitreel.errors import BitreelError, UnreadableVideo, VideoError
from bitreel.video.source import shown

WORKER = ("-P", "-m", "bitreel.video.worker")  # -P: nothing in the user's folder is taken for ours
_START_SECONDS = 60.0
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


class Lost(UnreadableVideo):
    """The video cost its process. Who catches VideoError sees an unreadable one."""


class Killed(Lost):
    """By SIGKILL: for the memory that the video took, or by another's doing and no fault of it."""


class DecodingProcess:
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
                raise Lost(
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
        code = self._process.wait()
        kind = Killed if -code == signal.SIGKILL else Lost
        return kind(
            f"{shown(path)} made the process that decoded it {_ending(code)}. Convert it, or leave "
            f"it out."
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
