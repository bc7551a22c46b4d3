"""The name of a measure is the measure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitreel.errors import ConfigError
from bitreel.evaluation import AveragePrecision, Measure, Recall, parse_measure
from bitreel.evaluation.average_precision import Denominator
from bitreel.evaluation.measure import Ties

EVERY_RULE: list[Ties] = ["expected", "stored", "best", "worst"]
SOME_DENOMINATORS: list[Denominator] = ["k", "min(k,R)", "R"]
cutoffs = st.integers(1, 10**6)
rules = st.sampled_from(EVERY_RULE)
measures: st.SearchStrategy[Measure] = st.one_of(
    st.builds(Recall, cutoffs, rules),
    st.builds(AveragePrecision, st.none(), st.just("R"), rules),
    st.builds(AveragePrecision, cutoffs, st.sampled_from(SOME_DENOMINATORS), rules),
    st.builds(AveragePrecision, cutoffs, st.just("hits"), st.sampled_from(["expected", "stored"])),
)


@given(measure=measures)
def test_parsing_the_name_gives_the_measure_back(measure: Measure) -> None:
    assert str(measure) == repr(measure) == measure.name
    assert parse_measure(str(measure)) == measure
    assert hash(parse_measure(str(measure))) == hash(measure)


@given(one=measures, other=measures)
def test_two_measures_are_equal_exactly_when_their_names_are(one: Measure, other: Measure) -> None:
    assert (one == other) == (str(one) == str(other))


@pytest.mark.parametrize(
    ("measure", "name"),
    [
        (AveragePrecision(10), "mAP@10"),
        (AveragePrecision(10, "hits", "stored"), "mAP@10/hits"),
        (AveragePrecision(10, "hits"), "mAP@10/hits,ties=expected"),
        (AveragePrecision(10, "min(k,R)"), "mAP@10/min(k,R)"),
        (AveragePrecision(10, "R"), "mAP@10/R"),
        (AveragePrecision(10, ties="stored"), "mAP@10,ties=stored"),
        (AveragePrecision(None, "R"), "mAP"),
        (AveragePrecision(None, "R", "worst"), "mAP,ties=worst"),
        (Recall(1), "recall@1"),
        (Recall(5, "stored"), "recall@5,ties=stored"),
    ],
)
def test_names(measure: Measure, name: str) -> None:
    assert measure.name == name
    assert parse_measure(name) == measure


@pytest.mark.parametrize(
    "name",
    [
        "",
        "map@10",
        "mAP@",
        "mAP@0",
        "mAP@-1",
        "mAP@1.5",
        "mAP@10 ",
        "mAP@10\n",
        "mAP@١٠",
        "mAP@10/K",
        "mAP/hits",
        "P@10",
        "recall",
        "recall@0",
        "recall@5/hits",
        "mAP@10,ties=any",
        "mAP@10/hits,ties=best",
    ],
)
def test_what_no_measure_is_called_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        parse_measure(name)


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("mAP@010", "mAP@10"),
        ("mAP@10,ties=expected", "mAP@10"),
        ("mAP@10/hits,ties=stored", "mAP@10/hits"),
        ("mAP/R", "mAP"),
    ],
)
def test_a_second_way_to_write_a_name_is_refused_with_the_first(name: str, right: str) -> None:
    with pytest.raises(ConfigError, match=f"is written '{right}'"):
        parse_measure(name)


@pytest.mark.parametrize("cutoff", [0, -3, 2.5, True, "10"])
def test_a_cutoff_that_is_no_count_is_refused(cutoff: int) -> None:
    for make in (AveragePrecision, Recall):
        with pytest.raises(ConfigError, match="cut-off"):
            make(cutoff)


def test_an_unknown_choice_is_refused_with_the_choices() -> None:
    with pytest.raises(ConfigError, match="expected, stored, best, worst, got 'random'"):
        Recall(3, "random")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="k, hits, "):
        AveragePrecision(3, "N")  # type: ignore[arg-type]


def test_a_measure_can_not_be_changed() -> None:
    with pytest.raises(AttributeError):
        Recall(3).cutoff = 4  # type: ignore[misc]
