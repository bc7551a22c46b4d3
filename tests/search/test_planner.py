"""The planner takes the kind that was measured to answer soonest with the recall wished for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bitreel.codes import BinaryCodes
from bitreel.errors import ConfigError
from bitreel.progress import Step
from bitreel.search import ExactIndex, LSHIndex, MultiIndex, Plan, Wish, plan_index, planner
from bitreel.search.planner import Measured

CODES = BinaryCodes.from_bits(np.random.default_rng(0).random((3000, 64)) < 0.5)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[float, float]]:
    """Milliseconds and recall of each kind, to be set by a test in place of a real clock."""
    figures: dict[str, tuple[float, float]] = {}
    real = planner._measure

    def measure(kind: str, *words: Any) -> Any:
        distances, row = real(kind, *words)
        milliseconds, recall = figures[kind]
        return distances, replace(row, milliseconds=milliseconds, recall=recall)

    monkeypatch.setattr(planner, "_measure", measure)
    monkeypatch.setattr(planner, "MEASURED_FROM", 100)
    return figures


def kinds(plan: Plan) -> list[str]:
    return [row.kind for row in plan.measured]


def test_few_codes_are_scanned_without_a_measurement() -> None:
    index, plan = plan_index(CODES)
    assert isinstance(index, ExactIndex)
    assert (plan.kind, plan.codes, plan.measured) == ("exact", 3000, ())
    assert "fewer than 50,000" in plan.reason


@pytest.mark.parametrize(
    ("recall", "figures", "expected"),
    [
        (1.0, {"exact": (1.0, 1.0), "mih": (0.2, 1.0)}, MultiIndex),
        (1.0, {"exact": (1.0, 1.0), "mih": (0.95, 1.0)}, ExactIndex),  # not worth its memory
        (1.0, {"exact": (1.0, 1.0), "mih": (2.0, 1.0)}, ExactIndex),
        (0.9, {"exact": (1.0, 1.0), "mih": (0.5, 1.0), "lsh": (0.1, 0.93)}, LSHIndex),
        (0.9, {"exact": (1.0, 1.0), "mih": (0.5, 1.0), "lsh": (0.1, 0.89)}, MultiIndex),
        (0.9, {"exact": (1.0, 1.0), "mih": (2.0, 1.0), "lsh": (0.9, 1.0)}, ExactIndex),
    ],
)
def test_the_soonest_of_those_that_grant_the_wish(
    measured: dict[str, tuple[float, float]],
    recall: float,
    figures: dict[str, tuple[float, float]],
    expected: type,
) -> None:
    measured |= figures
    index, plan = plan_index(CODES, wish=Wish(recall))
    assert type(index) is expected
    assert plan.kind == index.kind
    assert kinds(plan) == list(figures)
    assert len(index) == len(CODES)


def test_an_exact_wish_never_tries_what_may_miss(
    measured: dict[str, tuple[float, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    measured |= {"exact": (1.0, 1.0), "mih": (0.2, 1.0)}
    monkeypatch.delattr(planner, "LSHIndex")
    assert kinds(plan_index(CODES)[1]) == ["exact", "mih"]


def test_what_is_measured_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner, "MEASURED_FROM", 100)
    steps: list[Step] = []
    ids = np.arange(5, 3005)
    index, plan = plan_index(CODES, ids, Wish(0.9, k=5), progress=steps.append)
    exact, mih, lsh = plan.measured
    assert (exact.recall, mih.recall) == (1.0, 1.0)
    assert 0.5 < lsh.recall <= 1
    for row in plan.measured:
        assert 0 < row.milliseconds <= row.milliseconds_p99
        assert row.megabytes >= 3000 * 8 / 1e6
    np.testing.assert_array_equal(index.ids, ids)
    assert (steps[-1].done, steps[-1].total) == (3, 3)
    assert plan.distinct == 3000


def test_recall_counts_a_neighbour_as_far_as_the_true_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many equal codes it does not matter which are found."""
    monkeypatch.setattr(planner, "MEASURED_FROM", 100)
    same = BinaryCodes.from_bits(np.ones((300, 64), bool))
    rows: tuple[Measured, ...] = plan_index(same, wish=Wish(0.5))[1].measured
    assert [row.recall for row in rows] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(("words", "reason"), [((0.0,), "recall"), ((1.1,), "recall")])
def test_a_wish_that_can_not_be_granted(words: tuple[float], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        Wish(*words)
    with pytest.raises(ConfigError, match="k=0"):
        Wish(k=0)
