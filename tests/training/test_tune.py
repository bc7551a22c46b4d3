"""The search as a whole: points, fresh seeds, the choice; and what a second run costs."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bitreel.errors import ConfigError
from bitreel.evaluation.bootstrap import Interval
from bitreel.evaluation.paired import Difference
from bitreel.training import TrainConfig, train
from bitreel.training.presets import make_config, write_config
from bitreel.training.search_space import SearchSpace
from bitreel.training.trial import Validator
from bitreel.training.tune import CURVE, tune
from bitreel.training.tuning import (
    FRESH_SEEDS_FROM,
    TuneOptions,
    Tuning,
    options_file,
    rank_finalists,
)
from fixed_weights import write_weights
from tiny import tiny_options

OPTIONS = TuneOptions(trials=6, seeds=2, final_seeds=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tune")
    write_weights(folder)
    return folder


@pytest.fixture(scope="module")
def base(folder: Path) -> TrainConfig:
    return tiny_options(weights=str(folder / "weights.safetensors"), epochs=2)


def search(
    actions: Path, folder: Path, base: TrainConfig, name: str = "whole", **words: Any
) -> Tuning:
    space = SearchSpace(base, encoders=("weighted", "mean"))
    options = replace(OPTIONS, **words)
    return tune(actions, space, options, output=folder / name, cache=folder / "cache")


@pytest.fixture(scope="module")
def found(actions: Path, folder: Path, base: TrainConfig) -> Tuning:
    return search(actions, folder, base)


def test_the_points_begin_with_the_defaults(found: Tuning) -> None:
    assert len(found.tried) == 6
    assert found.tried[0].point == found.space.default(16)
    assert not found.curve


def test_the_best_points_and_the_defaults_meet_on_fresh_seeds(found: Tuning) -> None:
    finalists = found.finalists[16]
    assert 2 <= len(finalists) <= 4
    assert [f.is_default for f in finalists].count(True) == 1
    means = [finalist.mean for finalist in finalists]
    assert means == sorted(means, reverse=True)
    assert found.chosen(16) is finalists[0] is found.best
    searched = [f.searched for f in finalists if not f.is_default]
    scored = sorted((t.mean for t in found.tried[1:] if not t.pruned), reverse=True)
    assert sorted(filter(None, searched), reverse=True) == scored[: len(searched)]


def test_a_fresh_score_is_what_train_reaches_with_that_seed(
    found: Tuning, actions: Path, folder: Path
) -> None:
    best = found.best
    config = replace(best.config, seed=FRESH_SEEDS_FROM)
    model = train(actions, config, cache=folder / "cache")
    assert model.training["validation"]["mAP@10"] == pytest.approx(best.scores[0], abs=1e-12)


def test_a_run_that_is_done_trains_nothing_and_says_the_same(
    found: Tuning, actions: Path, folder: Path, base: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Validator, "__call__", None)
    again = search(actions, folder, base)
    assert replace(again, space=found.space) == found


def test_more_points_add_to_those_there(
    found: Tuning, actions: Path, folder: Path, base: TrainConfig
) -> None:
    more = search(actions, folder, base, trials=8)
    assert more.tried[:6] == found.tried
    assert len(more.tried) == 8


def test_the_curve_goes_from_one_term_alone_to_the_other(
    actions: Path, folder: Path, base: TrainConfig
) -> None:
    base = replace(base, epochs=1)
    found = search(actions, folder, base, "curve", trials=1, seeds=1, curve=True)
    assert tuple(point.log2_ratio for point in found.curve) == CURVE
    assert (found.curve[0].config.beta, found.curve[-1].config.alpha) == (0.0, 0.0)
    (middle,) = [point for point in found.curve if point.log2_ratio == 0]
    assert middle.scores == found.default(16).scores
    for point in found.curve[1:-1]:
        assert math.log2(point.config.beta / point.config.alpha) == pytest.approx(
            point.log2_ratio, abs=2e-3
        )


def test_out_of_time_the_defaults_remain(actions: Path, folder: Path, base: TrainConfig) -> None:
    found = search(actions, folder, base, "late", timeout_seconds=0.0)
    assert found.tried == ()
    assert found.best.is_default
    assert found.best.searched is None


def test_another_search_in_the_same_folder_is_refused(
    found: Tuning, actions: Path, folder: Path, base: TrainConfig
) -> None:
    with pytest.raises(ConfigError, match="holds a study that differs in options"):
        search(actions, folder, replace(base, epochs=3))
    with pytest.raises(ConfigError, match="holds a study that differs in seeds"):
        search(actions, folder, base, seeds=1)


def test_the_options_file_is_what_train_takes(found: Tuning, tmp_path: Path) -> None:
    best = found.best.config
    write_config(tmp_path / "best.json", options_file(best, found.space))
    assert make_config("seed", tmp_path / "best.json") == replace(best, refit=True, seed=0)
    told = json.loads((tmp_path / "best.json").read_text())
    assert {"alpha", "beta", "margin", "triplets", "learning_rate", "encoder", "bits"} <= set(told)
    assert not {"seed", "refit"} & set(told)


def test_the_intervals_are_widened_for_each_point_that_is_compared() -> None:
    default, other = make_config("seed"), make_config("seed", options={"beta": 2.0})
    scores = {default: (0.5, 0.52, 0.51), other: (0.55, 0.56, 0.58)}
    configs = {default: 0.5, other: 0.6}
    once, thrice = (rank_finalists(configs, scores, default, n)[0].difference for n in (1, 3))
    assert once
    assert thrice
    assert once.interval.level == pytest.approx(0.95)
    assert thrice.interval.level == pytest.approx(1 - 0.05 / 3)
    assert thrice.interval.low < once.interval.low
    assert once.interval.high < thrice.interval.high


def test_a_difference_whose_interval_holds_0_is_within_the_spread() -> None:
    assert Difference(0.1, Interval(-0.1, 0.3, 0.95), 5).is_within_the_spread
    assert not Difference(0.1, Interval(0.05, 0.15, 0.95), 5).is_within_the_spread


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"trials": 0}, "one point or more"),
        ({"seeds": 0}, "one seed or more"),
        ({"final_seeds": 1}, "two seeds or more, got 1: one tells nothing of the spread"),
    ],
)
def test_searches_that_can_tell_nothing(words: dict[str, int], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        TuneOptions(**words)  # type: ignore[arg-type]
