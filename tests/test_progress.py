"""How long the rest takes, by what was done so far."""

from __future__ import annotations

import pytest

from bitreel.progress import Pace, Step, in_words


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_the_rest_takes_as_long_for_each_as_what_was_done() -> None:
    clock = Clock()
    pace = Pace(clock)
    left = []
    for done in (20, 21, 25, 30):  # a run that goes on where another stopped
        left.append(pace.seconds_left(Step("indexing", done, 30)))
        clock.seconds += 3
    assert left == [None, 3 / 1 * 9, 6 / 5 * 5, None]


def test_it_says_nothing_too_early_and_begins_anew_with_each_stage_and_round() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert pace.seconds_left(Step("reading", 0, 10)) is None
    clock.seconds += 1
    assert pace.seconds_left(Step("reading", 5, 10)) is None, "after a second"
    clock.seconds += 1
    assert pace.seconds_left(Step("reading", 8, 10)) == pytest.approx(0.5)
    for stage, done in (("writing", 9), ("writing", 2)):
        assert pace.seconds_left(Step(stage, done, 10)) is None
        clock.seconds += 10
    assert pace.seconds_left(Step("writing", 4, 10)) == pytest.approx(30)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (89.4, "89 s"),
        (90, "2 min"),
        (3600, "60 min"),
        (5460, "1 h 31 min"),
        (36000, "10 h 0 min"),
    ],
)
def test_a_span_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
