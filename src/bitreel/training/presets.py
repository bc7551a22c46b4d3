"""Where the options of a run come from: a preset, a file, the caller; the later ones win."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bitreel.config import from_json
from bitreel.errors import ConfigError
from bitreel.training.config import TrainConfig

# What differs from the defaults of TrainConfig, which are the best that was found. `seed` is the
# method of Dong & Li (2017).
PRESETS: dict[str, dict[str, Any]] = {
    "best": {},
    "seed": {"modality": "rgb", "encoder": "weighted", "loss": "two-term"},
}


def make_config(
    preset: str = "best", file: Path | None = None, options: dict[str, Any] | None = None
) -> TrainConfig:
    """The options of `preset`, over them those of a JSON file, over them those given.

    Raises ConfigError for a preset, a file or an option that is not known.
    """
    if preset not in PRESETS:
        raise ConfigError(f"Unknown preset {preset!r}: choose from {', '.join(PRESETS)}.")
    values = _merged(PRESETS[preset], _read(file) if file else {})
    return from_json(TrainConfig, _merged(values, options or {}), where=str(file or "train"))


def write_config(path: Path, config: dict[str, Any]) -> None:
    """A file that `make_config` reads. Raises ConfigError where it can not be written."""
    try:
        path.write_text(json.dumps(config, indent=2) + "\n")
    except OSError as error:
        raise ConfigError(f"The options can not be written to {path}: {error.strerror}.") from error


def _read(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{file} can not be read as options ({error}): expected a JSON object such as "
            f'{{"bits": 128, "loss": "ortho"}}.'
        ) from error
    if not isinstance(values, dict):
        raise ConfigError(f"{file} holds no options: expected a JSON object of them.")
    return values


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """One level deep: `sampling` is an object of its own."""
    parts = [values["sampling"] for values in (below, above) if "sampling" in values]
    if len(parts) == 2 and all(isinstance(part, dict) for part in parts):
        return {**below, **above, "sampling": {**parts[0], **parts[1]}}
    return {**below, **above}
