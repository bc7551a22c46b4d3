"""The same backbone run by torch, ONNX Runtime or OpenVINO, and in 8-bit integers.

Only backbones are run so: the head above them is too small to matter. What a runtime needs is
imported when it is first asked for.
"""

from bitreel.runtime.by_openvino import StoredNetwork
from bitreel.runtime.choose import (
    CLIPS_AT_ONCE_ON_GPU,
    MOST_PICTURES,
    RUNTIMES,
    Runtime,
    batch_size,
    choose_runtime,
    default_networks,
    prepare,
)
from bitreel.runtime.exported import ExportError
from bitreel.runtime.installed import is_installed, require
from bitreel.runtime.protocol import (
    FEATURE_TOLERANCE,
    Floats,
    Rows,
    Runner,
    run_in_batches,
)
from bitreel.runtime.quantise import (
    MOST_QUANTISED_PICTURES,
    prepare_quantised,
    quantise_backbone,
)

__all__ = [
    "CLIPS_AT_ONCE_ON_GPU",
    "FEATURE_TOLERANCE",
    "MOST_PICTURES",
    "MOST_QUANTISED_PICTURES",
    "RUNTIMES",
    "ExportError",
    "Floats",
    "Rows",
    "Runner",
    "Runtime",
    "StoredNetwork",
    "batch_size",
    "choose_runtime",
    "default_networks",
    "is_installed",
    "prepare",
    "prepare_quantised",
    "quantise_backbone",
    "require",
    "run_in_batches",
]
