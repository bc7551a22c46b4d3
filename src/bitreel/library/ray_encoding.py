"""Encode on the machines of a Ray cluster, or in processes that Ray starts here."""

from __future__ import annotations

import logging
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitreel.errors import BitreelError, ConfigError
from bitreel.library.adding import Work
from bitreel.library.encoding import Read
from bitreel.library.wire import from_wire

if TYPE_CHECKING:
    from bitreel.library.ray_actor import Setup

_BATCHES_EACH = 4  # of an actor, at least: so that none is left alone with the rest
_LOCAL = "local"


@dataclass(frozen=True)
class RayOptions:
    """How Ray encodes.

    address: of a cluster, as `ray.init` takes it (`ray://HOST:10001`, `auto`); None starts Ray on
    this machine for as long as it is needed. actors: how many models there are, by default as many
    as the cluster has room for. cpus, gpus: of each. videos: at once to an actor, and so what is
    encoded again where one is killed; by default 8, and fewer where there are few.
    """

    address: str | None = None
    actors: int | None = None
    cpus: float = 1.0
    gpus: float = 0.0
    videos: int | None = None

    def __post_init__(self) -> None:
        for what, count in (("actors", self.actors), ("videos", self.videos)):
            if count is not None and count < 1:
                raise ConfigError(f"Ray's {what} are 1 or more, got {count}.")
        if not (self.cpus > 0 and math.isfinite(self.cpus)):
            raise ConfigError(f"An actor takes more than 0 CPUs, got {self.cpus:g}.")
        if not (self.gpus >= 0 and math.isfinite(self.gpus)):
            raise ConfigError(f"An actor takes 0 GPUs or more, got {self.gpus:g}.")


class RayEncoding:
    """Videos to codes by Ray Data: each actor has a model, and this process none to run.

    The codes are those that this process would give, by the same runtime. An actor that is killed
    is replaced, and the videos that it had are encoded again. Nothing is written elsewhere than by
    whoever asks. Raises ConfigError where Ray is not installed or has no room for an actor,
    BitreelError where it gives up.
    """

    def __init__(self, options: RayOptions) -> None:
        self.options = options
        if find_spec("ray") is None:
            raise ConfigError("To encode with Ray takes Ray: pip install 'bitreel[ray]'.")

    def __call__(self, work: Work) -> Iterator[tuple[Path, Read]]:
        missing = dict.fromkeys(work.videos)
        with _ray(self.options.address) as ray:
            for path, outcome in self._outcomes(ray, work):
                if path in missing:  # each once, whatever was done twice
                    del missing[path]
                    yield path, outcome
        if missing:
            raise BitreelError(
                f"Ray gave nothing for {len(missing)} videos, such as {next(iter(missing))}: run "
                f"this again to encode them."
            )

    def _outcomes(self, ray: Any, work: Work) -> Iterator[tuple[Path, Read]]:
        from bitreel.library.ray_actor import OUTCOME, PATH, Encoder

        actors = self._actors(ray, len(work.videos))
        kept = ray.put((_files_of(work), work.known()))
        results = _dataset(ray, work, self._blocks(len(work.videos), actors)).map_batches(
            Encoder,
            # A reference as bytes: the files go to each machine once, and not with each actor.
            fn_constructor_args=(ray.cloudpickle.dumps(kept), self._setup(work)),
            batch_size=None,
            batch_format="numpy",
            zero_copy_batch=True,
            num_cpus=self.options.cpus,
            num_gpus=self.options.gpus,
            compute=ray.data.ActorPoolStrategy(size=actors, max_tasks_in_flight_per_actor=2),
        )
        try:
            for row in results.iter_rows():
                path = Path(os.fsdecode(row[PATH]))
                yield path, from_wire(path, row[OUTCOME])
        except (ray.exceptions.RayError, SystemError) as error:
            raise BitreelError(
                f"Ray gave up: {_first_line(error)} What was encoded until then is kept: run the "
                f"same again to go on."
            ) from error

    def _setup(self, work: Work) -> Setup:
        from bitreel.library.ray_actor import Setup
        from bitreel.runtime import choose_runtime

        on_gpu = self.options.gpus > 0
        word = work.model.runtime
        return Setup(
            work.segmenting,
            word,
            choose_runtime(word, on_gpu=on_gpu),
            on_gpu,
            threads=max(1, math.ceil(self.options.cpus)),
        )

    def _actors(self, ray: Any, videos: int) -> int:
        """How many there are to be. Raises ConfigError where the cluster has no room for one."""
        there = ray.cluster_resources()
        cpus, gpus = there.get("CPU", 0.0), there.get("GPU", 0.0)
        options = self.options
        room = int(cpus // options.cpus)
        if options.gpus:
            room = min(room, int(gpus // options.gpus))
        if room < 1 and options.address is None:
            raise ConfigError(
                f"An actor is to have {options.cpus:g} CPUs and {options.gpus:g} GPUs, and there "
                f"are {cpus:g} and {gpus:g}: ask for less."
            )
        return max(1, min(options.actors or room, videos))

    def _blocks(self, videos: int, actors: int) -> int:
        at_once = self.options.videos or max(1, min(8, videos // (_BATCHES_EACH * actors)))
        return math.ceil(videos / at_once)


def _dataset(ray: Any, work: Work, blocks: int) -> Any:
    from bitreel.library.ray_actor import MTIME, PATH, SIZE

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    rows = [
        {PATH: os.fsencode(path), SIZE: state.size_bytes, MTIME: state.mtime_ns}
        for path, state in work.videos.items()
    ]
    return ray.data.from_items(rows, override_num_blocks=blocks)


def _files_of(work: Work) -> dict[str, bytes]:
    """The model's folder: name to bytes."""
    with tempfile.TemporaryDirectory(prefix="bitreel-") as folder:
        work.model.save(Path(folder, "model"))
        return {file.name: file.read_bytes() for file in Path(folder, "model").iterdir()}


@contextmanager
def _ray(address: str | None) -> Iterator[Any]:
    """Ray, joined or started, and left as it was found."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # videos are people's own affair
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # it warns of its own constructors
    import ray
    import ray.data
    import ray.exceptions

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    if ray.is_initialized():
        yield ray
        return
    own = {"include_dashboard": False} if address is None else {}
    try:
        ray.init(address or _LOCAL, log_to_driver=False, logging_level=logging.ERROR, **own)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        where = "on this machine" if address is None else f"at {address}"
        hint = "" if address is None else " A cluster that wants a token takes RAY_AUTH_MODE=token."
        raise BitreelError(f"Ray does not answer {where}: {_first_line(error)}{hint}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".") + "."
