"""A set of options tried: the same as `train` without its refit, and features read once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitreel.dataset import Dataset, open_dataset
from bitreel.progress import Step
from bitreel.training import TrainConfig, train
from bitreel.training.fitted import fit_head
from bitreel.training.trial import Scores, Validator
from fixed_weights import write_weights
from tiny import tiny_options


@pytest.fixture(scope="module")
def dataset(actions: Path) -> Dataset:
    return open_dataset(actions)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def validator(dataset: Dataset, cache: Path) -> Validator:
    return Validator(dataset, cache=cache)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"seed": 3, "encoder": "temporal", "loss": "ortho"},
        {"alpha": 0.0, "triplets": "random", "bits": 20},
        {"mirror": True},
    ],
)
def test_the_score_is_that_of_train(
    validator: Validator, dataset: Dataset, cache: Path, changes: dict[str, Any]
) -> None:
    config = tiny_options(refit=False, **changes)
    model = train(dataset, config, cache=cache)
    assert validator(config).mean == model.training["validation"]["mAP@10"]


def test_each_query_has_its_name_its_group_and_a_score(
    validator: Validator, dataset: Dataset
) -> None:
    scores = validator(tiny_options(refit=False))
    known = {f"{e.label}/{e.path.name}": e.group for e in dataset.database}
    assert len(scores.queries) == len(set(scores.queries)) == len(scores.per_query) > 0
    assert [known[name] for name in scores.queries] == list(scores.groups)
    assert ((scores.per_query >= 0) & (scores.per_query <= 1)).all()


def test_another_seed_holds_out_other_groups(validator: Validator) -> None:
    first, second = (validator(tiny_options(refit=False, seed=seed)) for seed in (0, 1))
    assert first.queries != second.queries


def test_features_are_read_once_for_all_that_share_them(dataset: Dataset, cache: Path) -> None:
    validator = Validator(dataset, cache=cache)
    pretrained = {"weights": str(write_weights(cache))}
    first = validator.features(tiny_options(**pretrained))
    changed = tiny_options(**pretrained, encoder="attention", bits=24, loss="ortho", seed=1)
    assert validator.features(changed) is first
    for changes in ({"mirror": True}, {"encoder": "shift"}):
        assert validator.features(tiny_options(**pretrained, **changes)) is not first


def test_a_backbone_that_starts_at_random_gives_each_seed_its_own_features(
    validator: Validator,
) -> None:
    first, second = (validator.features(tiny_options(seed=seed)).streams[0] for seed in (0, 1))
    assert (first != second).any()


def test_the_progress_is_that_of_features_alone(dataset: Dataset, tmp_path: Path) -> None:
    steps: list[Step] = []
    Validator(dataset, cache=tmp_path, progress=steps.append)(tiny_options(epochs=1))
    assert {step.stage for step in steps} == {"features"}


@pytest.mark.parametrize("loss", ["itq", "ridge"])
def test_what_is_fitted_learns_nothing_from_the_queries(
    validator: Validator, monkeypatch: pytest.MonkeyPatch, loss: str
) -> None:
    seen: list[int] = []

    def spy(model: Any, features: Any, rows: Any, config: Any) -> None:
        seen.append(len(rows))
        fit_head(model, features, rows, config)

    monkeypatch.setattr("bitreel.training.trial.fit_head", spy)
    config: TrainConfig = tiny_options(loss=loss, encoder="mean")
    scores = validator(config)
    total = len(validator.features(config).examples)
    assert seen == [total - len(scores.queries)]


def test_scores_survive_json() -> None:
    scores = Scores(np.array([0.1, 1 / 3]), ("a/1.mp4", "b/2.mp4"), ("g1", "g2"))
    again = Scores.from_json(scores.to_json())
    assert again.per_query.tolist() == scores.per_query.tolist()
    assert (again.queries, again.groups, again.mean) == (
        scores.queries,
        scores.groups,
        scores.mean,
    )
