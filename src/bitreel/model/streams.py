"""The streams of a model: each one's backbone, run by the runtime that was chosen."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from bitreel.errors import ConfigError
from bitreel.model.config import ModelConfig
from bitreel.network import Network
from bitreel.runtime import (
    CLIPS_AT_ONCE_ON_GPU,
    MOST_PICTURES,
    MOST_QUANTISED_PICTURES,
    ExportError,
    Floats,
    Rows,
    Runner,
    Runtime,
    StoredNetwork,
    batch_size,
    choose_runtime,
    prepare,
    prepare_quantised,
    run_in_batches,
)

_Shape = tuple[int, ...]


class Streams:
    """Pictures of clips to features over time. Threads may use it side by side.

    A backbone is made ready when it is first used. By torch it is the module itself; an exported
    one is exported anew after the module's weights changed.
    """

    def __init__(
        self,
        config: ModelConfig,
        network: Network,
        quantised: Sequence[StoredNetwork],
        *,
        key: Callable[[int], str],
    ) -> None:
        """key: of each stream, what names its weights in a folder of exported networks."""
        self._config, self._key = config, key
        self._rows = [Rows(backbone) for backbone in network.backbones]
        self._quantised = tuple(quantised)
        self._pictures = [m.pictures(config.sampling.frames) for m in config.modalities]
        self._making = threading.Lock()
        self.use("openvino" if self._quantised else "torch")

    def use(
        self, word: str, *, kept: Path | None = None, pictures_at_once: int | None = None
    ) -> None:
        """See `Model.use_runtime`."""
        on_gpu = self._rows[0].device.type != "cpu"
        chosen: Runtime = "openvino"
        if self._quantised:
            _check_quantised(word)
        else:
            chosen = choose_runtime(word, on_gpu=on_gpu)
        if pictures_at_once is not None and pictures_at_once < 1:
            raise ConfigError(f"A batch has at least 1 picture, got {pictures_at_once}.")
        self.word, self._kept, self._at_once = word, kept, pictures_at_once
        self._runtimes: list[Runtime] = [chosen] * len(self._rows)
        self._ready: dict[tuple[int, _Shape], tuple[int, Runner]] = {}

    @property
    def runtimes(self) -> tuple[Runtime, ...]:
        """What runs each stream."""
        return tuple(self._runtimes)

    @property
    def clips_at_once(self) -> int:
        """How many clips fill a batch: 1 on processors, whose caches want small batches."""
        streams = range(len(self._rows))
        shared = [s for s in streams if self._rows[s].by_picture]
        return max((math.ceil(self._batch(s) / self._pictures[s]) for s in shared), default=1)

    def features(self, stream: int, clips: Sequence[Floats]) -> list[Floats]:
        """Pictures of clips, float32 [T,C,H,W] each, to features [T',D] each.

        Bit for bit those that each clip has alone. Raises ConfigError where the backbone does not
        take such pictures.
        """
        try:
            if not self._rows[stream].by_picture:
                return [self._run(stream, clip[None], batch=1)[0] for clip in clips]
            together = clips[0] if len(clips) == 1 else np.concatenate(clips)
            features = self._run(stream, together, batch=self._batch(stream))
        except (RuntimeError, AssertionError) as error:
            sampling = self._config.sampling
            raise ConfigError(
                f"The backbone {self._config.backbone} does not take {sampling.frames} frames of "
                f"{sampling.width}x{sampling.height} here: {first_line(error)}"
            ) from error
        return np.split(features, np.cumsum([len(clip) for clip in clips])[:-1])

    def _run(self, stream: int, rows: Floats, *, batch: int) -> Floats:
        return run_in_batches(self._runner(stream, (batch, *rows.shape[1:])), rows, batch=batch)

    def _batch(self, stream: int) -> int:
        """Pictures of one call, the same for every clip."""
        if self._at_once is not None:
            return self._at_once
        pictures = self._pictures[stream]
        if self._rows[stream].device.type != "cpu":
            return pictures * CLIPS_AT_ONCE_ON_GPU
        most = MOST_PICTURES[self._runtimes[stream]]
        return batch_size(pictures, MOST_QUANTISED_PICTURES if self._quantised else most)

    def _runner(self, stream: int, shape: _Shape) -> Runner:
        age = self._age(stream)
        ready = self._ready.get((stream, shape))
        if ready is None or ready[0] != age:
            with self._making:
                ready = self._ready.get((stream, shape))
                if ready is None or ready[0] != age:
                    ready = age, self._prepare(stream, shape)
                    self._ready[stream, shape] = ready
        return ready[1]

    def _prepare(self, stream: int, shape: _Shape) -> Runner:
        if self._quantised:
            return prepare_quantised(self._quantised[stream], shape)
        rows, runtime = self._rows[stream], self._runtimes[stream]
        kept = None
        if self._kept is not None and runtime != "torch":
            kept = self._kept / f"{self._key(stream)[:32]}-{'x'.join(map(str, shape))}"
        try:
            return prepare(runtime, rows, shape, kept=kept)
        except ExportError:
            if self.word != "auto":
                raise
            self._runtimes[stream] = "torch"
            return prepare("torch", rows, shape)

    def _age(self, stream: int) -> int:
        """How often the weights were changed: torch counts it. The module itself never ages."""
        if self._quantised or self._runtimes[stream] == "torch":
            return 0
        tensors = self._rows[stream].state_dict(keep_vars=True).values()
        return sum(0 if tensor.is_inference() else tensor._version for tensor in tensors)


def _check_quantised(word: str) -> None:
    choose_runtime(word, on_gpu=False)  # a word that is none
    if word not in ("auto", "openvino"):
        raise ConfigError(
            f"A model in int8 runs by openvino alone: choose that or auto in place of {word}, or "
            f"take the model that it was quantised from."
        )


def first_line(error: Exception) -> str:
    """What an error says, short enough for a message of our own."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
