"""A backbone in 8-bit integers, by post-training quantisation with NNCF, run by OpenVINO."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from contextlib import redirect_stdout

from bitreel.runtime.by_openvino import (
    OpenVinoRunner,
    StoredNetwork,
    compile_network,
    convert,
    restore,
    store,
)
from bitreel.runtime.exported import exporting
from bitreel.runtime.installed import import_for, require
from bitreel.runtime.protocol import Floats, Rows

# Pictures of one batch, at most. Integers are a quarter as large: more fit in the cache.
MOST_QUANTISED_PICTURES = 4


def quantise_backbone(rows: Rows, batches: Sequence[Floats]) -> StoredNetwork:
    """Weights and activations in 8 bits, their ranges measured on batches of real rows.

    batches: float32 [B,…], all of one shape. Every convolution's weights get a scale for each
    output channel, activations one for the tensor, symmetric (Jacob et al., CVPR 2018); biases make
    up for the mean of the rounding (Nagel et al., ICCV 2019). The same batches give the same
    network. Raises ConfigError without OpenVINO and NNCF, ExportError for a backbone that they do
    not take.
    """
    # OpenVINO first: NNCF would import it by itself.
    _, nncf = import_for("Quantising", "openvino", "nncf")
    nncf.set_log_level(logging.ERROR)
    with exporting("openvino"), redirect_stdout(io.StringIO()):  # it prints how far it is
        network = nncf.quantize(
            convert(rows, batches[0].shape), nncf.Dataset(batches), subset_size=len(batches)
        )
    return store(network)


def prepare_quantised(quantised: StoredNetwork, shape: tuple[int, ...]) -> OpenVinoRunner:
    """Ready for batches of that shape.

    Integers are added up exactly, so codes do not move with the batch. They can move with the
    processor: one without instructions for 8-bit products (VNNI, AMX, or ARM's) may round or
    saturate otherwise. Raises ConfigError without OpenVINO.
    """
    require("A model in int8", "openvino")
    network = restore(quantised)
    if tuple(network.input().shape) != shape:
        network.reshape(shape)
    return compile_network(network)
