"""A model on disk: one folder, safetensors and JSON.

MODEL/
  model.json          format, config, fingerprint, how it was trained
  model.safetensors   every tensor of the network
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from bitreel.errors import ModelError
from bitreel.version import __version__

FORMAT = "bitreel model"
FORMAT_VERSION = 2
MANIFEST, TENSORS = "model.json", "model.safetensors"


def is_model(folder: Path) -> bool:
    """Whether a folder holds a model, of whatever version."""
    return (folder / MANIFEST).is_file()


def read_manifest(folder: Path) -> dict[str, Any]:
    """What stands in model.json. Raises ModelError for none, or one of another format."""
    if not is_model(folder):
        raise ModelError(
            f"No model at {folder}: make one with `bitreel train DATA --output {folder}`."
        )
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder / MANIFEST} can not be read: copy the model anew.") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ModelError(f"{folder / MANIFEST} does not describe a bitreel model.")
    if manifest.get("format_version") != FORMAT_VERSION:
        raise ModelError(
            f"{folder} was written by bitreel {manifest.get('bitreel')}, in a format that this "
            f"version ({__version__}) does not read: install that version, or train again."
        )
    return manifest


def read_tensors(folder: Path) -> dict[str, Tensor]:
    """Every tensor of the network. Raises OSError or SafetensorError."""
    return load_file(folder / TENSORS)


def write_folder(folder: Path, facts: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Write a model folder in place of one that stands there, by renaming: never half a model.

    Raises ModelError where it can not be written, or where the folder holds something else.
    """
    if folder.exists() and not is_model(folder):
        raise ModelError(f"{folder} exists and is no bitreel model: name another output.")
    manifest = {"format": FORMAT, "format_version": FORMAT_VERSION, "bitreel": __version__} | facts
    aside, old = (folder.with_name(folder.name + end) for end in (".writing", ".old"))
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        save_file({k: v.cpu().contiguous() for k, v in tensors.items()}, aside / TENSORS)
        (aside / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
            folder.rename(old)
        aside.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except (OSError, SafetensorError) as error:  # the second is what a full disk gives
        raise ModelError(f"The model can not be written to {folder}: {error}") from error
