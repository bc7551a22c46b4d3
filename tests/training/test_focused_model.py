"""A model that looks at what moves: the whole road, and the same by every runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bitreel.dataset import open_dataset
from bitreel.model import Model
from bitreel.runtime import FEATURE_TOLERANCE
from bitreel.training import evaluate, train
from tiny import tiny_options

MODALITY = "rgb:focus=motion,difference:camera=steady:focus=motion"


@pytest.mark.parametrize("options", [{"loss": "ridge", "encoder": "segments"}, {"epochs": 1}])
def test_it_trains_saves_loads_and_encodes(
    actions: Path, tmp_path: Path, options: dict[str, object]
) -> None:
    config = tiny_options(modality=MODALITY, **options)
    trained = train(actions, config, output=tmp_path / "model", cache=tmp_path / "cache")
    model = Model.load(tmp_path / "model")
    assert model.fingerprint == trained.fingerprint
    dataset = open_dataset(actions)
    clip = model.read(dataset.query[0].path)
    np.testing.assert_array_equal(model.encode(clip).packed, trained.encode(clip).packed)
    assert 0 <= evaluate(model, dataset, cache=tmp_path / "cache").evaluation.values["mAP@10"] <= 1


@pytest.mark.parametrize("runtime", ["openvino", pytest.param("onnx", marks=pytest.mark.slow)])
def test_other_runtimes_give_the_same_features(actions: Path, tmp_path: Path, runtime: str) -> None:
    pytest.importorskip({"openvino": "openvino", "onnx": "onnxruntime"}[runtime])
    model = train(actions, tiny_options(modality=MODALITY, epochs=1), cache=tmp_path)
    clip = model.read(open_dataset(actions).query[0].path)
    expected = model.features(clip)
    for own, other in zip(expected, model.use_runtime(runtime).features(clip), strict=True):
        assert np.linalg.norm(other - own) <= FEATURE_TOLERANCE * np.linalg.norm(own)
