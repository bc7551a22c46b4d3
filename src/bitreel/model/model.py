"""The model: all that turns a clip into a code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bitreel.clip import Clip
from bitreel.codes import BinaryCodes
from bitreel.config import to_json
from bitreel.errors import ConfigError, VideoError
from bitreel.model.config import ModelConfig
from bitreel.model.encode_many import Encoded, Item, encode_many
from bitreel.model.fingerprint import PREPROCESSING, code_fingerprint, features_fingerprint
from bitreel.model.folder import write_folder
from bitreel.model.loading import load_model
from bitreel.model.quantised_tensors import to_tensors
from bitreel.model.streams import Streams
from bitreel.network import Network, one_thread
from bitreel.runtime import Runtime, StoredNetwork
from bitreel.video import read_clip

Features = NDArray[np.float32]


class Model:
    """A clip to a code. The one road that training, indexing and querying share."""

    def __init__(
        self,
        config: ModelConfig,
        *,
        training: Mapping[str, Any] | None = None,
        quantised: Sequence[StoredNetwork] = (),
    ) -> None:
        """quantised: of each stream the backbone in int8, where the config's precision is that."""
        if bool(quantised) != (config.precision == "int8"):
            raise ConfigError(
                f"A model in {config.precision} comes with "
                f"{len(quantised) or 'no'} quantised backbones: make one with `bitreel quantise`."
            )
        self.config = config
        self.training: dict[str, Any] = dict(training or {})
        self.modalities = config.modalities
        sampling = config.sampling
        self.network = Network(
            backbone=config.backbone,
            encoder=config.encoder_parts,
            modalities=self.modalities,
            frames=sampling.frames,
            size=(sampling.height, sampling.width),
            bits=config.bits,
            classes=len(config.labels),
        ).eval()
        self.quantised = tuple(quantised)
        self._streams = Streams(config, self.network, self.quantised, key=self._stream_key)

    def __repr__(self) -> str:
        return (
            f"Model({self.bits} bits, {self.config.modality}, {self.config.encoder}, "
            f"{self.config.backbone}, fingerprint {self.fingerprint[:12]})"
        )

    @property
    def bits(self) -> int:
        return self.config.bits

    @property
    def fingerprint(self) -> str:
        """sha256 over everything that changes a code: weights, sampling, modality, precision."""
        return code_fingerprint(self.config, self.tensors())

    @property
    def features_fingerprints(self) -> tuple[str, ...]:
        """Of each stream, sha256 over everything that changes its features."""
        return tuple(map(self._stream_key, range(len(self.modalities))))

    def _stream_key(self, stream: int) -> str:
        tensors = self.network.backbones[stream].state_dict()
        tensors |= to_tensors(self.quantised[stream : stream + 1])
        return features_fingerprint(self.config, self.modalities[stream], tensors)

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor of the model, by its name in the file."""
        return self.network.state_dict() | to_tensors(self.quantised)

    def use_runtime(
        self, word: str, *, kept: Path | None = None, pictures_at_once: int | None = None
    ) -> Model:
        """Choose what runs the backbones, and give the same model back.

        word: `torch`, `openvino`, `onnx`; `auto` is openvino where it is installed and takes the
        backbone, else torch, and torch on a GPU. The fingerprint stays the same: in float32 their
        features differ by `runtime.FEATURE_TOLERANCE` at most, so that a bit may flip where its
        relaxed bit is that near to 0.5. (Of 188,800 bits of real clips none did.) Codes by one
        runtime are the same every time. A model in int8 is run by openvino alone.

        kept: a folder where exported networks stay for the next process, which would export them
        again in a few seconds; `runtime.default_networks()` is this user's. pictures_at_once: the
        size of a batch, by default what is fastest; several clips share one that is larger than a
        clip.

        Raises ConfigError for another word, or a runtime that is not installed when it is first
        used.
        """
        self._streams.use(word, kept=kept, pictures_at_once=pictures_at_once)
        return self

    @property
    def runtime(self) -> str:
        """The word that `use_runtime` was given last."""
        return self._streams.word

    @property
    def runtimes(self) -> tuple[Runtime, ...]:
        """What runs each stream's backbone. After `auto`, known for good once it has run."""
        return self._streams.runtimes

    def read(
        self,
        path: Path | str,
        *,
        start_seconds: float = 0.0,
        end_seconds: float | None = None,
        threads: int = 1,
    ) -> Clip:
        """Sample a segment of a video as this model wants it. Raises VideoError."""
        sampling = self.config.sampling
        return read_clip(
            Path(path),
            frames=sampling.frames * sampling.clips,
            size=(sampling.height, sampling.width),
            snippet=self.config.snippet,
            spacing_seconds=sampling.spacing_seconds,
            start_seconds=start_seconds,
            end_seconds=end_seconds,
            threads=threads,
        )

    def encode(self, clip: Clip) -> BinaryCodes:
        """The code of one segment: one row."""
        return self.encode_features([part[None] for part in self.features(clip)])

    def encode_many(
        self,
        items: Iterable[Item],
        *,
        read: Callable[[Item], Clip] | None = None,
        workers: int | None = None,
    ) -> Iterator[tuple[Item, Encoded | VideoError]]:
        """Items in their order, each with its clip and code, or the VideoError that it gave.

        Clips are read and encoded on all cores side by side; where a batch is larger than a clip,
        several clips share it. Codes are those that `encode` gives. read: from an item to its clip,
        by default `self.read` of a path; it may wait for another process, and is called from
        several threads. workers: one for each core by default. Any other error is raised here.
        """
        own: Callable[[Any], Clip] = self.read
        return encode_many(self, items, read=read or own, workers=workers)

    def features(self, clip: Clip) -> list[Features]:
        """Features over time of each stream, float32 [V,T,D]: V clips of the one segment."""
        return self.features_of([clip])[0]

    def features_of(self, clips: Sequence[Clip]) -> list[list[Features]]:
        """Of each segment what `features` gives, bit for bit, with batches that they share."""
        by_stream = [self._stream(clips, stream) for stream in range(len(self.modalities))]
        return [list(of_one) for of_one in zip(*by_stream, strict=True)]

    @property
    def clips_at_once(self) -> int:
        """How many clips `features_of` should be given for full batches."""
        return self._streams.clips_at_once

    def pictures(self, clip: Clip, stream: int, *, mirrored: bool = False) -> list[Tensor]:
        """What a stream's backbone sees of a segment: V clips, each float32 [T,C,H,W].

        mirrored: with left and right exchanged, as the modality has it.
        """
        modality, views = self.modalities[stream], self.config.sampling.clips
        clips = (clip.every(views, view) for view in range(views))
        pictures = [modality(part.snippet_frames(modality.snippet)) for part in clips]
        return [torch.from_numpy(modality.mirror(p) if mirrored else p) for p in pictures]

    def stream_features(self, clip: Clip, stream: int, *, mirrored: bool = False) -> Features:
        """Features over time of one stream, float32 [V,T,D]."""
        return self._stream([clip], stream, mirrored=mirrored)[0]

    def _stream(
        self, clips: Sequence[Clip], stream: int, *, mirrored: bool = False
    ) -> list[Features]:
        views = [
            p.numpy() for clip in clips for p in self.pictures(clip, stream, mirrored=mirrored)
        ]
        features, each = self._streams.features(stream, views), self.config.sampling.clips
        return [np.stack(features[first : first + each]) for first in range(0, len(views), each)]

    @torch.inference_mode()
    def relaxed_bits(self, streams: Sequence[Features]) -> NDArray[np.float32]:
        """Features of each stream [N,V,T,D] to relaxed bits [N,K] in [0,1].

        The mean over the V clips of a segment. Segment by segment: a matrix product rounds
        differently in batches of another size, and a code must not depend on its neighbours.
        """
        parts = self._tensors(streams)
        with one_thread():
            rows = range(len(parts[0]))
            relaxed = [self.network.head([p[row] for p in parts]).relaxed.mean(0) for row in rows]
        stacked = torch.stack(relaxed) if relaxed else torch.empty(0, self.bits)
        array: NDArray[np.float32] = stacked.cpu().numpy()
        return array

    def standardise(self, streams: Sequence[Features]) -> None:
        """Centre and scale what the head sees to the features of each stream [N,V,T,D]."""
        clips = [part.flatten(0, 1) for part in self._tensors(streams)]
        self.network.head.fit_standardisation(clips)

    def encode_features(self, streams: Sequence[Features]) -> BinaryCodes:
        """Features of each stream [N,V,T,D] to N codes."""
        return BinaryCodes.from_relaxed(self.relaxed_bits(streams))

    def _tensors(self, streams: Sequence[Features]) -> list[Tensor]:
        return [torch.from_numpy(np.ascontiguousarray(part)).to(self.device) for part in streams]

    def to(self, device: torch.device | str) -> Model:
        """Move the network to a device and give the same model back."""
        self.network.to(device)
        return self

    @property
    def device(self) -> torch.device:
        return next(self.network.parameters()).device

    def save(self, folder: Path | str) -> Path:
        """Write the model as one folder, in place of one that stands there. Raises ModelError."""
        facts = {
            "fingerprint": self.fingerprint,
            "preprocessing": PREPROCESSING,
            "config": to_json(self.config),
            "training": self.training,
        }
        write_folder(Path(folder), facts, self.tensors())
        return Path(folder)

    @classmethod
    def load(cls, folder: Path | str) -> Model:
        """Read a model folder.

        Raises ModelError where it is missing, damaged (its tensors do not give its fingerprint), or
        written by a version with another format.
        """
        return load_model(cls, Path(folder))
