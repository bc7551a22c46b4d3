"""Hold-out by whole groups, and the guard against leakage."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitreel.dataset.example import Dataset, Example, Split
from bitreel.dataset.splits import check_leakage, hold_out_groups
from bitreel.errors import ConfigError, DataError, LeakageError


def examples_of(pairs: list[tuple[str, str]]) -> list[Example]:
    return [
        Example(Path(f"{row}.mp4"), label, group, "database")
        for row, (label, group) in enumerate(pairs)
    ]


small = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("123456789")), max_size=60)
own_groups = small.map(lambda pairs: [(label, f"{label}{group}") for label, group in pairs])
fractions = st.floats(0, 0.95)
seeds = st.integers(0, 20)


@given(small, fractions, seeds)
def test_rows_are_parted_by_whole_groups_and_every_class_keeps_training(
    pairs: list[tuple[str, str]], fraction: float, seed: int
) -> None:
    examples = examples_of(pairs)
    training, validation = hold_out_groups(examples, fraction=fraction, seed=seed)
    assert sorted(training + validation) == list(range(len(examples)))
    assert training == sorted(training)
    assert validation == sorted(validation)
    groups = [{examples[row].group for row in rows} for rows in (training, validation)]
    assert not groups[0] & groups[1]
    assert {examples[row].label for row in training} == {example.label for example in examples}


@given(own_groups, st.floats(0.01, 0.95), seeds)
def test_a_class_with_two_groups_is_validated_and_comes_near_its_fraction(
    pairs: list[tuple[str, str]], fraction: float, seed: int
) -> None:
    examples = examples_of(pairs)
    _, validation = hold_out_groups(examples, fraction=fraction, seed=seed)
    held = Counter(examples[row].label for row in validation)
    sizes: dict[str, Counter[str]] = defaultdict(Counter)
    for example in examples:
        sizes[example.label][example.group] += 1
    for label, groups in sizes.items():
        if len(groups) == 1:
            assert held[label] == 0
            continue
        assert held[label] > 0
        off_by = abs(held[label] - fraction * groups.total())
        assert off_by <= max(groups.values())  # never more than one group beside the mark


@given(own_groups, fractions, seeds, st.randoms())
def test_order_of_the_examples_does_not_matter(
    pairs: list[tuple[str, str]], fraction: float, seed: int, rng: random.Random
) -> None:
    examples = examples_of(pairs)
    shuffled = examples.copy()
    rng.shuffle(shuffled)
    answers = [
        {rows[row].path for row in hold_out_groups(rows, fraction=fraction, seed=seed)[1]}
        for rows in (examples, shuffled)
    ]
    assert answers[0] == answers[1]


@given(own_groups, fractions, seeds)
def test_a_class_is_split_without_a_look_at_the_others(
    pairs: list[tuple[str, str]], fraction: float, seed: int
) -> None:
    examples = examples_of(pairs)
    alone = [example for example in examples if example.label == "a"]
    within = {
        examples[row].path
        for row in hold_out_groups(examples, fraction=fraction, seed=seed)[1]
        if examples[row].label == "a"
    }
    assert within == {
        alone[row].path for row in hold_out_groups(alone, fraction=fraction, seed=seed)[1]
    }


def test_the_choice_is_the_same_on_every_machine_and_moves_with_the_seed() -> None:
    examples = examples_of([("a", f"g{number:02}") for number in range(20)])
    held = [
        [examples[row].group for row in hold_out_groups(examples, seed=seed)[1]] for seed in (0, 1)
    ]
    assert held[0] == ["g04", "g09", "g13", "g15"]  # written down once
    assert held[1] == ["g05", "g11", "g16", "g17"]


def test_groups_that_cross_classes_go_as_a_whole_and_strand_no_class() -> None:
    # b has only the group that a could spare, and c has both of a's: nothing can be held out.
    pairs = [("a", "1"), ("a", "2"), ("b", "1"), ("c", "2")]
    assert hold_out_groups(examples_of(pairs), fraction=0.5) == ([0, 1, 2, 3], [])


def test_no_fraction_holds_nothing_out() -> None:
    assert hold_out_groups(examples_of([("a", "1"), ("a", "2")]), fraction=0) == ([0, 1], [])
    assert hold_out_groups([]) == ([], [])


@pytest.mark.parametrize("fraction", [-0.1, 1.0, float("nan")])
def test_a_fraction_out_of_range_is_refused(fraction: float) -> None:
    with pytest.raises(ConfigError, match="fraction"):
        hold_out_groups([], fraction=fraction)


def leaking(groups: int) -> list[Example]:
    sides: tuple[Split, Split] = ("database", "query")
    return [
        Example(Path(f"{number}_{side}.avi"), "run", f"Run/g{number:02}", side)
        for number in range(groups)
        for side in sides
    ]


def test_a_group_on_both_sides_is_refused_with_a_few_names_and_the_rest_counted() -> None:
    with pytest.raises(LeakageError, match=r"7 groups.*Run/g00, .*Run/g04 and 2 more") as caught:
        check_leakage(leaking(7))
    assert "g05" not in str(caught.value)
    with pytest.raises(LeakageError, match="Run/g00") as caught:
        Dataset("sports", tuple(leaking(1)))
    assert "more" not in str(caught.value)
    assert str(caught.value).startswith("sports: ")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["database", "query"]))))
def test_the_guard_agrees_with_a_look_at_every_pair(rows: list[tuple[str, Split]]) -> None:
    examples = [
        Example(Path(f"{row}.mp4"), "x", group, split) for row, (group, split) in enumerate(rows)
    ]
    leaks = any(
        first.group == second.group and first.split != second.split
        for first in examples
        for second in examples
    )
    if leaks:
        with pytest.raises(LeakageError):
            check_leakage(examples)
    else:
        check_leakage(examples)


def test_a_data_set_checks_itself() -> None:
    one = Example(Path("a.mp4"), "run", "1", "database")
    with pytest.raises(DataError, match=r"more than once.*a\.mp4"):
        Dataset("d", (one, one))
    with pytest.raises(DataError, match="empty label"):
        Example(Path("a.mp4"), " ", "1", "database")
    with pytest.raises(DataError, match="empty group"):
        Example(Path("a.mp4"), "run", "", "database")
    with pytest.raises(DataError, match="'train'"):
        Example(Path("a.mp4"), "run", "1", "train")  # type: ignore[arg-type]


def test_a_data_set_gives_its_sides_in_order_and_its_labels_sorted() -> None:
    examples = (
        Example(Path("3.mp4"), "walk", "3", "query"),
        Example(Path("2.mp4"), "run", "2", "database"),
        Example(Path("1.mp4"), "walk", "1", "database"),
    )
    dataset = Dataset("d", examples)
    assert dataset.database == examples[1:]
    assert dataset.query == examples[:1]
    assert dataset.labels == ("run", "walk")
    assert repr(dataset) == "Dataset('d', 2 classes, 2 database, 1 query)"
