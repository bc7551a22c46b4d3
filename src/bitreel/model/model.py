"""The model: all that turns a clip into a code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor

from bitreel.clip import Clip
from bitreel.codes import BinaryCodes
from bitreel.config import from_json, to_json
from bitreel.errors import ConfigError, ModelError
from bitreel.model.config import ModelConfig
from bitreel.model.fingerprint import PREPROCESSING, code_fingerprint, features_fingerprint
from bitreel.model.folder import read_manifest, read_tensors, write_folder
from bitreel.network import Network, one_thread
from bitreel.video import read_clip

# Few frames at a time keep the activations of a CNN in the processor's cache and out of the
# allocator's slow path: 16 frames at once cost 1.6 times the CPU time of 4 at a time, or more.
CPU_FRAMES_AT_ONCE = 4
Features = NDArray[np.float32]
_DAMAGE = (SafetensorError, RuntimeError, OSError, ValueError, TypeError, KeyError, ConfigError)


class Model:
    """A clip to a code. The one road that training, indexing and querying share."""

    def __init__(self, config: ModelConfig, *, training: Mapping[str, Any] | None = None) -> None:
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
        return code_fingerprint(self.config, self.network.state_dict())

    @property
    def features_fingerprints(self) -> tuple[str, ...]:
        """Of each stream, sha256 over everything that changes its features."""
        streams = zip(self.modalities, self.network.backbones, strict=True)
        return tuple(features_fingerprint(self.config, m, b.state_dict()) for m, b in streams)

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

    def features(self, clip: Clip) -> list[Features]:
        """Features over time of each stream, float32 [V,T,D]: V clips of the one segment."""
        return [self.stream_features(clip, stream) for stream in range(len(self.modalities))]

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
        pictures = self.pictures(clip, stream, mirrored=mirrored)
        return np.stack([self._clip_features(part, stream) for part in pictures])

    @torch.inference_mode()
    def _clip_features(self, pictures: Tensor, stream: int) -> Features:
        """[T,C,H,W] → float32 [T',D]."""
        backbone = self.network.backbones[stream]
        at_once = len(pictures)
        if self.device.type == "cpu" and backbone.by_picture:
            at_once = CPU_FRAMES_AT_ONCE
        try:
            with one_thread():
                parts = torch.split(pictures.to(self.device), at_once)
                features = torch.cat([backbone(part[None])[0] for part in parts])
        except (RuntimeError, AssertionError) as error:
            sampling = self.config.sampling
            raise ConfigError(
                f"The backbone {self.config.backbone} does not take {sampling.frames} frames of "
                f"{sampling.width}x{sampling.height} here: {_first_line(error)}"
            ) from error
        array: Features = features.cpu().numpy()
        return array

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
        write_folder(Path(folder), facts, self.network.state_dict())
        return Path(folder)

    @classmethod
    def load(cls, folder: Path | str) -> Model:
        """Read a model folder.

        Raises ModelError where it is missing, damaged (its tensors do not give its fingerprint), or
        written by a version with another format.
        """
        folder = Path(folder)
        manifest = read_manifest(folder)
        if manifest.get("preprocessing") != PREPROCESSING:
            raise ModelError(
                f"{folder} was made by bitreel {manifest.get('bitreel')}, which prepares frames "
                f"otherwise than this version: its codes would not be the same. Install that "
                f"version, or train again."
            )
        try:
            config = from_json(ModelConfig, manifest["config"], where=f"{folder}/model.json")
            model = cls(config, training=manifest["training"])
            model.network.load_state_dict(read_tensors(folder))
        except _DAMAGE as error:
            raise ModelError(
                f"The model {folder} is damaged or incomplete ({_first_line(error)}): train it "
                f"again or copy it anew."
            ) from error
        if model.fingerprint != manifest.get("fingerprint"):
            raise ModelError(
                f"The model {folder} is damaged: its tensors do not match its fingerprint. Train "
                f"it again or copy it anew."
            )
        return model


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
