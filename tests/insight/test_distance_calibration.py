"""How often clips at a distance share the label: counted, and with an honest interval."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.insight import distance_calibration
from bitreel.insight.distance_calibration import (
    ENOUGH_PAIRS,
    DistanceCalibration,
    SharedLabel,
    Unknown,
    share_interval,
)

Ints = NDArray[np.int64]


def drawn(
    seed: int, *, count: int = 60, bits: int = 16, labels: int = 3, videos: int = 40
) -> tuple[BinaryCodes, Ints, Ints]:
    """Codes that lie around a centre of their label, a few of one video now and then."""
    generator = np.random.default_rng(seed)
    of_video = generator.integers(labels, size=videos)
    video = generator.integers(videos, size=count)
    centres = generator.random((labels, bits)) < 0.5
    flips = generator.random((count, bits)) < 0.2
    return BinaryCodes.from_bits(centres[of_video[video]] ^ flips), of_video[video], video


def counted(
    codes: BinaryCodes, labels: Ints, videos: Ints, low: int, high: int
) -> tuple[int, int, set[int]]:
    """The slow twin: pairs in a window, those of one label, and the videos that they are of."""
    bits, pairs, same, met = codes.unpack(), 0, 0, set[int]()
    for one, other in itertools.combinations(range(len(codes)), 2):
        distance = int((bits[one] != bits[other]).sum())
        if videos[one] != videos[other] and low <= distance <= high:
            pairs += 1
            same += int(labels[one] == labels[other])
            met |= {int(videos[one]), int(videos[other])}
    return pairs, same, met


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 16))
def test_the_share_is_that_of_counting_every_pair(seed: int, distance: int) -> None:
    codes, labels, videos = drawn(seed)
    found = DistanceCalibration(codes, labels, videos).at(distance)
    assert isinstance(found, SharedLabel)
    pairs, same, met = counted(codes, labels, videos, found.low_bits, found.high_bits)
    assert (found.pairs, found.videos) == (pairs, len(met))
    assert found.share == pytest.approx(same / pairs)
    assert found.share in found.interval
    all_pairs, all_same, _ = counted(codes, labels, videos, 0, 16)
    assert found.base_pairs == all_pairs
    assert found.base_share == pytest.approx(all_same / all_pairs)


@pytest.mark.parametrize("distance", [0, 3, 8, 16])
def test_the_window_is_the_smallest_that_holds_enough(distance: int) -> None:
    codes, labels, videos = drawn(1)
    found = DistanceCalibration(codes, labels, videos).at(distance)
    assert isinstance(found, SharedLabel)
    reach = max(distance - found.low_bits, found.high_bits - distance)
    assert (found.low_bits, found.high_bits) == (
        max(0, distance - reach),
        min(16, distance + reach),
    )
    assert found.pairs >= ENOUGH_PAIRS
    if reach:
        inner = counted(codes, labels, videos, distance - reach + 1, distance + reach - 1)
        assert inner[0] < ENOUGH_PAIRS


def test_near_clips_share_the_label_more_often_than_any_two() -> None:
    calibration = DistanceCalibration(*drawn(2, count=200, bits=64, videos=150))
    near, far = calibration.at(18), calibration.at(40)
    assert isinstance(near, SharedLabel)
    assert isinstance(far, SharedLabel)
    assert near.share > near.base_share > far.share
    assert near.interval.low > near.base_share


def test_what_can_not_be_known() -> None:
    codes, labels, videos = drawn(3)
    few = DistanceCalibration(codes[:8], labels[:8], np.arange(8)).at(0)
    assert few == Unknown(
        "only 28 pairs of labelled clips of different videos can be compared, and 100 are needed"
    )
    one = DistanceCalibration(codes, np.zeros_like(labels), videos).at(0)
    assert one == Unknown("all labelled videos have the same label")
    itself = DistanceCalibration(codes, labels, np.zeros_like(videos)).at(0)
    assert isinstance(itself, Unknown), "clips of one video say nothing"
    nothing = DistanceCalibration(codes[:0], labels[:0], videos[:0]).at(0)
    assert isinstance(nothing, Unknown)
    with pytest.raises(ValueError, match="a label and a video for each"):
        DistanceCalibration(codes, labels[:-1], videos)


def test_a_distance_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calibration = DistanceCalibration(*drawn(4))
    first = calibration.at(5)
    monkeypatch.setattr(distance_calibration, "share_interval", None)  # would raise
    assert calibration.at(5) is first


# The interval


def dyads(generator: np.random.Generator, videos: int, spread: float) -> tuple[Ints, Ints]:
    """Pairs of videos that agree more or less often, as each of the two tends to."""
    tendency = generator.normal(0, spread, videos)
    chance = 1 / (1 + np.exp(-(tendency[:, None] + tendency[None, :])))
    same = np.triu(generator.random((videos, videos)) < chance, 1).astype(np.int64)
    return same + same.T, 1 - np.eye(videos, dtype=np.int64)


@pytest.mark.parametrize(("videos", "spread"), [(20, 0.0), (20, 1.0), (60, 0.7)])
def test_the_interval_holds_the_truth_as_often_as_it_says(videos: int, spread: float) -> None:
    generator = np.random.default_rng(7)
    runs = 300
    held = sum(0.5 in share_interval(*dyads(generator, videos, spread)) for _ in range(runs))
    assert 0.89 <= held / runs <= 0.99


def test_the_interval_is_about_that_of_drawing_the_videos_anew() -> None:
    generator = np.random.default_rng(8)
    same, pairs = dyads(generator, 50, 0.8)
    shares = []
    for _ in range(2000):
        times = np.bincount(generator.integers(50, size=50), minlength=50)
        weights = np.outer(times, times)
        shares.append((weights * same).sum() / (weights * pairs).sum())
    low, high = np.quantile(shares, [0.025, 0.975])
    found = share_interval(same, pairs)
    assert found.high - found.low == pytest.approx(high - low, rel=0.2)


def test_more_clips_of_the_same_videos_are_little_more_evidence() -> None:
    same, pairs = dyads(np.random.default_rng(9), 20, 1.0)
    once, often = share_interval(same, pairs), share_interval(9 * same, 9 * pairs)
    assert often.high - often.low > 0.8 * (once.high - once.low)


@pytest.mark.parametrize("share", [0, 1])
def test_pairs_that_all_agree_leave_a_doubt(share: int) -> None:
    pairs = 1 - np.eye(20, dtype=np.int64)
    found = share_interval(share * pairs, pairs)
    assert share in found
    assert 0.2 < found.high - found.low < 0.4, "as of ten pairs, though there are 190"
