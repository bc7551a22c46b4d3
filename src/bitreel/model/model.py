"""The model: all that turns a clip into a code."""

from __future__ import annotations

from collections.abc import Mapping
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
from bitreel.modality import find_modality
from bitreel.model.config import ModelConfig
from bitreel.model.fingerprint import PREPROCESSING, code_fingerprint, features_fingerprint
from bitreel.model.folder import read_manifest, read_tensors, write_folder
from bitreel.network import Network, one_thread
from bitreel.video import read_clip

# Few frames at a time keep the activations of a CNN in the processor's cache and out of the
# allocator's slow path: 16 frames at once cost 1.6 times the CPU time of 4 at a time, or more.
CPU_FRAMES_AT_ONCE = 4
_DAMAGE = (SafetensorError, RuntimeError, OSError, ValueError, TypeError, KeyError, ConfigError)


class Model:
    """A clip to a code. The one road that training, indexing and querying share."""

    def __init__(self, config: ModelConfig, *, training: Mapping[str, Any] | None = None) -> None:
        self.config = config
        self.training: dict[str, Any] = dict(training or {})
        self.modality = find_modality(config.modality)
        self.network = Network(
            backbone=config.backbone,
            frames=config.sampling.frames,
            bits=config.bits,
            classes=len(config.labels),
        ).eval()

    def __repr__(self) -> str:
        return (
            f"Model({self.bits} bits, {self.config.backbone}, fingerprint {self.fingerprint[:12]})"
        )

    @property
    def bits(self) -> int:
        return self.config.bits

    @property
    def fingerprint(self) -> str:
        """sha256 over everything that changes a code: weights, sampling, modality, precision."""
        return code_fingerprint(self.config, self.network.state_dict())

    @property
    def features_fingerprint(self) -> str:
        """sha256 over everything that changes the frame features, the cached half of the road."""
        return features_fingerprint(self.config, self.network.backbone.state_dict())

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
            frames=sampling.frames,
            size=(sampling.height, sampling.width),
            start_seconds=start_seconds,
            end_seconds=end_seconds,
            threads=threads,
        )

    def encode(self, clip: Clip) -> BinaryCodes:
        """The code of one clip: one row."""
        return self.encode_features(self.frame_features(clip)[None])

    def pictures(self, clip: Clip) -> Tensor:
        """What the backbone sees of a clip: float32 [T,C,H,W]."""
        return torch.from_numpy(self.modality(clip.frames))

    @torch.inference_mode()
    def frame_features(self, clip: Clip) -> NDArray[np.float32]:
        """Features of each frame, float32 [T,D]."""
        pictures = self.pictures(clip).to(self.device)
        at_once = CPU_FRAMES_AT_ONCE if self.device.type == "cpu" else len(pictures)
        try:
            with one_thread():
                parts = [self.network.backbone(part) for part in torch.split(pictures, at_once)]
        except (RuntimeError, AssertionError) as error:
            sampling = self.config.sampling
            raise ConfigError(
                f"The backbone {self.config.backbone} does not take frames of "
                f"{sampling.width}x{sampling.height} here: {_first_line(error)}"
            ) from error
        features: NDArray[np.float32] = torch.cat(parts).cpu().numpy()
        return features

    @torch.inference_mode()
    def relaxed_bits(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Frame features [N,T,D] to relaxed bits [N,K] in [0,1].

        Clip by clip: a matrix product rounds differently in batches of another size, and a code
        must not depend on its neighbours.
        """
        rows = torch.from_numpy(np.ascontiguousarray(features)).to(self.device)
        with one_thread():
            relaxed = [self.network.hash_features(row[None]).relaxed for row in rows]
        stacked = torch.cat(relaxed) if relaxed else torch.empty(0, self.bits)
        array: NDArray[np.float32] = stacked.cpu().numpy()
        return array

    @torch.no_grad()
    def standardise(self, features: NDArray[np.float32]) -> None:
        """Centre and scale the hash head's input to these frame features [N,T,D]."""
        fused = self.network.fusion(torch.from_numpy(features).to(self.device))
        self.network.hash_head.fit_standardisation(fused)

    def encode_features(self, features: NDArray[np.float32]) -> BinaryCodes:
        """Frame features [N,T,D] to N codes."""
        return BinaryCodes.from_relaxed(self.relaxed_bits(features))

    def to(self, device: torch.device | str) -> Model:
        """Move the network to a device and give the same model back."""
        self.network.to(device)
        return self

    @property
    def device(self) -> torch.device:
        return self.network.fusion.position_logits.device

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
