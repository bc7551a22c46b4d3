"""The backbone run by ONNX Runtime, from a file that other programs can read too."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from bitreel.runtime.exported import exporting, keep
from bitreel.runtime.installed import import_for
from bitreel.runtime.protocol import Floats, Rows

WHAT = "The runtime onnx"


class OnnxRunner:
    """A session that runs in the thread that calls, and in no other."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name

    def __call__(self, rows: Floats) -> Floats:
        features: Floats = self._session.run(None, {self._input: rows})[0]
        return features


def prepare(rows: Rows, shape: tuple[int, ...], *, kept: Path | None = None) -> OnnxRunner:
    """Export a backbone for batches of that shape, and open a session on it.

    kept: where the exported network stays for the next process (one file; the suffix is set here).
    Raises ConfigError without ONNX Runtime or what exports for it, ExportError for a backbone that
    they do not take.
    """
    onnxruntime, *_ = import_for(WHAT, "onnxruntime", "onnx", "onnxscript")
    if kept is not None:
        kept = kept.with_name(f"{kept.name}-torch-{torch.__version__}.onnx")
        with suppress(Exception):  # it is not there, or no network: its errors have no base
            return open_session(onnxruntime, kept.read_bytes())
    with exporting("onnx"):
        network = convert(rows, shape)
        runner = open_session(onnxruntime, network)
    if kept is not None:
        keep({kept: network})
    return runner


def convert(rows: Rows, shape: tuple[int, ...]) -> bytes:
    """The module as an ONNX file, float32, for batches of exactly that shape."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "backbone.onnx"
        torch.onnx.export(
            rows,
            (torch.zeros(shape),),
            file,
            dynamo=True,
            external_data=False,  # one file
            verbose=False,
        )
        return file.read_bytes()


def open_session(onnxruntime: Any, network: bytes) -> OnnxRunner:
    """One core a call; calls run side by side in the threads that make them."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    providers = ["CPUExecutionProvider"]
    return OnnxRunner(onnxruntime.InferenceSession(network, options, providers=providers))
