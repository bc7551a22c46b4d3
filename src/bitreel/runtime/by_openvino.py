"""The backbone run by OpenVINO: on processors, several times as fast as torch."""

from __future__ import annotations

import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bitreel.read_ahead import cores
from bitreel.runtime.exported import exporting, keep
from bitreel.runtime.installed import import_for
from bitreel.runtime.protocol import Floats, Rows

WHAT = "The runtime openvino"


class OpenVinoRunner:
    """A compiled network, and a request of its own for each thread that calls."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled
        self._own = threading.local()

    def __call__(self, rows: Floats) -> Floats:
        request = getattr(self._own, "request", None)
        if request is None:
            request = self._own.request = self._compiled.create_infer_request()
        # The answer is a copy: the request's own memory is overwritten by the next call.
        features: Floats = request.infer([rows], share_inputs=True, share_outputs=False)[0]
        return features


@dataclass(frozen=True, eq=False)
class StoredNetwork:
    """A network as OpenVINO writes it: a graph in XML, and its weights. No code in it.

    uint8 [bytes] each, so that they can stand among a model's tensors.
    """

    graph: NDArray[np.uint8]
    weights: NDArray[np.uint8]


def prepare(rows: Rows, shape: tuple[int, ...], *, kept: Path | None = None) -> OpenVinoRunner:
    """Export a backbone for batches of that shape, and compile it.

    kept: where the exported network stays for the next process (two files; the suffixes are set
    here). Raises ConfigError without OpenVINO, ExportError for a backbone that it does not take.
    """
    (openvino,) = import_for(WHAT, "openvino")
    if kept is not None:
        kept = kept.with_name(f"{kept.name}-openvino-{openvino.__version__.split('-')[0]}.xml")
        with suppress(RuntimeError, OSError):  # it is not there, or half of it is
            return compile_network(_load(kept))
    with exporting("openvino"):
        stored = store(convert(rows, shape))
        # Compiled from what was written, as the next process will: what was not rounds otherwise.
        runner = compile_network(restore(stored))
    if kept is not None:
        weights = kept.with_suffix(".bin")  # first, so that what has a graph is whole
        keep({weights: stored.weights.tobytes(), kept: stored.graph.tobytes()})
    return runner


def store(network: Any) -> StoredNetwork:
    """A network as it is written to a file, in float32 where it is that."""
    (openvino,) = import_for(WHAT, "openvino")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "backbone.xml"
        openvino.save_model(network, file, compress_to_fp16=False)
        return _read_files(file)


def restore(stored: StoredNetwork) -> Any:
    """OpenVINO's own network, of what was written. Raises RuntimeError for what is none."""
    (openvino,) = import_for(WHAT, "openvino")
    weights = openvino.Tensor(np.ascontiguousarray(stored.weights))
    return core().read_model(stored.graph.tobytes(), weights)


def _load(file: Path) -> Any:
    return restore(_read_files(file))


def _read_files(file: Path) -> StoredNetwork:
    graph, weights = (np.fromfile(part, np.uint8) for part in (file, file.with_suffix(".bin")))
    return StoredNetwork(graph, weights)


def convert(rows: Rows, shape: tuple[int, ...]) -> Any:
    """The module as OpenVINO's own network, float32, for batches of exactly that shape."""
    (openvino,) = import_for(WHAT, "openvino")
    return openvino.convert_model(rows, example_input=torch.zeros(shape), input=[shape])


def compile_network(network: Any) -> OpenVinoRunner:
    """Ready to run: float32 throughout, one core a call, as many calls at once as there are cores.

    float32 has to be asked for, since processors with bfloat16 would take that. So has the freedom
    to move between cores: OpenVINO ties its threads to them, and two processes to the same ones.
    """
    count = cores()
    options = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": count,
        "NUM_STREAMS": count,
        "ENABLE_CPU_PINNING": False,
    }
    return OpenVinoRunner(core().compile_model(network, "CPU", options))


@cache
def core() -> Any:
    (openvino,) = import_for(WHAT, "openvino")
    return openvino.Core()
