"""Every modality with every encoder: it trains, saves, loads, indexes and searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitreel.dataset import Dataset, Example, open_dataset
from bitreel.library import Library
from bitreel.loss import LOSS_NAMES
from bitreel.modality import MODALITIES
from bitreel.model import Model
from bitreel.network.backbone import MIXINGS
from bitreel.network.encoder import Encoder
from bitreel.network.fusion import FUSIONS
from bitreel.training import evaluate, train
from tiny import tiny_options

ENCODERS = [str(Encoder(m, f)) for m in MIXINGS for f in FUSIONS]  # type: ignore[arg-type]
SEVERAL = ["rgb,difference,flow", "difference:length=3,dynamic:window=2"]


@pytest.fixture(scope="module")
def few(actions: Path) -> Dataset:
    """Two classes of four clips, and a query of each."""
    examples = open_dataset(actions).examples
    labels = sorted({example.label for example in examples})[:2]
    kept = [example for example in examples if example.label in labels]
    return Dataset("few", tuple(kept))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def walk_the_road(dataset: Dataset, folder: Path, cache: Path, **options: Any) -> None:
    """Train, save, load, index, search, evaluate: and one code for one clip wherever it is made."""
    config = tiny_options(epochs=1, classes_per_batch=2, clips_per_class=2, **options)
    trained = train(dataset, config, output=folder / "model", cache=cache)
    model = Model.load(folder / "model")
    assert model.fingerprint == trained.fingerprint
    assert (model.config.modality, model.config.encoder) == (config.modality, config.encoder)
    examples: Sequence[Example] = dataset.database
    with Library.create(folder / "library", model) as library:
        assert library.add([example.path for example in examples]).added == len(examples)
        codes = library.codes()[1].packed
        own = [trained.encode(trained.read(example.path)).packed[0] for example in examples]
        np.testing.assert_array_equal(codes, own)
        hits = library.search(examples[0].path, k=3).hits
        assert len(hits) == 3
        assert hits[0].distance_bits == 0
        assert library.search(examples[0].path, k=3, rerank=True).hits[0].distance_bits == 0
    assert 0 <= evaluate(model, dataset, cache=cache).evaluation.values["mAP@10"] <= 1


def _pairs() -> list[Any]:
    """Every modality and every encoder are in the fast lane, and a third of their pairs."""
    return [
        pytest.param(modality, encoder, marks=[pytest.mark.slow] if (row + column) % 3 else [])
        for row, modality in enumerate([*MODALITIES, *SEVERAL])
        for column, encoder in enumerate(ENCODERS)
    ]


@pytest.mark.parametrize(("modality", "encoder"), _pairs())
def test_every_modality_with_every_encoder(
    few: Dataset, tmp_path: Path, cache: Path, modality: str, encoder: str
) -> None:
    walk_the_road(few, tmp_path, cache, modality=modality, encoder=encoder)


@pytest.mark.parametrize(
    ("modality", "encoder"),
    [
        ("rgb", "weighted"),
        ("rgb", "conv3d"),
        ("flow,difference", "temporal"),
        ("flow,difference", "shift"),
        pytest.param("rgb", "temporal", marks=pytest.mark.slow),
        pytest.param("rgb", "shift", marks=pytest.mark.slow),
        pytest.param("flow,difference", "weighted", marks=pytest.mark.slow),
        pytest.param("flow,difference", "conv3d", marks=pytest.mark.slow),
    ],
)
def test_the_whole_network_learns(
    few: Dataset, tmp_path: Path, cache: Path, modality: str, encoder: str
) -> None:
    walk_the_road(few, tmp_path, cache, modality=modality, encoder=encoder, finetune=True)


@pytest.mark.parametrize("loss", LOSS_NAMES)
@pytest.mark.parametrize("terms", [{}, {"quantisation": 0.1, "balance": 0.1}])
def test_every_loss(
    few: Dataset, tmp_path: Path, cache: Path, loss: str, terms: dict[str, float]
) -> None:
    walk_the_road(few, tmp_path, cache, loss=loss, **terms)


@pytest.mark.parametrize("loss", ["ridge", "itq"])
@pytest.mark.parametrize("encoder", ["mean", "segments", "conv3d", "shift+attention"])
def test_what_is_fitted_in_one_go(
    few: Dataset, tmp_path: Path, cache: Path, encoder: str, loss: str
) -> None:
    walk_the_road(few, tmp_path, cache, loss=loss, encoder=encoder, modality="rgb,difference")


@pytest.mark.parametrize(
    "modality",
    [
        "rgb,difference:length=2",
        pytest.param("rgb", marks=pytest.mark.slow),
        pytest.param("flow", marks=pytest.mark.slow),
    ],
)
def test_a_3d_network_of_torchvision(
    few: Dataset, tmp_path: Path, cache: Path, modality: str
) -> None:
    walk_the_road(few, tmp_path, cache, modality=modality, encoder="conv3d", backbone="mc3_18")


def test_several_clips_and_their_mirror(few: Dataset, tmp_path: Path, cache: Path) -> None:
    names = {example.label: f"class {n}" for n, example in enumerate(few.examples)}
    plain = replace(few, examples=tuple(replace(e, label=names[e.label]) for e in few.examples))
    walk_the_road(
        plain,
        tmp_path,
        cache,
        mirror=True,
        modality="flow,rgb",
        encoder="temporal",
        sampling={"frames": 4, "clips": 2, "height": 64, "width": 64},
    )
