"""StoredNetwork backbones among the tensors of a model: in its file, and under its fingerprint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from bitreel.runtime import StoredNetwork

_PREFIX = "quantised."


def to_tensors(quantised: Sequence[StoredNetwork]) -> dict[str, Tensor]:
    """uint8 [bytes] each: `quantised.0.graph`, `quantised.0.weights`, `quantised.1.graph` …"""
    return {
        f"{_PREFIX}{stream}.{part}": torch.from_numpy(getattr(backbone, part))
        for stream, backbone in enumerate(quantised)
        for part in ("graph", "weights")
    }


def from_tensors(
    tensors: Mapping[str, Tensor],
) -> tuple[dict[str, Tensor], tuple[StoredNetwork, ...]]:
    """The network's own tensors, and the quantised backbones. Raises KeyError for half of one."""
    own = {name: value for name, value in tensors.items() if not name.startswith(_PREFIX)}
    count = len(tensors) - len(own)
    parts = (
        [tensors[f"{_PREFIX}{stream}.{part}"].numpy() for part in ("graph", "weights")]
        for stream in range((count + 1) // 2)
    )
    return own, tuple(StoredNetwork(graph, weights) for graph, weights in parts)
