"""The closed form against the least of what it minimises, and what it does to a hash layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitreel.dataset import Dataset, open_dataset
from bitreel.errors import ConfigError, DataError
from bitreel.training import train
from bitreel.training.ridge import fit_ridge
from tiny import tiny_options


def made(count: int, width: int, bits: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    features = (random.standard_normal((count, width)) * 3 + 5).astype(np.float32)
    return features, random.choice([-1.0, 1.0], (count, bits)).astype(np.float32)


@pytest.mark.parametrize(("count", "width"), [(7, 30), (30, 7), (12, 12), (1, 4)])
def test_it_is_the_least_squares_of_the_stacked_problem(count: int, width: int) -> None:
    """Ridge as plain least squares: sqrt(λ) I under the inputs, 0 under the targets."""
    features, targets = made(count, width, 3)
    got = fit_ridge(features, targets, ridge=0.1)
    mean, level = features.mean(0, dtype=np.float64), targets.mean(0, dtype=np.float64)
    inputs, aims = features - mean, targets - level
    penalty = 0.1 * (inputs**2).sum(1).mean()
    stacked = np.concatenate([inputs, np.sqrt(penalty) * np.eye(width)])
    expected = np.linalg.lstsq(stacked, np.concatenate([aims, np.zeros((width, 3))]), rcond=None)[0]
    np.testing.assert_allclose(got.weights, expected.T, atol=1e-5)
    np.testing.assert_allclose(got.bias, level - expected.T @ mean, atol=1e-4)


@given(scale=st.floats(0.01, 100), shift=st.floats(-50, 50))
def test_scale_and_place_of_the_features_change_no_answer(scale: float, shift: float) -> None:
    features, targets = made(9, 14, 4)
    moved = (features * scale + shift).astype(np.float32)
    one, other = (fit_ridge(f, targets, ridge=0.03) for f in (features, moved))
    answers = features @ one.weights.T + one.bias
    np.testing.assert_allclose(moved @ other.weights.T + other.bias, answers, atol=2e-2)


def test_a_small_ridge_gives_every_clip_the_code_of_its_class() -> None:
    features, targets = made(20, 60, 16)
    fitted = fit_ridge(features, targets, ridge=1e-6)
    np.testing.assert_array_equal(np.sign(features @ fitted.weights.T + fitted.bias), targets)


def test_clips_that_are_all_alike_give_the_commoner_bit() -> None:
    targets = np.array([[1, -1], [1, 1], [1, -1]], np.float32)
    fitted = fit_ridge(np.full((3, 5), 2, np.float32), targets, ridge=0.1)
    assert not fitted.weights.any()
    np.testing.assert_array_equal(np.sign(fitted.bias), [1, -1])


def test_what_makes_no_sense_is_refused() -> None:
    features, targets = made(5, 4, 2)
    with pytest.raises(ConfigError, match="above 0"):
        fit_ridge(features, targets, ridge=0.0)
    with pytest.raises(DataError, match=r"features \[N,D\]"):
        fit_ridge(features[:3], targets, ridge=0.1)
    with pytest.raises(DataError, match="finite"):
        fit_ridge(features * np.float32(np.nan), targets, ridge=0.1)


@pytest.fixture(scope="module")
def dataset(actions: Path) -> Dataset:
    return open_dataset(actions)


def test_it_has_no_seed_but_that_of_the_split(dataset: Dataset, tmp_path: Path) -> None:
    options = {"loss": "ridge", "encoder": "segments", "backbone": "resnet10t"}
    weights = {"weights": str(random_weights(tmp_path))}
    models = [
        train(dataset, tiny_options(**options, **weights, seed=seed), cache=tmp_path / "cache")
        for seed in (0, 1)
    ]
    heads = [model.network.head.hash_head.hash_layer.weight for model in models]
    assert (heads[0] == heads[1]).all()
    for model in models:
        assert 0 < model.training["validation"]["mAP@10"] <= 1
        assert model.training["validation_clips"] > 0


def random_weights(folder: Path) -> Path:
    import torch
    from safetensors.torch import save_file

    from bitreel.network import Backbone

    torch.manual_seed(0)
    save_file(Backbone("resnet10t").cnn.state_dict(), folder / "weights.safetensors")
    return folder / "weights.safetensors"


@pytest.mark.parametrize(
    "options",
    [
        {"loss": "ridge", "finetune": True},
        {"loss": "ridge", "encoder": "temporal"},
        {"loss": "itq", "encoder": "temporal"},
        {"loss": "ridge", "ridge": 0.0},
    ],
)
def test_options_that_do_not_go_with_it_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        tiny_options(**options)
