"""sha256 over everything that changes a code, so that codes of two models never meet."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from bitreel.config import to_json
from bitreel.errors import ModelError
from bitreel.modality import Modality
from bitreel.model.config import ModelConfig

# What else a feature depends on: raised when decoding, scaling or the arithmetic change.
PREPROCESSING = "frames by AREA scaling to RGB, float32, 2"


def code_fingerprint(config: ModelConfig, tensors: Mapping[str, Tensor]) -> str:
    """Over what changes a code: weights, sampling, modality, bits, preprocessing."""
    options = _digested_options(config) | _files_of(config.modalities)
    return _digest(options, {k: v for k, v in tensors.items() if not _trains_only(k)})


def features_fingerprint(
    config: ModelConfig, modality: Modality, backbone: Mapping[str, Tensor]
) -> str:
    """Over what changes the features of one stream, the cached half of the road."""
    options = _digested_options(config)
    for name in ("bits", "encoder"):
        options.pop(name, None)
    options |= {"modality": str(modality)} | _files_of([modality])
    if 1 < modality.snippet < config.snippet:
        # In a video too short for the longer snippet, the shorter one is cut from other frames.
        options["snippet"] = config.snippet
    options["mixing"] = config.encoder_parts.mixing  # fusion comes after the features
    return _digest(options, backbone)


def _digested_options(config: ModelConfig) -> dict[str, Any]:
    """What a code depends on. Defaults are left out, so that an option that a later version adds
    does not change the fingerprints of today's models: a default, once out, stays what it is.
    """
    options = to_json(config, without_defaults=True)
    del options["labels"]  # they name the classifier's outputs, which no code depends on
    return options


def _files_of(modalities: Iterable[Modality]) -> dict[str, Any]:
    """What stands in the files that modalities read, where there are any.

    Raises ModelError for one that is not there.
    """
    paths = [Path(modality.weights) for modality in modalities if modality.weights]
    try:
        contents = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    except OSError as error:
        raise ModelError(
            f"The modality's weights {error.filename} can not be read ({error.strerror}): put the "
            f"file back in its place."
        ) from error
    return {"modality_files": contents} if contents else {}


def _trains_only(tensor_name: str) -> bool:
    return tensor_name.startswith("head.hash_head.classifier.")


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
