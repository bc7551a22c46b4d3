"""A segment seen as several clips: one code, from the mean of their relaxed bits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bitreel.dataset import Dataset, open_dataset
from bitreel.model import Model, Sampling
from bitreel.training import labelled_features, train
from tiny import tiny_model, tiny_options

SAMPLING = Sampling(frames=4, clips=3, height=64, width=64)


@pytest.fixture(scope="module")
def dataset(actions: Path) -> Dataset:
    return open_dataset(actions)


@pytest.fixture(scope="module")
def model() -> Model:
    once = tiny_model(modality="difference")
    several = Model(replace(once.config, sampling=SAMPLING))
    several.network.load_state_dict(once.network.state_dict())
    return several


def test_the_relaxed_bits_are_the_mean_over_interleaved_clips(
    model: Model, dataset: Dataset
) -> None:
    once = Model(replace(model.config, sampling=replace(SAMPLING, clips=1)))
    once.network.load_state_dict(model.network.state_dict())
    clip = model.read(dataset.examples[0].path)
    assert clip.positions == 12
    parts = [clip.every(3, view) for view in range(3)]
    assert [list(part.snippets[:, 0]) for part in parts] == [
        list(clip.snippets[view::3, 0]) for view in range(3)
    ]
    alone = [once.relaxed_bits([f[None] for f in once.features(part)])[0] for part in parts]
    together = model.relaxed_bits([f[None] for f in model.features(clip)])[0]
    np.testing.assert_allclose(together, np.mean(alone, axis=0), atol=1e-6)


def test_the_cache_keeps_the_clips_apart(model: Model, dataset: Dataset, tmp_path: Path) -> None:
    first = labelled_features(model, dataset.examples[:2], cache=tmp_path)
    second = labelled_features(model, dataset.examples[:2], cache=tmp_path)
    assert first.streams[0].shape[:3] == (2, 3, 4)
    np.testing.assert_array_equal(first.streams[0], second.streams[0])
    assert not np.allclose(first.streams[0][:, 0], first.streams[0][:, 1])


@pytest.mark.parametrize("finetune", [False, True])
def test_it_trains_saves_and_loads(dataset: Dataset, tmp_path: Path, finetune: bool) -> None:
    few = replace(dataset, examples=dataset.examples[:24])
    options = tiny_options(
        epochs=1, classes_per_batch=2, clips_per_class=2, finetune=finetune, sampling=SAMPLING
    )
    trained = train(few, options, output=tmp_path / "model", cache=tmp_path / "cache")
    loaded = Model.load(tmp_path / "model")
    clip = loaded.read(dataset.examples[0].path)
    np.testing.assert_array_equal(loaded.encode(clip).packed, trained.encode(clip).packed)
