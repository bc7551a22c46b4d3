"""A model and training options small enough for tests: the real road in seconds."""

from __future__ import annotations

from typing import Any

import torch

from bitreel.model import Model, ModelConfig, Sampling
from bitreel.training import TrainConfig
from bitreel.training.presets import make_config

BACKBONE = "mobilenetv3_small_050"
SAMPLING = Sampling(frames=4, height=64, width=64)


def tiny_model(*, bits: int = 20, seed: int = 0, modality: str = "rgb") -> Model:
    """An untrained model: its codes mean nothing, but each clip has its own."""
    torch.manual_seed(seed)
    config = ModelConfig(
        labels=("jump", "run"),
        bits=bits,
        backbone=BACKBONE,
        modality=modality,
        sampling=SAMPLING,
    )
    return Model(config)


def tiny_options(**changes: Any) -> TrainConfig:
    """Options of a run of the preset `seed` that takes a second or two once features are cached."""
    options = {
        "bits": 16,
        "backbone": BACKBONE,
        "weights": "none",
        "sampling": {"frames": 4, "height": 64, "width": 64},
        "epochs": 4,
    }
    return make_config("seed", options=options | changes)
