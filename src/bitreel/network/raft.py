"""RAFT (Teed & Deng, ECCV 2020) as a flow method, from a file of torchvision's weights."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from bitreel.errors import WeightsError
from bitreel.modality import FLOW_METHODS, Estimator
from bitreel.network.threads import one_thread
from bitreel.network.torchvision_ops import import_torchvision
from bitreel.network.weights import read_weights

import_torchvision()

from torchvision.models.optical_flow import raft_large, raft_small  # noqa: E402

_lock = threading.Lock()
_SIDE = 8  # RAFT works on pictures whose sides are multiples of it,
_LEAST = 128  # and no smaller than it, for the coarsest of its pyramids


def raft_flow(weights: str) -> Estimator:
    """The estimator that a file of weights gives, of raft_small or raft_large by what is in it.

    Raises WeightsError where there is none, or it holds something else.
    """
    path = Path(weights)
    changed = path.stat().st_mtime_ns if path.is_file() else 0
    with _lock:
        return _load(path, changed)


@lru_cache(maxsize=2)
def _load(path: Path, _: int) -> Estimator:
    state = read_weights(path)
    for make in (raft_small, raft_large):
        with torch.device("meta"):  # which draws no random weights: a run's generator stays
            network: Any = make(weights=None, progress=False)
        own = network.state_dict()
        if own.keys() <= state.keys() and all(own[k].shape == state[k].shape for k in own):
            network.load_state_dict({k: state[k] for k in own}, assign=True)
            return _estimator(network.eval())
    raise WeightsError(
        f"{path} holds no weights of torchvision's raft_small or raft_large: download one of "
        f"theirs, or name another flow method."
    )


def _estimator(network: Any) -> Estimator:
    @torch.inference_mode()
    def estimate(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
        fields = np.empty((*first.shape[:3], 2), np.float32)
        # The network keeps the pyramid of the pair at hand in itself: one caller at a time.
        with _lock, one_thread():
            for field, before, after in zip(fields, first, second, strict=True):
                refined = network(_picture(before), _picture(after))[-1][0]
                field[:] = refined[:, : field.shape[0], : field.shape[1]].permute(1, 2, 0).numpy()
        return fields

    return estimate


def _picture(frame: NDArray[np.uint8]) -> torch.Tensor:
    """uint8 [H,W,3] → float32 [1,3,H',W'] in [-1,1], edges repeated to a size that RAFT takes."""
    picture = torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)[None] / 127.5 - 1
    below, right = (max(_LEAST, -(-side // _SIDE) * _SIDE) - side for side in frame.shape[:2])
    return functional.pad(picture, (0, right, 0, below), mode="replicate")


FLOW_METHODS["raft"] = raft_flow
