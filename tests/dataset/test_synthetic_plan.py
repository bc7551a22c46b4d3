"""Which clips a synthetic set has: what is not the label is spread alike over all classes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitreel.dataset import Dataset
from bitreel.dataset.synthetic.looks import CLASS_LOOKS, QUERY_LOOKS
from bitreel.dataset.synthetic.motions import MOTIONS
from bitreel.dataset.synthetic.plan import PlannedClip, Settings, Task, plan_clips
from bitreel.errors import ConfigError

tasks = st.sampled_from(["motion", "appearance", "both"])


def spread(clips: list[PlannedClip], what: Callable[[PlannedClip], Hashable]) -> list[Counter[Any]]:
    """For each class and side, how often each value comes."""
    counts: dict[tuple[str, str], Counter[Any]] = defaultdict(Counter)
    for clip in clips:
        counts[clip.label, clip.split][what(clip)] += 1
    return [counts[key] for key in sorted(counts, key=lambda key: key[1])]


@given(tasks, st.integers(1, 30), st.floats(0, 0.9), st.integers(0, 5))
def test_every_class_has_its_clips_and_no_scene_crosses_the_split(
    task: Task, clips_per_class: int, query_fraction: float, seed: int
) -> None:
    plan = Settings(
        task=task, clips_per_class=clips_per_class, query_fraction=query_fraction, seed=seed
    )
    clips = plan_clips(plan)
    dataset = Dataset("synthetic", tuple(clip.example(Path("x")) for clip in clips))
    assert len(dataset.labels) == 12
    assert set(Counter(clip.label for clip in clips).values()) == {clips_per_class}
    queries = Counter(example.label for example in dataset.query)
    assert set(queries.values()) <= {plan.queries_per_class}
    assert len(dataset.database) >= 12
    if query_fraction > 0 and clips_per_class > 1:
        assert abs(plan.queries_per_class - query_fraction * clips_per_class) <= 1
        assert len(queries) == 12


@given(tasks, st.integers(1, 30), st.integers(0, 5))
def test_settings_of_the_scene_are_the_same_in_every_class(
    task: Task, clips_per_class: int, seed: int
) -> None:
    clips = plan_clips(Settings(task=task, clips_per_class=clips_per_class, seed=seed))
    database = [clip for clip in clips if clip.split == "database"]
    counts = spread(database, lambda clip: clip.scene)
    assert all(count == counts[0] for count in counts)


def test_motion_looks_are_the_same_in_every_class_and_unseen_in_the_database() -> None:
    clips = plan_clips(Settings(task="motion", clips_per_class=40))
    assert {clip.label for clip in clips} == set(MOTIONS)
    assert all(clip.label == clip.motion for clip in clips)
    for side in ("database", "query"):
        counts = spread([clip for clip in clips if clip.split == side], lambda clip: clip.look)
        assert all(count == counts[0] for count in counts)
    looks = {
        side: {clip.look for clip in clips if clip.split == side} for side in ("database", "query")
    }
    assert looks["query"] == set(QUERY_LOOKS)
    assert len(looks["database"]) == 22
    assert not looks["database"] & looks["query"]


def test_appearance_motions_are_the_same_in_every_class() -> None:
    clips = plan_clips(Settings(task="appearance", clips_per_class=36))
    assert {clip.label for clip in clips} == set(map(str, CLASS_LOOKS))
    assert all(clip.label == str(clip.look) for clip in clips)
    for side in ("database", "query"):
        counts = spread([clip for clip in clips if clip.split == side], lambda clip: clip.motion)
        assert all(count == counts[0] for count in counts)
    assert {clip.motion for clip in clips} == set(MOTIONS)


def test_both_ties_each_motion_to_a_look_of_its_own() -> None:
    clips = plan_clips(Settings(task="both"))
    pairs = {clip.label: (clip.motion, clip.look) for clip in clips}
    assert all(pairs[clip.label] == (clip.motion, clip.look) for clip in clips)
    assert {motion for motion, _ in pairs.values()} == set(MOTIONS)
    assert len({look for _, look in pairs.values()}) == 12
    assert "striped-disc-left" in pairs


def test_a_larger_set_begins_with_the_scenes_of_a_smaller_one() -> None:
    small, large = (
        {clip.group: clip.scene for clip in plan_clips(Settings(clips_per_class=count))}
        for count in (5, 9)
    )
    assert large == large | small
    assert plan_clips(Settings(seed=1))[0].scene != plan_clips(Settings(seed=0))[0].scene


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "sound"}, "a task out of motion, appearance, both"),
        ({"clips_per_class": 0}, "clips_per_class of at least 1"),
        ({"query_fraction": 1.0}, "query_fraction"),
        ({"query_fraction": float("nan")}, "query_fraction"),
        ({"frames": 1}, "at least 2 frames"),
        ({"size": (16, 160)}, "at least 32 pixels"),
        ({"size": (121, 160)}, "even height"),
        ({"seed": -1}, "a seed of 0 or more"),
        ({"frames_per_second": 0}, "frames_per_second"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Settings(**options)
