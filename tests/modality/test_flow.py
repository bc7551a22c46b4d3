"""Optical flow: the known motion, in the known order, the same whoever asks."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from moving import moving_frames, snippets_of
from numpy.typing import NDArray

from bitreel.errors import ConfigError
from bitreel.modality import FLOW_METHODS, Flow, find_modality
from bitreel.modality.opencv import dis_flow

INSIDE = np.s_[..., 24:-24, 24:-24]  # what moves in from outside has no match


@pytest.mark.parametrize(("right", "down"), [(1, 0), (0, 1), (3, -2), (-6, 4), (-2, -5)])
def test_a_known_motion_is_found(right: int, down: int) -> None:
    snippets = snippets_of(moving_frames(3, right=right, down=down), 2)
    x, y = np.moveaxis(20 * Flow()(snippets)[INSIDE], 1, 0)
    assert np.abs(x - right).mean() < 0.1
    assert np.abs(y - down).mean() < 0.1


def test_the_channels_are_x_and_y_of_the_first_field_then_of_the_next() -> None:
    """Two pixels to the right, then three down, then one to the left."""
    corners = np.cumsum([(0, 0), (0, 2), (3, 0), (0, -1)], axis=0)
    picture = moving_frames(1, height=140, width=140)[0]
    frames = np.stack([picture[20 - y : 116 - y, 20 - x : 116 - x] for y, x in corners])
    means = 20 * Flow(length=3)(frames[None])[INSIDE].mean(axis=(2, 3))
    np.testing.assert_allclose(means, [[2, 0, 0, 3, -1, 0]], atol=0.1)


def test_a_stack_is_the_fields_of_its_pairs() -> None:
    frames = moving_frames(4, right=3, down=1)
    stack = Flow(length=3)(frames[None])[0].reshape(3, 2, 96, 96)
    for pair, field in zip(snippets_of(frames, 2), stack, strict=True):
        np.testing.assert_array_equal(Flow()(pair[None])[0], field)


def put_estimator(monkeypatch: pytest.MonkeyPatch, field: NDArray[np.float32]) -> None:
    """Let dis find this field [H,W,2] for the first pair, its double for the next, and so on."""

    def estimate(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert first.shape == second.shape
        return np.stack([field * (k + 1) for k in range(len(first))])

    monkeypatch.setitem(FLOW_METHODS, "dis", lambda weights: estimate)


def test_motion_is_clipped_at_twenty_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    field = np.array([[[-90, 20.5], [-20, 5], [0, 21]]], np.float32)
    put_estimator(monkeypatch, field)
    pictures = Flow()(np.zeros((2, 2, 1, 3, 3), np.uint8))
    expected = [[[[-1, -1, 0]], [[1, 0.25, 1]]], [[[-1, -1, 0]], [[1, 0.5, 1]]]]
    np.testing.assert_array_equal(pictures, np.array(expected, np.float32))


def test_the_motion_of_the_camera_goes_before_the_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    """The median of each field, in x and in y: what moves against a fast pan keeps its motion."""
    field = np.full((3, 3, 2), (25, -3), np.float32)
    field[1, 1] = (18, 2)
    put_estimator(monkeypatch, field)
    (picture,) = Flow(length=2, camera="median")(np.zeros((1, 3, 3, 3, 3), np.uint8))
    expected = np.zeros((4, 3, 3), np.float32)
    expected[:, 1, 1] = -7 / 20, 5 / 20, -14 / 20, 10 / 20
    np.testing.assert_allclose(picture, expected, atol=1e-7)


def test_a_camera_that_pans_over_a_still_scene_leaves_nothing() -> None:
    snippets = moving_frames(2, right=4, down=-2)[None]
    assert np.abs(Flow(camera="median")(snippets)[INSIDE]).mean() < 0.1 / 20


@pytest.mark.parametrize("size", [(96, 96), (33, 90), (20, 57), (40, 42), (43, 42)])
def test_a_pair_gives_the_same_after_any_other_and_on_any_threads(size: tuple[int, int]) -> None:
    height, width = size
    pair = moving_frames(2, right=2, height=height, width=width)
    alone = Flow()(pair[None])
    before = cv2.getNumThreads()
    try:
        for threads in (1, 2, 4):
            cv2.setNumThreads(threads)
            Flow()(moving_frames(2, height=50, width=70)[None])
            np.testing.assert_array_equal(Flow()(pair[None]), alone)
            assert cv2.getNumThreads() == threads
    finally:
        cv2.setNumThreads(before)
    together = Flow()(np.stack([pair[::-1], pair, pair]))
    np.testing.assert_array_equal(together[1:], np.repeat(alone, 2, axis=0))


def test_clips_side_by_side_give_what_they_give_alone() -> None:
    clips = [moving_frames(4, right=k % 5 - 2, down=k % 3, height=64)[None] for k in range(8)]
    alone = [Flow(length=3)(clip) for clip in clips]
    before = cv2.getNumThreads()
    with ThreadPoolExecutor(4) as pool:
        for expected, got in zip(alone, pool.map(Flow(length=3), clips), strict=True):
            np.testing.assert_array_equal(got, expected)
    assert cv2.getNumThreads() == before


def test_small_frames_see_the_motion_too() -> None:
    """Frames below the least of DIS, which is padded and cut off again."""
    pair = moving_frames(2, right=1, height=24, width=40)
    assert dis_flow(pair[:1], pair[1:])[0, 6:-6, 6:-6, 0].mean() == pytest.approx(1, abs=0.15)


def test_without_opencv_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    for method in ("dis", "tvl1"):
        with pytest.raises(ConfigError, match=r"pip install 'bitreel\[flow\]'"):
            find_modality(f"flow:method={method}")(moving_frames(2)[None])


def test_tvl1_finds_the_motion_or_says_what_to_install() -> None:
    snippets = moving_frames(2, right=2, down=-1)[None]
    if not hasattr(cv2, "optflow"):
        with pytest.raises(ConfigError, match="opencv-contrib-python-headless"):
            Flow(method="tvl1")(snippets)
        return
    means = 20 * Flow(method="tvl1")(snippets)[INSIDE].mean(axis=(0, 2, 3))
    np.testing.assert_allclose(means, [2, -1], atol=0.1)


def test_a_method_can_be_added_that_takes_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def load(weights: str) -> object:
        seen.append(weights)
        return lambda first, second: np.ones((*first.shape[:3], 2), np.float32)

    monkeypatch.setitem(FLOW_METHODS, "raft", load)
    weights = str(Path("some") / "raft_small.pth")
    pictures = find_modality(f"flow:method=raft:weights={weights}")(moving_frames(2)[None])
    assert seen == [weights]
    assert (pictures == np.float32(1 / 20)).all()


def test_a_method_that_is_not_there_yet_says_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(FLOW_METHODS, "raft", raising=False)
    with pytest.raises(ConfigError, match=r"raft is run by bitreel\.network"):
        Flow(method="raft", weights="raft_small.pth")(moving_frames(2)[None])
