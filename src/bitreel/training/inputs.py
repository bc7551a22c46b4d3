"""What feeds a training run: cached features of a frozen backbone, or decoded pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from bitreel.clip import Clip
from bitreel.codes import BinaryCodes
from bitreel.errors import VideoError
from bitreel.model import Model
from bitreel.read_ahead import read_ahead
from bitreel.training.features import LabelledFeatures

CLIPS_IN_MEMORY_BYTES = 4 << 30


class Inputs(Protocol):
    """What is trained, and what it is fed."""

    @property
    def module(self) -> nn.Module:
        """The streams of a batch to a HeadOutput."""
        ...

    def batch(self, rows: Sequence[int]) -> list[Tensor]:
        """The inputs of these rows: of each stream [B,…]."""
        ...

    def codes(self) -> BinaryCodes:
        """The codes of all rows, as the model gives them now."""
        ...

    def learn(self) -> None:
        """Make the module ready for training steps; `codes` undoes it."""
        ...


class FrozenInputs:
    """Features over time [B,T,D]: only the head learns.

    Of a segment's clips, and of its mirror where there is one, a batch takes any.
    """

    def __init__(self, model: Model, data: LabelledFeatures) -> None:
        self.module: nn.Module = model.network.head
        self._model = model
        self._data = data

    def batch(self, rows: Sequence[int]) -> list[Tensor]:
        data, chosen = self._data, list(rows)
        sides = [data.streams] if data.mirrored is None else [data.streams, data.mirrored]
        views = data.streams[0].shape[1]
        side, view = divmod(torch.randint(len(sides) * views, (len(rows),)).numpy(), views)
        batch: list[Tensor] = []
        for stream in range(len(data.streams)):
            both = np.stack([part[stream][chosen, view] for part in sides])  # [sides,B,T,D]
            batch.append(torch.from_numpy(both[side, np.arange(len(rows))]))
        return batch

    def codes(self) -> BinaryCodes:
        self.module.eval()
        return self._model.encode_features(self._data.streams)

    def learn(self) -> None:
        self.module.train()


class FinetuneInputs:
    """Pictures [B,T,C,H,W], decoded anew for each batch: the whole network learns.

    Pretrained backbones stay in evaluation mode: the statistics of a batch of a few clips would be
    noise, so their normalisation layers keep those that they came with. One that starts from random
    weights has none to keep.
    """

    def __init__(
        self, model: Model, data: LabelledFeatures, *, pretrained: bool = True, mirror: bool = False
    ) -> None:
        self.module: nn.Module = model.network
        self._model = model
        self._paths = [example.path for example in data.examples]
        self._pretrained = pretrained
        self._mirror = mirror
        self._clips: dict[Path, Clip] = {}
        self._free_bytes = CLIPS_IN_MEMORY_BYTES

    def batch(self, rows: Sequence[int]) -> list[Tensor]:
        clips = [
            _readable(clip)
            for _, clip in read_ahead(self._clip, map(self._paths.__getitem__, rows))
        ]
        views = self._model.config.sampling.clips
        sides = torch.randint(2, (len(rows),)).tolist() if self._mirror else [0] * len(rows)
        view = torch.randint(views, (len(rows),)).tolist()
        return [
            torch.stack(
                [
                    self._model.pictures(clip, stream, mirrored=bool(side))[k]
                    for clip, side, k in zip(clips, sides, view, strict=True)
                ]
            )
            for stream in range(len(self._model.modalities))
        ]

    def codes(self) -> BinaryCodes:
        self.module.eval()
        coded = read_ahead(lambda path: self._model.encode(self._clip(path)), self._paths)
        packed = [_readable(codes).packed for _, codes in coded]
        return BinaryCodes(np.concatenate(packed), self._model.bits)

    def _clip(self, path: Path) -> Clip:
        """Decoded once and kept, as long as there is room."""
        if (kept := self._clips.get(path)) is not None:
            return kept
        clip = self._model.read(path)
        if self._free_bytes >= clip.frames.nbytes:
            self._free_bytes -= clip.frames.nbytes
            self._clips[path] = clip
        return clip

    def learn(self) -> None:
        self.module.train()
        if self._pretrained:
            self._model.network.backbones.eval()


Readable = TypeVar("Readable")


def _readable(clip: Readable | VideoError) -> Readable:
    """A file that could be read when the run began, and can not be now, ends the run."""
    if isinstance(clip, VideoError):
        raise clip
    return clip
