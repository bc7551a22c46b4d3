"""What each of Ray's actors does: it has one model, and encodes the videos that it is given."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitreel.clip import Clip
from bitreel.errors import BitreelError, ConfigError, VideoError
from bitreel.library.encoding import Read, read_videos
from bitreel.library.reading import read_clips
from bitreel.library.records import FileState, printable
from bitreel.library.urls import OutOfReach, is_url
from bitreel.library.wire import refusal, to_wire
from bitreel.read_ahead import in_groups, read_ahead
from bitreel.runtime import choose_runtime, default_networks
from bitreel.version import __version__
from bitreel.video import Segmenting

# The columns of a batch, and of what is given for it.
PATH, SIZE, MTIME, OUTCOME = "path", "size_bytes", "mtime_ns", "outcome"

Batch = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Setup:
    """What an actor is to know. runtime: what `use_runtime` is told; runs_by: what that means on
    the machine that asked, which must be the same on all. version: of bitreel."""

    segmenting: Segmenting
    runtime: str
    runs_by: str
    on_gpu: bool
    threads: int
    version: str = __version__


class Encoder:
    """One model and the processes that decode for it. Called with a batch of videos."""

    _refused: BitreelError | None

    def __init__(self, shared: bytes, setup: Setup) -> None:
        """shared: a reference to the files of the model, by name, and to the contents that are
        indexed already."""
        self._setup = setup
        self._refused = None
        try:
            self._prepare(shared)
        except BitreelError as error:  # told with the first batch: what is raised here, Ray tells
            self._refused = error

    def _prepare(self, shared: bytes) -> None:
        """Raises BitreelError where this machine would not give the same codes."""
        from bitreel.model import Model
        from bitreel.video.guarded import GuardedReader

        _check_same(self._setup)
        files, self._known = _fetch(shared)
        with tempfile.TemporaryDirectory(prefix="bitreel-") as folder:
            for name, data in files.items():
                Path(folder, name).write_bytes(data)
            self._model = Model.load(folder)
        if self._setup.on_gpu:
            self._model.to("cuda")
        self._model.use_runtime(self._setup.runtime, kept=default_networks())
        self._reader = GuardedReader()

    def __call__(self, batch: Batch) -> Batch:
        """Never raises BitreelError: it is told in place of what became of the videos."""
        videos = {
            Path(os.fsdecode(path)): FileState(int(size), int(mtime))
            for path, size, mtime in zip(batch[PATH], batch[SIZE], batch[MTIME], strict=True)
        }
        try:
            if self._refused is not None:
                raise self._refused
            reads = self._encode(videos)
            outcomes = [to_wire(reads[path]) for path in videos]
        except BitreelError as error:
            outcomes = [refusal(error)] * len(videos)
        return {PATH: batch[PATH], OUTCOME: np.array(outcomes, object)}

    def _encode(self, videos: Mapping[Path, FileState]) -> dict[Path, Read]:
        refused = {path: _refusal(path, state) for path, state in videos.items()}
        reads = {path: Read(None, error) for path, error in refused.items() if error is not None}

        def work(paths: Sequence[Path]) -> list[Read]:
            states = {path: videos[path] for path in paths}
            reader = self._reader
            return read_videos(self._model, states, self._read, reader.content_of, self._is_known)

        groups = in_groups((p for p in videos if p not in reads), self._model.clips_at_once)
        for paths, found in read_ahead(work, groups, workers=self._setup.threads):
            if isinstance(found, VideoError):  # the network has no video to blame
                raise found
            reads |= zip(paths, found, strict=True)
        return reads

    def _read(self, path: Path) -> Iterator[Clip]:
        return read_clips(
            self._model, path, self._setup.segmenting, read=self._reader.read_segments
        )

    def _is_known(self, path: Path, content: bytes) -> bool:
        return content in self._known


def _fetch(shared: bytes) -> tuple[dict[str, bytes], frozenset[bytes]]:
    import ray

    files, known = ray.get(ray.cloudpickle.loads(shared))
    return files, known


def _check_same(setup: Setup) -> None:
    host = socket.gethostname()
    if setup.version != __version__:
        raise BitreelError(
            f"{host} has bitreel {__version__} and the job comes from {setup.version}: install the "
            f"same version on every machine."
        )
    runs_by = choose_runtime(setup.runtime, on_gpu=setup.on_gpu)
    if runs_by != setup.runs_by:
        raise ConfigError(
            f"{host} would run the network by {runs_by}, and the job is to be run by "
            f"{setup.runs_by}: install bitreel[runtime] on every machine, or choose --runtime "
            f"torch."
        )


def _refusal(path: Path, state: FileState) -> OutOfReach | None:
    """Why this machine can not read the file that was named on another one."""
    if is_url(path):
        return None
    here = FileState.of(path)
    if here is not None and here.size_bytes == state.size_bytes:
        return None
    seen = "is not" if here is None else f"has {here.size_bytes} bytes"
    return OutOfReach(
        f"{printable(path)} {seen} on {socket.gethostname()}, where it was to be encoded: give "
        f"every machine the same folder at the same place, and run this again."
    )
