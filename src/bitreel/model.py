"""The model: all that turns a clip into a code, saved as one folder, with a fingerprint.

MODEL/
  model.json          format, config, fingerprint, how it was trained
  model.safetensors   every tensor of the network
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic.dataclasses import dataclass
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from bitreel.clip import Clip
from bitreel.codes import BinaryCodes
from bitreel.config import STRICT, from_json, to_json
from bitreel.errors import ConfigError, ModelError
from bitreel.modality import find_modality
from bitreel.network import DEFAULT_BACKBONE, Network, one_thread
from bitreel.version import __version__
from bitreel.video import read_clip

FORMAT = "bitreel model"
FORMAT_VERSION = 1
# What else a feature depends on: raised when decoding, scaling or the arithmetic change.
PREPROCESSING = "frames by AREA scaling to RGB, float32, 1"
# Few frames at a time keep the activations of a CNN in the processor's cache and out of the
# allocator's slow path: 16 frames at once cost 1.6 times the CPU time of 4 at a time, or more.
CPU_FRAMES_AT_ONCE = 4

_DAMAGE = (SafetensorError, RuntimeError, OSError, ValueError, TypeError, KeyError, ConfigError)


@dataclass(frozen=True, config=STRICT)
class Sampling:
    """T frames, uniform over the segment, squashed to one shape so that no aspect ratio shows."""

    frames: int = 16
    height: int = 224
    width: int = 224

    def __post_init__(self) -> None:
        if self.frames < 1 or min(self.height, self.width) < 32:
            raise ConfigError(
                f"Sampling takes 1 frame or more of 32x32 pixels or more, got {self.frames} frames "
                f"of {self.width}x{self.height}."
            )


@dataclass(frozen=True, config=STRICT)
class ModelConfig:
    """What a code depends on beside the weights."""

    labels: tuple[str, ...]  # class names, in the classifier's order
    bits: int = 64
    backbone: str = DEFAULT_BACKBONE
    modality: str = "rgb"
    sampling: Sampling = field(default_factory=Sampling)

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 4096:
            raise ConfigError(f"A code has 1 to 4096 bits, got {self.bits}.")
        if not self.labels:
            raise ConfigError("A model needs one label or more to train on.")
        find_modality(self.modality)


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
        options = _digested_options(self.config)
        state = self.network.state_dict()
        return _digest(options, {k: v for k, v in state.items() if not _trains_only(k)})

    @property
    def features_fingerprint(self) -> str:
        """sha256 over everything that changes the frame features, the cached half of the road."""
        options = _digested_options(self.config)
        options.pop("bits", None)
        return _digest(options, self.network.backbone.state_dict())

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
        """Write the model as one folder, in place of one that stands there.

        Written aside and then renamed, so that a killed process leaves no half model.
        """
        folder = Path(folder)
        if folder.exists() and not is_model(folder):
            raise ModelError(f"{folder} exists and is no bitreel model: name another output.")
        aside, old = (folder.with_name(folder.name + end) for end in (".writing", ".old"))
        shutil.rmtree(aside, ignore_errors=True)
        try:
            aside.mkdir(parents=True)
            state = {k: v.cpu().contiguous() for k, v in self.network.state_dict().items()}
            save_file(state, aside / "model.safetensors")
            (aside / "model.json").write_text(json.dumps(self._manifest(), indent=2) + "\n")
            if folder.exists():
                shutil.rmtree(old, ignore_errors=True)
                folder.rename(old)
            aside.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
        except OSError as error:
            raise ModelError(
                f"The model can not be written to {folder}: {error.strerror}."
            ) from error
        return folder

    def _manifest(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "bitreel": __version__,
            "fingerprint": self.fingerprint,
            "config": to_json(self.config),
            "training": self.training,
        }

    @classmethod
    def load(cls, folder: Path | str) -> Model:
        """Read a model folder.

        Raises ModelError where it is missing, damaged (its tensors do not give its fingerprint), or
        written by a version with another format.
        """
        folder = Path(folder)
        manifest = _read_manifest(folder)
        try:
            config = from_json(ModelConfig, manifest["config"], where=str(folder / "model.json"))
            model = cls(config, training=manifest["training"])
            model.network.load_state_dict(load_file(folder / "model.safetensors"))
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


def is_model(folder: Path) -> bool:
    """Whether a folder holds a model, of whatever version."""
    return (folder / "model.json").is_file()


def _read_manifest(folder: Path) -> dict[str, Any]:
    if not is_model(folder):
        raise ModelError(
            f"No model at {folder}: make one with `bitreel train DATA --output {folder}`."
        )
    try:
        manifest = json.loads((folder / "model.json").read_text())
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder / 'model.json'} can not be read: copy the model anew."
        ) from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ModelError(f"{folder / 'model.json'} does not describe a bitreel model.")
    if manifest.get("format_version") != FORMAT_VERSION:
        raise ModelError(
            f"{folder} was written by bitreel {manifest.get('bitreel')}, in a format that this "
            f"version ({__version__}) does not read: install that version, or train again."
        )
    return manifest


def _digested_options(config: ModelConfig) -> dict[str, Any]:
    """What a code depends on. Defaults are left out, so that an option that a later version adds
    does not change the fingerprints of today's models: a default, once out, stays what it is.
    """
    options = to_json(config, without_defaults=True)
    del options["labels"]  # they name the classifier's outputs, which no code depends on
    return options


def _trains_only(tensor_name: str) -> bool:
    return tensor_name.startswith("hash_head.classifier.")


def _digest(options: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(json.dumps([PREPROCESSING, options], sort_keys=True).encode())
    for part in _tensor_parts(tensors):
        digest.update(part)
    return digest.hexdigest()


def _tensor_parts(tensors: Mapping[str, Tensor]) -> Iterable[bytes]:
    for name in sorted(tensors):
        tensor = tensors[name].cpu().contiguous()
        yield f"{name} {tensor.dtype} {list(tensor.shape)}".encode()
        yield tensor.numpy().tobytes()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
