"""Every measure under every rule for ties against plain loops over all, or many, orders."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tie_twins import (
    Figure,
    average_precision,
    hit,
    in_order,
    monte_carlo,
    over_all_orders,
    ranking_of,
    stored,
)

from bitreel.evaluation import AveragePrecision, Measure, Ranking, Recall, parse_measure, rank
from bitreel.evaluation.average_precision import Denominator
from bitreel.evaluation.measure import Ties

DENOMINATORS: list[Denominator] = ["k", "hits", "min(k,R)", "R"]

# Items as (distance, relevant): few distances, so that ties abound.
items = st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=6)


def pair_up(divide_by: Denominator | None, k: int, ties: Ties) -> tuple[Measure, Figure]:
    """A measure and its plain loop; no denominator stands for recall."""
    if divide_by is None:
        return Recall(k, ties), partial(hit, k=k)
    loop = partial(average_precision, k=k, divide_by=divide_by)
    return AveragePrecision(k, divide_by, ties), loop


def value(measure: Measure, distances: list[int], relevant: list[bool]) -> float:
    figures = measure.per_query(ranking_of(distances, relevant))
    assert figures.shape == (1,)
    assert figures.dtype == np.float64
    return float(figures[0])


@pytest.mark.parametrize("divide_by", [*DENOMINATORS, None])
@settings(max_examples=40, deadline=None)
@given(listed=items, k=st.integers(1, 8))
def test_expected_is_the_mean_over_all_orders(
    divide_by: Denominator | None, listed: list[tuple[int, bool]], k: int
) -> None:
    distances, relevant = [d for d, _ in listed], [r for _, r in listed]
    measure, loop = pair_up(divide_by, k, "expected")
    mean = np.mean(over_all_orders(loop, distances, relevant))
    assert value(measure, distances, relevant) == pytest.approx(mean, abs=1e-12)


@pytest.mark.parametrize("divide_by", ["k", "min(k,R)", "R", None])
@settings(max_examples=40, deadline=None)
@given(listed=items, k=st.integers(1, 8))
def test_best_and_worst_are_the_ends_of_all_orders(
    divide_by: Denominator | None, listed: list[tuple[int, bool]], k: int
) -> None:
    distances, relevant = [d for d, _ in listed], [r for _, r in listed]
    best, loop = pair_up(divide_by, k, "best")
    worst, _ = pair_up(divide_by, k, "worst")
    figures = over_all_orders(loop, distances, relevant)
    assert value(best, distances, relevant) == pytest.approx(max(figures), abs=1e-12)
    assert value(worst, distances, relevant) == pytest.approx(min(figures), abs=1e-12)


@pytest.mark.parametrize("divide_by", [*DENOMINATORS, None])
@given(
    listed=st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=60),
    k=st.integers(1, 70),
)
def test_stored_is_the_order_of_the_database(
    divide_by: Denominator | None, listed: list[tuple[int, bool]], k: int
) -> None:
    distances, relevant = [d for d, _ in listed], [r for _, r in listed]
    measure, loop = pair_up(divide_by, k, "stored")
    assert value(measure, distances, relevant) == pytest.approx(stored(loop, distances, relevant))


@pytest.mark.parametrize("ties", ["expected", "stored", "best", "worst"])
@settings(max_examples=40, deadline=None)
@given(listed=items)
def test_ap_with_no_cutoff_ranks_the_whole_database(
    ties: Ties, listed: list[tuple[int, bool]]
) -> None:
    distances, relevant = [d for d, _ in listed], [r for _, r in listed]
    loop = partial(average_precision, k=len(listed), divide_by="R")
    every = over_all_orders(loop, distances, relevant)
    wanted = {
        "expected": float(np.mean(every)),
        "stored": stored(loop, distances, relevant),
        "best": max(every),
        "worst": min(every),
    }
    measure = AveragePrecision(None, "R", ties)
    assert value(measure, distances, relevant) == pytest.approx(wanted[ties], abs=1e-12)


@pytest.mark.parametrize("divide_by", [*DENOMINATORS, None])
@pytest.mark.parametrize("k", [3, 10, 45])
def test_expected_agrees_with_random_orders_of_large_groups(
    divide_by: Denominator | None, k: int
) -> None:
    rng = np.random.default_rng(k)
    distances = rng.integers(0, 4, 80).tolist()
    relevant = (rng.random(80) < 0.25).tolist()
    measure, loop = pair_up(divide_by, k, "expected")
    mean, error = monte_carlo(loop, distances, relevant, draws=3_000)
    assert abs(value(measure, distances, relevant) - mean) < 5 * error + 1e-9


def test_a_worked_example() -> None:
    """One item nearer, then two tied of which one is relevant, k = 2.

    Half of the orders put the hit at place 2 (precision 1/2), half at place 3, out of sight.
    """
    distances, relevant = [0, 1, 1], [False, True, False]
    wanted = {
        "mAP@2": 0.5 * (1 / 2) / 2,
        "mAP@2,ties=stored": (1 / 2) / 2,
        "mAP@2,ties=worst": 0.0,
        "mAP@2/hits": 1 / 2,
        "mAP@2/hits,ties=expected": 0.5 * (1 / 2),
        "mAP@2/min(k,R)": 0.5 * (1 / 2),
        "recall@2": 0.5,
        "recall@1": 0.0,
        "recall@3": 1.0,
        "mAP": 0.5 * (1 / 2) + 0.5 * (1 / 3),
    }
    got = {name: value(parse_measure(name), distances, relevant) for name in wanted}
    assert got == pytest.approx(wanted)


def test_dividing_by_hits_rewards_giving_up_and_dividing_by_k_does_not() -> None:
    """Why the headline is ÷k: the shorter list of hits has the higher ÷hits."""
    one_hit = list(range(10)), [True] + [False] * 9
    more_hits = list(range(10)), [True] + [False] * 4 + [True] * 5
    by_hits, by_k = parse_measure("mAP@10/hits"), parse_measure("mAP@10")
    assert value(by_hits, *one_hit) == 1.0 > value(by_hits, *more_hits)
    assert value(by_k, *one_hit) == 0.1 < value(by_k, *more_hits)


@pytest.mark.parametrize(
    "name", ["mAP@5", "mAP@5/hits", "mAP@5/hits,ties=expected", "mAP@5/R", "recall@5", "mAP"]
)
def test_a_query_with_nothing_relevant_gets_0(name: str) -> None:
    assert value(parse_measure(name), [0, 0, 1], [False] * 3) == 0.0


@pytest.mark.parametrize("name", ["mAP@5", "mAP@5/hits", "mAP@5/hits,ties=expected", "recall@5"])
def test_a_ranking_of_no_items_gives_0(name: str) -> None:
    empty = rank(np.zeros((2, 0), np.int32), np.zeros((2, 0), bool), depth=5)
    assert parse_measure(name).per_query(empty).tolist() == [0.0, 0.0]


@given(
    rows=st.lists(
        st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=7, max_size=7),
        min_size=1,
        max_size=5,
    )
)
def test_queries_do_not_touch_one_another(rows: list[list[tuple[int, bool]]]) -> None:
    table = np.array(rows)
    together = rank(table[..., 0].astype(np.int32), table[..., 1].astype(bool), depth=7)
    for name in ("mAP@3", "mAP@3/hits", "mAP@3/hits,ties=expected", "recall@3", "mAP,ties=best"):
        measure = parse_measure(name)
        alone = [value(measure, [d for d, _ in row], [bool(r) for _, r in row]) for row in rows]
        assert measure.per_query(together).tolist() == pytest.approx(alone, abs=1e-12)


def test_figures_hold_for_a_database_of_a_million_items() -> None:
    """Closed forms subtract large numbers: here all is tied, and chance is known exactly."""
    n, r = 1_000_000, 100
    ranking = Ranking(np.array([[n]]), np.array([[r]]), np.zeros((1, 0), bool))
    ap = AveragePrecision(10).per_query(ranking)[0]
    share, other = r / n, (r - 1) / (n - 1)
    assert ap == pytest.approx(sum(share * (1 + (j - 1) * other) / j for j in range(1, 11)) / 10)
    none = np.prod([(n - r - j) / (n - j) for j in range(10)])
    assert Recall(10).per_query(ranking)[0] == pytest.approx(1 - none, rel=1e-6)
    full = AveragePrecision(None, "R").per_query(ranking)[0]
    places = np.arange(1, n + 1)
    assert full == pytest.approx(np.sum((1 + (places - 1) * other) / places) / n, rel=1e-9)


def test_ties_are_stored_in_database_order() -> None:
    distances = np.array([[2, 1, 1, 0, 1]], np.int32)
    relevant = np.array([[True, False, True, False, True]])
    ranking = rank(distances, relevant, depth=4)
    assert ranking.stored.tolist() == [[False, False, True, True]]
    assert in_order(distances[0].tolist(), relevant[0].tolist(), (0, 1, 2, 3, 4))[:4] == [
        False,
        False,
        True,
        True,
    ]


def test_a_ranking_that_kept_too_few_places_is_refused() -> None:
    ranking = rank(np.array([[0, 1, 2]], np.int32), np.ones((1, 3), bool), depth=1)
    with pytest.raises(ValueError, match="keeps 2 places"):
        AveragePrecision(2, "hits", "stored").per_query(ranking)


def test_a_ranking_checks_itself() -> None:
    none = np.zeros((1, 0), bool)
    with pytest.raises(ValueError, match="relevant items <= items"):
        Ranking(np.array([[1]]), np.array([[2]]), none)
    with pytest.raises(ValueError, match=r"\[Q,G\]"):
        Ranking(np.array([[1]]), np.array([[1, 0]]), none)
