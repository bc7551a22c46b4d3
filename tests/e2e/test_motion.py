"""Motion is seen: looks never shown, and classes that only the order of frames tells apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bitreel.dataset import Dataset, open_dataset
from bitreel.dataset.synthetic import EASY, make_actions
from bitreel.dataset.synthetic.motions import REVERSAL_OF
from bitreel.model import Model
from bitreel.training import evaluate, train
from bitreel.training.presets import make_config

CHANCE = 1 / 12
MOTION = make_config(
    "seed",
    options={
        "backbone": "small3d",
        "weights": "none",
        "modality": "difference",
        "encoder": "conv3d",
        "finetune": True,
        "loss": "ortho",
        "learning_rate": 3e-3,
        "backbone_learning_rate": 3e-3,
        "epochs": 16,
        "refit": False,
        "sampling": {
            "frames": 16,
            "height": 48,
            "width": 64,
            "clips": 2,
            "spacing_seconds": 0.16,
        },
    },
)
FRAME_AVERAGE = make_config(
    "seed",
    options={
        "encoder": "mean",
        "loss": "ortho",
        "epochs": 30,
        "sampling": {"frames": 8, "height": 48, "width": 64},
    },
)


@pytest.fixture(scope="module")
def motions(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """720 clips to train on, 240 queries of other looks."""
    return open_dataset(
        make_actions(
            tmp_path_factory.mktemp("motions") / "clips",
            task="motion",
            clips_per_class=80,
            query_fraction=0.25,
            difficulty=EASY,
        )
    )


def nearest(model: Model, dataset: Dataset, cache: Path) -> float:
    """How often the nearest code of the database has the query's label, expected over ties."""
    return evaluate(model, dataset, at=(1,), cache=cache).evaluation.values["mAP@1"]


def pairs(dataset: Dataset) -> Iterator[Dataset]:
    """The clips of a motion and of its reversal, by themselves."""
    for pair in REVERSAL_OF.items():
        kept = tuple(example for example in dataset.examples if example.label in pair)
        yield replace(dataset, examples=kept)


@pytest.mark.slow
def test_a_3d_network_on_differences_sees_motion(motions: Dataset, tmp_path: Path) -> None:
    model = train(motions, MOTION, cache=tmp_path)
    assert nearest(model, motions, tmp_path) >= 0.85
    assert all(nearest(model, pair, tmp_path) >= 0.75 for pair in pairs(motions))


@pytest.mark.slow
def test_an_average_of_frames_can_not_tell_a_motion_from_its_reversal(
    motions: Dataset, tmp_path: Path
) -> None:
    """By construction. And that a sprite has been in many places or in few, which is seen without
    order, says little about its motion."""
    model = train(motions, FRAME_AVERAGE, cache=tmp_path)
    told_apart = [nearest(model, pair, tmp_path) for pair in pairs(motions)]
    assert sum(told_apart) / len(told_apart) <= 0.5 + 0.03
    assert nearest(model, motions, tmp_path) <= CHANCE + 0.03
