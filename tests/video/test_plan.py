"""The plan, as arithmetic."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bitreel.video.plan import Run, plan_runs


def _plan(keys: str, wanted: set[int], pts: list[int] | None = None, lead: int = 0) -> list[Run]:
    flags = np.array([c == "K" for c in keys])
    times = np.arange(len(keys)) if pts is None else np.array(pts)
    return list(plan_runs(flags, times.astype(np.int64), wanted, lead=lead))


def test_a_run_starts_at_the_keyframe_and_ends_with_the_pick() -> None:
    assert _plan("K...K...K...", {6}) == [Run(4, 6)]
    assert _plan("K...K...K...", {6, 5}) == [Run(4, 6)]
    assert _plan("K...K...K...", {1, 9}) == [Run(0, 1), Run(8, 9)]


def test_neighbouring_runs_are_one() -> None:
    assert _plan("K...K...K...", {3, 5}) == [Run(0, 5)]


def test_a_picture_shown_before_its_keyframe_needs_the_group_before() -> None:
    #          K  .  .  K  b  .
    pts = [0, 1, 2, 5, 4, 6]
    assert _plan("K..K..", {4}, pts) == [Run(0, 4)]
    assert _plan("K..K..", {5}, pts) == [Run(3, 5)]
    assert _plan("K..K..", {1, 3, 4}, pts) == [Run(0, 4)]


def test_lead_adds_groups_in_front() -> None:
    assert _plan("K...K...K...", {9}, lead=1) == [Run(4, 9)]
    assert _plan("K...K...K...", {1}, lead=1) == [Run(0, 1)]


def test_without_any_keyframe_all_is_fed_up_to_the_pick() -> None:
    assert _plan("......", {4}) == [Run(0, 4)]


@st.composite
def _streams(draw: st.DrawFn) -> tuple[str, list[int], set[int], int]:
    keys = "".join(draw(st.lists(st.sampled_from("K..."), min_size=1, max_size=40)))
    pts = draw(st.permutations(range(len(keys))))
    wanted = draw(st.sets(st.integers(0, len(keys) - 1), min_size=1))
    return keys, pts, wanted, draw(st.integers(0, 2))


@given(_streams())
def test_runs_are_disjoint_rising_and_hold_every_pick(
    stream: tuple[str, list[int], set[int], int],
) -> None:
    keys, pts, wanted, lead = stream
    runs = _plan(keys, wanted, pts, lead)
    fed = [n for run in runs for n in range(run.first, run.last + 1)]
    assert fed == sorted(set(fed))
    assert wanted <= set(fed)
    for before, after in pairwise(runs):
        assert before.last + 1 < after.first
    assert all(run.first == 0 or keys[run.first] == "K" for run in runs)
    assert all(run.last in wanted for run in runs)


@given(_streams())
def test_every_pick_has_its_references_fed(stream: tuple[str, list[int], set[int], int]) -> None:
    """The slow twin: from each pick walk back to the keyframe it depends on; all must be fed."""
    keys, pts, wanted, lead = stream
    fed = {n for run in _plan(keys, wanted, pts, lead) for n in range(run.first, run.last + 1)}
    for pick in wanted:
        at = pick
        while at > 0 and keys[at] != "K":
            at -= 1
        if pts[pick] < pts[at]:
            at = max(0, at - 1)
            while at > 0 and keys[at] != "K":
                at -= 1
        assert set(range(at, pick + 1)) <= fed
