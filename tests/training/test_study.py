"""The study: what is proposed, who works on it, and what becomes of those who die at it."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from bitreel.errors import ConfigError
from bitreel.training.claims import Claims
from bitreel.training.presets import make_config
from bitreel.training.search_space import RATIO, SearchSpace
from bitreel.training.study import LEAST_TO_PRUNE, TRIES, Study, points_by_width

FACTS = {"bits": (64,), "data": "digest"}


def open_study(folder: Path, **words: Any) -> Study:
    space = SearchSpace(make_config("seed"), **words)
    return Study(folder, space, Claims(folder / "claims"), facts=FACTS)


def run(study: Study, trials: int, *, seeds: int = 1) -> list[dict[str, Any]]:
    """Try points until there are enough; the score has its best where beta/alpha is 1/4."""
    points: list[dict[str, Any]] = []
    while True:
        with ExitStack() as stack:
            trial = study.ask(trials, hold=lambda n: stack.enter_context(study._claims.take(n)))
            if trial is None:
                return points
            points.append(dict(trial.params))
            score = 1 / (1 + (trial.params[RATIO] + 2) ** 2)
            for seed in range(seeds):
                trial.report(score, seed)
                if seed + 1 < seeds and study.is_hopeless(trial):
                    study.tell(trial, None)
                    break
            else:
                study.tell(trial, score)


def die_after(folder: Path, begun: int) -> None:
    """A process that is killed while it tries its point number `begun`."""
    child = os.fork()
    if not child:
        study = open_study(folder)
        run(study, begun - 1)
        with ExitStack() as stack:
            study.ask(begun, hold=lambda n: stack.enter_context(study._claims.take(n)))
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)


def test_the_defaults_come_first_and_the_rest_lies_in_the_space(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    points = run(study, 14)
    assert points[0] == study.space.default(64)
    assert len(points) == 14
    assert all(study.space.holds(point) for point in points)
    assert run(study, 14) == []


def test_points_after_the_first_ten_are_drawn_near_the_good_ones(tmp_path: Path) -> None:
    points = run(open_study(tmp_path, encoders=("weighted",)), 50)
    near = [abs(point[RATIO] + 2) < 2 for point in points]
    assert sum(near[20:]) / 30 > 0.5  # drawn evenly it would be a third


def test_a_second_opening_goes_on_and_proposes_what_the_first_would_have(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    whole = run(open_study(tmp_path / "whole"), 16)
    parts = run(open_study(tmp_path / "parts"), 7) + run(open_study(tmp_path / "parts"), 16)
    assert whole == parts


def test_a_point_of_a_killed_process_is_tried_again_and_the_course_is_the_same(
    tmp_path: Path,
) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    whole = run(open_study(tmp_path / "whole"), 14)
    die_after(tmp_path / "killed", 5)
    study = open_study(tmp_path / "killed")
    assert len(study.running()) == 1
    run(study, 14)
    assert [trial.params for trial in study.finished()] == whole
    assert study.running() == []


def test_a_point_that_kills_its_process_is_given_up(tmp_path: Path) -> None:
    for _ in range(TRIES):
        die_after(tmp_path, 1)
    points = run(open_study(tmp_path), 3)
    assert open_study(tmp_path).space.default(64) not in points
    assert len(points) == 3


def test_a_point_in_living_hands_counts_and_is_left_alone(tmp_path: Path) -> None:
    first, second = open_study(tmp_path), open_study(tmp_path)
    with ExitStack() as stack:
        first.ask(3, hold=lambda name: stack.enter_context(first._claims.take(name)))
        points = run(second, 3)
        assert len(points) == 2
        assert second.running() == ["trial-0"]
        assert not second._claims.is_free("trial-0")


def test_every_width_gets_its_share(tmp_path: Path) -> None:
    study = open_study(tmp_path, widths=(64, 128, 256))
    widths = [point["bits"] for point in run(study, 21)]
    assert [widths.count(width) for width in (64, 128, 256)] == [7, 7, 7]


def test_a_point_below_the_median_of_its_width_is_given_up_early(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    run(study, 30, seeds=3)
    trials = study.finished()
    pruned = [trial for trial in trials if trial.state.name == "PRUNED"]
    assert pruned
    assert all(len(trial.intermediate_values) < 3 for trial in pruned)
    assert not any(trial.state.name == "PRUNED" for trial in trials[:LEAST_TO_PRUNE])
    best = max(trial.intermediate_values[0] for trial in trials)
    assert best not in [trial.intermediate_values[0] for trial in pruned]


def test_importance_names_what_the_score_depends_on(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    run(study, 9)
    assert study.importance() == {}
    run(study, 40, seeds=2)
    importance = study.importance()
    assert sum(importance.values()) == pytest.approx(1)
    assert next(iter(importance)) == RATIO
    assert "bits" not in importance  # one width: nothing varies


def test_the_best_points_of_each_width_come_first_and_once(tmp_path: Path) -> None:
    study = open_study(tmp_path, widths=(64, 128))
    run(study, 20)
    ranked = points_by_width(study.finished())
    assert set(ranked) == {64, 128}
    for width, points in ranked.items():
        scores = [score for score, _ in points]
        assert scores == sorted(scores, reverse=True)
        assert {point["bits"] for _, point in points} == {width}


def test_a_study_of_other_facts_is_refused(tmp_path: Path) -> None:
    open_study(tmp_path)
    space = SearchSpace(make_config("seed"))
    with pytest.raises(ConfigError, match=r"holds a study that differs in data\. Run the same"):
        Study(tmp_path, space, Claims(tmp_path / "claims"), facts=FACTS | {"data": "other"})


def test_a_damaged_study_is_named(tmp_path: Path) -> None:
    (tmp_path / "study.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(ConfigError, match=r"study\.sqlite can not be used \(.*delete it, or name"):
        open_study(tmp_path)
