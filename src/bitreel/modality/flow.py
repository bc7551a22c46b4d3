"""Optical-flow stack: where each pixel goes from each frame to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic.dataclasses import dataclass

from bitreel.config import STRICT
from bitreel.errors import ConfigError
from bitreel.modality import opencv
from bitreel.modality.difference import MAX_LENGTH
from bitreel.modality.protocol import check_snippets, flip_columns
from bitreel.modality.spec import SEPARATORS, write_spec

BOUND_PIXELS = 20.0

# Frames uint8 [N,H,W,3] and the ones after them to float32 [N,H,W,2]: pixels to the right and down.
Estimator = Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.float32]]

# From the path of a file of weights to an estimator. `raft` needs torch, so that it is put here by
# `bitreel.network`: modalities start without.
FLOW_METHODS: dict[str, Callable[[str], Estimator]] = {
    "dis": lambda _: opencv.dis_flow,
    "tvl1": lambda _: opencv.tvl1_flow,
}


@dataclass(frozen=True, config=STRICT)
class Flow:
    """`length` fields of optical flow between consecutive frames a position, x before y.

    Clipped to ±20 pixels and divided by 20. (Simonyan & Zisserman, Two-Stream Convolutional
    Networks, 2014.) camera: `median` takes the median of each field away, the motion of a camera
    that pans.
    """

    length: int = 1
    method: Literal["dis", "tvl1", "raft"] = "dis"
    camera: Literal["keep", "median"] = "keep"
    weights: str = ""  # of raft: a file

    name = "flow"
    signed = True
    focused = False

    def __post_init__(self) -> None:
        if not 1 <= self.length <= MAX_LENGTH:
            raise ConfigError(f"A stack has 1 to {MAX_LENGTH} fields, got length={self.length}.")
        if (self.method == "raft") != bool(self.weights):
            raise ConfigError(
                "The flow method raft takes weights=FILE, torchvision's raft_small or raft_large; "
                f"the others take none. Got method={self.method} and weights={self.weights!r}."
            )
        if self.weights != self.weights.strip() or set(self.weights) & set(SEPARATORS):
            raise ConfigError(
                f"The path of the weights {self.weights!r} holds one of {SEPARATORS} or a space at "
                f"an end, which a modality can not be written with. Copy or link the file."
            )

    def __str__(self) -> str:
        return write_spec(self)

    @property
    def channels(self) -> int:
        return 2 * self.length

    @property
    def snippet(self) -> int:
        return self.length + 1

    def pictures(self, positions: int) -> int:
        """One a position."""
        return positions

    def __call__(self, snippets: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [T,L+1,H,W,3] → float32 [T,2L,H,W] in [-1,1], channels x1,y1,x2,y2…

        Positive x is to the right, positive y down. Raises ConfigError where the package that the
        method needs is not there.
        """
        check_snippets(self, snippets)
        positions, _, height, width, _ = snippets.shape
        pairs = (positions * self.length, height, width, 3)
        fields = self._estimator()(snippets[:, :-1].reshape(pairs), snippets[:, 1:].reshape(pairs))
        if self.camera == "median":
            fields = fields - np.median(fields, axis=(1, 2), keepdims=True)
        stack = np.clip(fields / np.float32(BOUND_PIXELS), -1, 1).transpose(0, 3, 1, 2)
        return np.ascontiguousarray(stack).reshape(positions, self.channels, height, width)

    def mirror(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """[...,2L,H,W]: left and right exchanged, and what went right goes left."""
        mirrored = flip_columns(pictures)
        mirrored[..., ::2, :, :] *= -1
        return mirrored

    def _estimator(self) -> Estimator:
        if self.method not in FLOW_METHODS:
            raise ConfigError(
                f"The flow method {self.method} is run by bitreel.network: import it first."
            )
        return FLOW_METHODS[self.method](self.weights)
