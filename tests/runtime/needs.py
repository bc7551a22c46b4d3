"""What the tests of runtimes share: who can be tested here, clips without files, a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bitreel.clip import Clip, Segment
from bitreel.model import Model, ModelConfig, Sampling
from bitreel.runtime import is_installed
from tiny import BACKBONE

NEEDED = {
    "torch": ("torch",),
    "openvino": ("openvino",),
    "onnx": ("onnxruntime", "onnx", "onnxscript"),
    "int8": ("openvino", "nncf"),
}


def needs(what: str) -> pytest.MarkDecorator:
    """Skip, with the reason, where a runtime is not installed."""
    reason = f"{' and '.join(NEEDED[what])} not installed: pip install 'bitreel[runtime]'"
    return pytest.mark.skipif(not is_installed(*NEEDED[what]), reason=reason)


def make_model(
    *, encoder: str = "weighted", modality: str = "rgb", backbone: str = BACKBONE, frames: int = 4
) -> Model:
    """An untrained model, standardised on noise so that unlike clips have unlike codes."""
    torch.manual_seed(0)
    model = Model(
        ModelConfig(
            labels=("jump", "run"),
            bits=64,
            backbone=backbone,
            modality=modality,
            encoder=encoder,
            sampling=Sampling(frames=frames, height=64, width=64),
        )
    )
    parts = [model.features(make_clip(seed, positions=frames)) for seed in range(100, 108)]
    model.standardise([np.stack(stream) for stream in zip(*parts, strict=True)])
    return model


def make_clip(seed: int, *, positions: int = 4) -> Clip:
    """Coarse noise that drifts: snippets of two frames at each position."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (8, 8, 3)).astype(np.uint8)
    picture = coarse.repeat(8, axis=0).repeat(8, axis=1)
    count = 2 * positions
    frames = np.stack([np.roll(picture, k, axis=1) for k in range(count)])
    segment = Segment(Path(f"noise{seed}.mp4"), 0.0, float(count))
    snippets = np.arange(count).reshape(positions, 2)
    return Clip(frames, np.arange(float(count)), segment, snippets=snippets)
