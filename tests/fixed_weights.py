"""Weights of a tiny backbone in a file: features that do not change with the seed, as real ones."""

from __future__ import annotations

from pathlib import Path

import timm
import torch
from safetensors.torch import save_file

from tiny import BACKBONE


def write_weights(folder: Path) -> Path:
    """A file for `--weights`."""
    torch.manual_seed(0)
    path = folder / "weights.safetensors"
    save_file(timm.create_model(BACKBONE).state_dict(), path)
    return path
