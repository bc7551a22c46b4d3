"""What feeds a training run: cached features of a frozen backbone, or decoded pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bitreel.codes import BinaryCodes
from bitreel.errors import VideoError
from bitreel.modality import Modality
from bitreel.model import Model
from bitreel.network import one_thread
from bitreel.read_ahead import read_ahead
from bitreel.training.config import TrainConfig
from bitreel.training.features import LabelledFeatures

PICTURES_IN_MEMORY_BYTES = 4 << 30
STANDARDISING_CLIPS = 64

Pictures = list[list[Tensor]]  # of each stream, of each clip of a segment: float32 [T,C,H,W]


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

    def standardise(self, rows: Sequence[int]) -> None:
        """Centre and scale what the head sees to the features of these rows."""
        ...


def make_inputs(model: Model, data: LabelledFeatures, config: TrainConfig) -> Inputs:
    """What feeds a run with these options."""
    if not config.finetune:
        return FrozenInputs(model, data)
    pretrained = config.weights != "none"
    return FinetuneInputs(model, data, pretrained=pretrained, mirror=config.mirror)


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

    def standardise(self, rows: Sequence[int]) -> None:
        self._model.standardise(self._data.rows(rows))


class FinetuneInputs:
    """Pictures [B,T,C,H,W] of each stream: the whole network learns.

    They are made once and kept, as long as there is room: optical flow of a clip costs as much as
    a small network's step on it. Pretrained backbones stay in evaluation mode: the statistics of a
    batch of a few clips would be noise, so their normalisation layers keep those that they came
    with. One that starts from random weights has none to keep.
    """

    def __init__(
        self, model: Model, data: LabelledFeatures, *, pretrained: bool = True, mirror: bool = False
    ) -> None:
        self.module: nn.Module = model.network
        self._model = model
        self._data = data
        self._paths = [example.path for example in data.examples]
        self._pretrained = pretrained
        self._mirror = mirror
        self._kept: dict[Path, Pictures] = {}
        self._free_bytes = PICTURES_IN_MEMORY_BYTES

    def batch(self, rows: Sequence[int]) -> list[Tensor]:
        paths = map(self._paths.__getitem__, rows)
        clips = [_readable(pictures) for _, pictures in read_ahead(self._pictures, paths)]
        sides = torch.randint(2, (len(rows),)).tolist() if self._mirror else [0] * len(rows)
        view = torch.randint(self._model.config.sampling.clips, (len(rows),)).tolist()
        return [
            torch.stack(
                [
                    _mirrored(modality, clip[stream][k]) if side else clip[stream][k]
                    for clip, side, k in zip(clips, sides, view, strict=True)
                ]
            )
            for stream, modality in enumerate(self._model.modalities)
        ]

    def codes(self) -> BinaryCodes:
        self.module.eval()
        coded = read_ahead(self._relaxed, self._paths)
        return BinaryCodes.from_relaxed(np.stack([_readable(relaxed) for _, relaxed in coded]))

    @torch.inference_mode()
    def _relaxed(self, path: Path) -> NDArray[np.float32]:
        """Relaxed bits [K] of a segment, as `Model.relaxed_bits` has them but for rounding."""
        streams = [torch.stack(views).to(self._model.device) for views in self._pictures(path)]
        with one_thread():
            relaxed: NDArray[np.float32] = self.module(streams).relaxed.mean(0).cpu().numpy()
        return relaxed

    def _pictures(self, path: Path) -> Pictures:
        if (kept := self._kept.get(path)) is not None:
            return kept
        clip = self._model.read(path)
        pictures = [self._model.pictures(clip, s) for s in range(len(self._model.modalities))]
        size = sum(view.nbytes for views in pictures for view in views)
        if self._free_bytes >= size:
            self._free_bytes -= size
            self._kept[path] = pictures
        return pictures

    def learn(self) -> None:
        self.module.train()
        if self._pretrained:
            self._model.network.backbones.eval()

    @torch.no_grad()
    def standardise(self, rows: Sequence[int]) -> None:
        """Random weights are measured on a batch, as training will see them: what their
        normalisation layers expect before they have seen anything has nothing to do with it."""
        if self._pretrained:
            self._model.standardise(self._data.rows(rows))
            return
        self.learn()
        network = self._model.network
        pictures = self.batch(list(rows)[:: max(1, len(rows) // STANDARDISING_CLIPS)])
        network.head.fit_standardisation(
            [b(p.to(self._model.device)) for b, p in zip(network.backbones, pictures, strict=True)]
        )


def _mirrored(modality: Modality, pictures: Tensor) -> Tensor:
    return torch.from_numpy(modality.mirror(pictures.numpy()))


Readable = TypeVar("Readable")


def _readable(clip: Readable | VideoError) -> Readable:
    """A file that could be read when the run began, and can not be now, ends the run."""
    if isinstance(clip, VideoError):
        raise clip
    return clip
