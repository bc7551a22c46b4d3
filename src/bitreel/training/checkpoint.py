"""Where a training run stands, written after every epoch: safetensors and JSON, one replaced whole.

OUTPUT.partial/
  PHASE.safetensors   network, best network so far, optimiser moments; the rest as JSON in its
                      metadata, so that one rename replaces both at once
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.optim import Optimizer

from bitreel.errors import ModelError

Tensors = dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """State after `facts["epoch"]` epochs. facts: plain JSON values."""

    network: Tensors
    best: Tensors
    optimiser: Tensors
    facts: dict[str, Any]


def folder_of(output: Path) -> Path:
    """Where the checkpoint of a model stands while it is trained."""
    return output.with_name(output.name + ".partial")


def check_output(output: Path) -> None:
    """Raises ModelError where something stands already, or where nothing can be written."""
    if output.exists():
        raise ModelError(
            f"{output} is there already: delete it to train anew, or name another output."
        )
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=output.parent):  # with a name of its own for each process
            pass
    except OSError as error:
        raise ModelError(f"No model can be written to {output}: {error}") from error


def save(output: Path, phase: str, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint by this one in one rename. Raises ModelError where it can not."""
    folder = folder_of(output)
    parts = {
        "network": checkpoint.network,
        "best": checkpoint.best,
        "optimiser": checkpoint.optimiser,
    }
    flat = {
        f"{part}/{name}": tensor.detach().cpu().clone()
        for part, tensors in parts.items()
        for name, tensor in tensors.items()
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        aside = folder / f"{phase}.writing"
        save_file(flat, aside, metadata={"facts": json.dumps(checkpoint.facts)})
        os.replace(aside, _path(output, phase))
    except (OSError, SafetensorError) as error:
        raise ModelError(f"The checkpoint {folder} can not be written: {error}") from error


def load(output: Path, phase: str) -> Checkpoint | None:
    """The checkpoint of an interrupted phase, or None. Raises ModelError for a damaged one."""
    path = _path(output, phase)
    if not path.is_file():
        return None
    parts: dict[str, Tensors] = {"network": {}, "best": {}, "optimiser": {}}
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads(file.metadata()["facts"])
            for name in file.keys():  # noqa: SIM118 (not a dict)
                part, _, inner = name.partition("/")
                parts[part][inner] = file.get_tensor(name)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"The checkpoint {path} is damaged: delete {path.parent} and train from the start."
        ) from error
    return Checkpoint(**parts, facts=facts)


def remove(output: Path) -> None:
    """Delete the checkpoint, once the model stands."""
    shutil.rmtree(folder_of(output), ignore_errors=True)


def _path(output: Path, phase: str) -> Path:
    return folder_of(output) / f"{phase}.safetensors"


def optimiser_tensors(optimiser: Optimizer) -> Tensors:
    """The moments of every parameter, by `number/name`."""
    state = optimiser.state_dict()["state"]
    return {f"{i}/{name}": value for i, values in state.items() for name, value in values.items()}


def restore_optimiser(optimiser: Optimizer, tensors: Tensors) -> None:
    """Put the moments back. The options come from the config, which has to be the same."""
    state: dict[int, Tensors] = {}
    for key, value in tensors.items():
        number, _, name = key.partition("/")
        state.setdefault(int(number), {})[name] = value
    optimiser.load_state_dict(
        {"state": state, "param_groups": optimiser.state_dict()["param_groups"]}
    )
