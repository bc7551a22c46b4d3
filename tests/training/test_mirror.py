"""Mirrored clips: where they may be shown, and that they are those of the mirrored video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bitreel.clip import Clip
from bitreel.dataset import Dataset, Example, open_dataset
from bitreel.errors import ConfigError
from bitreel.model import Model
from bitreel.training import labelled_features, train
from bitreel.training.mirror import check_mirror
from tiny import tiny_model, tiny_options


@pytest.mark.parametrize(
    "labels",
    [
        ("left", "right"),
        ("Turn-Left", "turn-right", "wave"),
        ("rot_cw", "rot_ccw"),
        ("spin counterclockwise", "spin clockwise"),
        ("rotate clockwise", "rotate anti-clockwise"),
        ("turnLeft", "turnRight"),
        ("leftward", "rightward"),
    ],
)
def test_classes_that_are_each_others_mirror_image_refuse_it(labels: Sequence[str]) -> None:
    with pytest.raises(ConfigError, match="which is another class: train without mirror"):
        check_mirror(labels)


@pytest.mark.parametrize("labels", [("run", "jump"), ("left", "up"), ("bright", "bleft"), ()])
def test_others_do_not(labels: Sequence[str]) -> None:
    check_mirror(labels)


@pytest.fixture(scope="module")
def dataset(actions: Path) -> Dataset:
    return open_dataset(actions)


def test_a_run_that_would_mirror_a_direction_ends_before_it_decodes(
    dataset: Dataset, tmp_path: Path
) -> None:
    twins = {dataset.labels[0]: "left", dataset.labels[1]: "right"}
    renamed = (replace(e, label=twins.get(e.label, e.label)) for e in dataset.examples)
    directions = replace(dataset, examples=tuple(renamed))
    with pytest.raises(ConfigError, match="train without mirror"):
        train(directions, tiny_options(mirror=True), cache=tmp_path)
    assert not list(tmp_path.iterdir())


def mirrored(clip: Clip) -> Clip:
    return replace(clip, frames=np.ascontiguousarray(clip.frames[:, :, ::-1]))


@pytest.mark.parametrize("modality", ["rgb", "difference:length=2", "dynamic"])
def test_the_mirrored_features_are_those_of_the_mirrored_video(
    dataset: Dataset, modality: str, tmp_path: Path
) -> None:
    model: Model = tiny_model(modality=modality)
    examples: Sequence[Example] = dataset.examples[:3]
    data = labelled_features(model, examples, cache=tmp_path, mirrored=True)
    again = labelled_features(model, examples, cache=tmp_path, mirrored=True)
    assert data.mirrored is not None
    assert again.mirrored is not None
    np.testing.assert_array_equal(again.mirrored[0], data.mirrored[0])
    for row, example in enumerate(examples):
        clip = mirrored(model.read(example.path))
        np.testing.assert_allclose(
            data.mirrored[0][row], model.features(clip)[0], rtol=1e-3, atol=1e-6
        )
        assert not np.array_equal(data.mirrored[0][row], data.streams[0][row])
