"""From a model folder to a model, or to a sentence that says what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError

from bitreel.config import from_json
from bitreel.errors import ConfigError, ModelError
from bitreel.model.config import ModelConfig
from bitreel.model.fingerprint import PREPROCESSING
from bitreel.model.folder import read_manifest, read_tensors
from bitreel.model.quantised_tensors import from_tensors
from bitreel.model.streams import first_line

if TYPE_CHECKING:
    from bitreel.model.model import Model

_DAMAGE = (SafetensorError, RuntimeError, OSError, ValueError, TypeError, KeyError, ConfigError)


def load_model(kind: type[Model], folder: Path) -> Model:
    """See `Model.load`."""
    manifest = read_manifest(folder)
    if manifest.get("preprocessing") != PREPROCESSING:
        raise ModelError(
            f"{folder} was made by bitreel {manifest.get('bitreel')}, which prepares frames "
            f"otherwise than this version: its codes would not be the same. Install that "
            f"version, or train again."
        )
    try:
        config = from_json(ModelConfig, manifest["config"], where=f"{folder}/model.json")
        tensors, quantised = from_tensors(read_tensors(folder))
        model = kind(config, training=manifest["training"], quantised=quantised)
        model.network.load_state_dict(tensors)
    except _DAMAGE as error:
        raise ModelError(
            f"The model {folder} is damaged or incomplete ({first_line(error)}): train it "
            f"again or copy it anew."
        ) from error
    if model.fingerprint != manifest.get("fingerprint"):
        raise ModelError(
            f"The model {folder} is damaged: its tensors do not match its fingerprint. Train "
            f"it again or copy it anew."
        )
    return model
