"""The table: every combination, kept row by row, with intervals over its own queries."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitreel.dataset import open_dataset
from bitreel.errors import ConfigError, WeightsError
from bitreel.evaluation.bootstrap import bootstrap_mean
from bitreel.training import TrainConfig, evaluate, train
from bitreel.training.ablate import ablate
from bitreel.training.ablation import Ablation, Combination, combinations
from bitreel.training.trial import Validator
from fixed_weights import write_weights
from tiny import tiny_options

RGB = ("rgb", "weighted", "two-term", 16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ablate")
    write_weights(folder)
    return folder


@pytest.fixture(scope="module")
def base(folder: Path) -> TrainConfig:
    return tiny_options(weights=str(folder / "weights.safetensors"), epochs=2)


def run(
    actions: Path, folder: Path, base: TrainConfig, *words: tuple[Any, ...], **options: Any
) -> Ablation:
    asked = [Combination(*word) for word in words]
    output, cache = folder / "table", folder / "cache"
    return ablate(actions, base, asked, output=output, cache=cache, **{"seeds": 2} | options)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[TrainConfig]:
    """Every training that is really done."""
    calls: list[TrainConfig] = []
    once = Validator.__call__

    def count(self: Validator, config: TrainConfig) -> Any:
        calls.append(config)
        return once(self, config)

    monkeypatch.setattr(Validator, "__call__", count)
    return calls


def test_all_combinations_each_once() -> None:
    found = combinations(["rgb", "flow"], ["mean"], ["two-term", "ortho", "ortho"], [64, 128])
    assert [(c.modality, c.loss, c.bits) for c in found] == [
        (modality, loss, bits)
        for modality in ("rgb", "flow")
        for loss in ("two-term", "ortho")
        for bits in (64, 128)
    ]
    assert found[0].method == "rgb · mean · two-term"


def test_a_row_is_its_trainings(actions: Path, folder: Path, base: TrainConfig) -> None:
    """Against the same by hand: train each seed, pool the queries, draw groups."""
    other = ("rgb", "mean", "ortho", 16)
    first, second = run(actions, folder, base, RGB, other).rows
    validator = Validator(open_dataset(actions), cache=folder / "cache")
    seeds = [replace(base, refit=False, seed=seed) for seed in (0, 1)]
    mine = [validator(config) for config in seeds]
    theirs = [validator(replace(c, encoder="mean", loss="ortho")) for c in seeds]
    assert first.scores == tuple(scores.mean for scores in mine)
    pooled, other_pooled = (np.concatenate([s.per_query for s in p]) for p in (mine, theirs))
    groups = [group for scores in mine for group in scores.groups]
    assert first.mean == pytest.approx(pooled.mean())
    assert first.interval == bootstrap_mean(pooled, groups)
    assert (first.queries, first.groups) == (len(pooled), len(set(groups)))
    assert first.difference is None
    assert second.difference == pytest.approx(other_pooled.mean() - pooled.mean())
    assert second.difference_interval == bootstrap_mean(other_pooled - pooled, groups)
    assert second.deviation == pytest.approx(np.std([s.mean for s in theirs], ddof=1))


def test_a_row_that_is_added_costs_itself_alone(
    actions: Path, folder: Path, base: TrainConfig, counted: list[TrainConfig]
) -> None:
    first = run(actions, folder, base, RGB)
    counted.clear()
    again = run(actions, folder, base, RGB, ("rgb", "attention", "two-term", 16))
    assert [(config.encoder, config.seed) for config in counted] == [
        ("attention", 0),
        ("attention", 1),
    ]
    assert again.rows[0] == first.rows[0]
    counted.clear()
    more = run(actions, folder, base, RGB, seeds=3)
    assert [config.seed for config in counted] == [2]
    assert more.rows[0].scores[:2] == first.rows[0].scores


def test_a_killed_run_goes_on(
    actions: Path, folder: Path, base: TrainConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    words = [("rgb", encoder, "ortho", 24) for encoder in ("mean", "weighted")]
    whole = run(actions, folder, base, *words)
    once = Validator.__call__
    done: list[TrainConfig] = []

    def stop(self: Validator, config: TrainConfig) -> Any:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(config)
        return once(self, config)

    asked = [Combination(*word) for word in words]
    places: dict[str, Any] = {"output": tmp_path, "cache": folder / "cache", "seeds": 2}
    monkeypatch.setattr(Validator, "__call__", stop)
    with pytest.raises(KeyboardInterrupt):
        ablate(actions, base, asked, **places)
    done.pop()
    assert ablate(actions, base, asked, **places) == whole
    assert len(list((tmp_path / "results").iterdir())) == 4


def test_features_are_shared_by_neighbours_in_the_work_and_rows_keep_their_order(
    actions: Path, folder: Path, base: TrainConfig, counted: list[TrainConfig]
) -> None:
    words = [(m, "mean", "central", bits) for bits in (16, 32) for m in ("rgb", "difference")]
    found = run(actions, folder, replace(base, epochs=1), *words)
    assert [config.modality for config in counted] == ["rgb"] * 4 + ["difference"] * 4
    assert [(row.combination.modality, row.combination.bits) for row in found.rows] == [
        (word[0], word[3]) for word in words
    ]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("rgb", "temporal", "itq", 16), "itq trains nothing below"),
        (("sound", "mean", "ortho", 16), "sound"),
        (("rgb", "mean", "ortho", 0), "1 to 4096 bits, got 0"),
    ],
)
def test_what_can_not_be_trained_is_a_row_with_the_reason(
    actions: Path, folder: Path, base: TrainConfig, words: tuple[Any, ...], reason: str
) -> None:
    failed, trained = run(actions, folder, base, words, RGB).rows
    assert failed.reason
    assert reason in failed.reason
    assert (failed.mean, failed.scores, failed.interval) == (None, (), None)
    assert trained.mean is not None
    assert trained.difference is None  # the first that has scores is the one to compare with


@pytest.mark.parametrize("error", [WeightsError("no weights here"), RuntimeError("out of memory")])
def test_a_training_that_fails_is_told_once_and_tried_again_next_time(
    actions: Path,
    folder: Path,
    base: TrainConfig,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    tmp_path: Path,
) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "table", ignore_errors=True)
    folder = tmp_path
    calls: list[int] = []

    def fail(self: Validator, config: TrainConfig) -> Any:
        calls.append(config.seed)
        raise error

    word = ("rgb", "mean", "central", 20)
    with monkeypatch.context() as patch:
        patch.setattr(Validator, "__call__", fail)
        (row,) = run(actions, folder, base, word, seeds=1).rows
        assert row.reason == str(error)
        calls.clear()
        run(actions, folder, base, word)
        assert calls == [0]  # the second seed would fail as well
    assert run(actions, folder, base, word, seeds=1).rows[0].reason is None


def test_official_queries_are_those_of_train_and_evaluate(
    actions: Path, folder: Path, base: TrainConfig
) -> None:
    (row,) = run(actions, folder, base, RGB, on="query", seeds=1).rows
    cache = folder / "cache"
    done = evaluate(train(actions, base, cache=cache), open_dataset(actions), cache=cache)
    assert row.scores == (done.evaluation.values["mAP@10"],)
    assert row.queries == done.evaluation.queries
    validated = run(actions, folder, base, RGB, seeds=1).rows[0]
    assert validated.queries != row.queries


def test_nothing_to_do_is_an_error(actions: Path, folder: Path, base: TrainConfig) -> None:
    with pytest.raises(ConfigError, match="one combination or more, and one seed or more"):
        run(actions, folder, base)


@pytest.mark.parametrize(
    "words",
    [
        (["rgb,"], ["mean"], ["ridge"]),
        (["rgb"], ["lstm"], ["ridge"]),
        (["rgb"], ["mean"], ["foo"]),
    ],
)
def test_a_word_that_is_none_is_refused_before_anything_runs(
    words: tuple[list[str], list[str], list[str]],
) -> None:
    with pytest.raises(ConfigError, match="Unknown"):
        combinations(*words, [64])
