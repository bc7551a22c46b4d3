"""What feeds a training run: cached features of a frozen backbone, or decoded pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from bitreel.codes import BinaryCodes
from bitreel.errors import VideoError
from bitreel.model import Model
from bitreel.read_ahead import read_ahead
from bitreel.training.features import LabelledFeatures


class Inputs(Protocol):
    """What is trained, and what it is fed."""

    @property
    def module(self) -> nn.Module:
        """A batch to a HeadOutput."""
        ...

    def batch(self, rows: Sequence[int]) -> Tensor:
        """The inputs of these rows, [B,…]."""
        ...

    def codes(self) -> BinaryCodes:
        """The codes of all rows, as the model gives them now."""
        ...


class FrozenInputs:
    """Frame features [N,T,D]: only fusion and hash head learn."""

    def __init__(self, model: Model, data: LabelledFeatures) -> None:
        self.module: nn.Module = nn.Sequential(model.network.fusion, model.network.hash_head)
        self._model = model
        self._features = data.features

    def batch(self, rows: Sequence[int]) -> Tensor:
        return torch.from_numpy(self._features[list(rows)])

    def codes(self) -> BinaryCodes:
        return self._model.encode_features(self._features)


class FinetuneInputs:
    """Pictures [B,T,C,H,W], decoded anew for each batch: the whole network learns.

    The network stays in evaluation mode: the statistics of a batch of a few clips would be noise,
    so its normalisation layers keep those that they came with.
    """

    def __init__(self, model: Model, data: LabelledFeatures) -> None:
        self.module: nn.Module = model.network
        self._model = model
        self._paths = [example.path for example in data.examples]

    def batch(self, rows: Sequence[int]) -> Tensor:
        clips = read_ahead(self._model.read, [self._paths[row] for row in rows])
        return torch.stack([self._model.pictures(_readable(clip)) for _, clip in clips])

    def codes(self) -> BinaryCodes:
        clips = read_ahead(self._model.read, self._paths)
        packed = [self._model.encode(_readable(clip)).packed for _, clip in clips]
        return BinaryCodes(np.concatenate(packed), self._model.bits)


Readable = TypeVar("Readable")


def _readable(clip: Readable | VideoError) -> Readable:
    """A file that could be read when the run began, and can not be now, ends the run."""
    if isinstance(clip, VideoError):
        raise clip
    return clip
