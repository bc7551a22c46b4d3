"""Which runtime a word means on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from platformdirs import user_cache_path

from bitreel.errors import ConfigError
from bitreel.runtime import by_onnx, by_openvino
from bitreel.runtime.by_torch import TorchRunner
from bitreel.runtime.installed import is_installed
from bitreel.runtime.protocol import Rows, Runner

Runtime = Literal["torch", "openvino", "onnx"]
RUNTIMES: tuple[str, ...] = ("auto", *get_args(Runtime))

# Pictures of one batch, at most. Few keep a CNN's activations in the processor's cache: a picture
# costs EfficientNet-Lite0 1.25 times the CPU time in batches of 16 by OpenVINO, 1.6 times by torch.
MOST_PICTURES: dict[Runtime, int] = {"torch": 4, "openvino": 2, "onnx": 4}
CLIPS_AT_ONCE_ON_GPU = 4


def choose_runtime(word: str, *, on_gpu: bool) -> Runtime:
    """The runtime of that name. `auto`: openvino where it is installed, else torch.

    A network on a GPU is run by torch. Raises ConfigError for another word, and for another runtime
    than torch on a GPU.
    """
    if word not in RUNTIMES:
        raise ConfigError(f"Unknown runtime {word!r}: choose from {', '.join(RUNTIMES)}.")
    if word == "auto":
        return "openvino" if not on_gpu and is_installed("openvino") else "torch"
    if on_gpu and word != "torch":
        raise ConfigError(
            f"The runtime {word} runs on the processor, and the model is on a GPU: choose the "
            f"runtime torch, or move the model with .to('cpu')."
        )
    return word  # type: ignore[return-value]  # one of RUNTIMES


def prepare(
    runtime: Runtime, rows: Rows, shape: tuple[int, ...], *, kept: Path | None = None
) -> Runner:
    """A backbone made ready to run on batches of that shape.

    kept: where an exported network stays for the next process, a path without a suffix. Raises
    ConfigError where the runtime is not installed, ExportError where it does not take the backbone.
    """
    if runtime == "torch":
        return TorchRunner(rows)
    if runtime == "openvino":
        return by_openvino.prepare(rows, shape, kept=kept)
    return by_onnx.prepare(rows, shape, kept=kept)


def default_networks() -> Path:
    """Where this user's exported networks are kept."""
    return Path(user_cache_path("bitreel")) / "networks"


def batch_size(pictures: int, most: int) -> int:
    """The largest batch of up to `most` pictures that cuts a clip of so many in equal parts."""
    return max(size for size in range(1, max(1, min(most, pictures)) + 1) if pictures % size == 0)
