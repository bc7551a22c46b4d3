"""A shaking camera and a flickering light taken away before differences are looked at."""

from __future__ import annotations

import numpy as np
import pytest
from moving import moving_frames, random_snippets, texture
from numpy.typing import NDArray

from bitreel.modality import Difference
from bitreel.modality.steady import LEAST_PIXELS, camera_motion, shifted, steadied

STEADY = Difference(camera="steady")


def grey(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(frame.astype(np.float32).mean(axis=2))


@pytest.mark.parametrize(("right", "down"), [(1, 0), (0, -1), (3, -2), (-6, 4), (9, 7)])
def test_a_known_shift_is_found(right: int, down: int) -> None:
    first, second = moving_frames(2, right=right, down=down)
    found = camera_motion(grey(first), grey(second))
    np.testing.assert_allclose(found, (down, right, 1), atol=0.05)


def test_a_part_of_a_pixel_is_found() -> None:
    """Pictures of half the size move by half as far."""
    large = texture(130)
    pictures = [large[y : y + 120, x : x + 120] for y, x in ((5, 4), (4, 7))]
    first, second = (
        p.reshape(60, 2, 60, 2, 3).mean(axis=(1, 3, 4)).astype(np.float32) for p in pictures
    )
    down, right, _ = camera_motion(first, second)
    np.testing.assert_allclose((down, right), (0.5, -1.5), atol=0.05)


def test_shifting_agrees_with_a_loop_over_pixels() -> None:
    picture = np.random.default_rng(0).uniform(0, 255, (5, 7)).astype(np.float32)
    for down, right in ((0, 0), (1, -2), (0.25, -0.5), (-1.75, 2.5), (-9, 9.5)):
        found = shifted(picture, down, right)
        for y, x in np.ndindex(picture.shape):
            assert found[y, x] == pytest.approx(_between(picture, y + down, x + right), abs=1e-3)


def _between(picture: NDArray[np.float32], y: float, x: float) -> float:
    top, left = int(np.floor(y)), int(np.floor(x))
    total = 0.0
    for row, row_part in ((top, 1 - (y - top)), (top + 1, y - top)):
        for column, part in ((left, 1 - (x - left)), (left + 1, x - left)):
            inside = np.clip(row, 0, 4), np.clip(column, 0, 6)
            total += row_part * part * float(picture[inside])
    return total


@pytest.mark.parametrize(("right", "down"), [(2, 0), (-3, 5)])
def test_a_camera_that_pans_over_a_still_scene_leaves_little(right: int, down: int) -> None:
    snippets = moving_frames(2, right=right, down=down)[None]
    kept, steady = (np.abs(m(snippets)).mean() for m in (Difference(), STEADY))
    assert steady < 0.05 * kept


def test_light_that_changes_leaves_little() -> None:
    frame = moving_frames(1)[0]
    darker = np.rint(frame * 0.9).astype(np.uint8)
    kept, steady = (
        np.abs(m(np.stack([frame, darker])[None])).mean() for m in (Difference(), STEADY)
    )
    assert steady < 0.1 * kept


def test_what_moves_by_itself_stays() -> None:
    """A bright square that goes to the right while the camera goes down."""
    frames = moving_frames(2, down=2).copy()
    for frame, left in zip(frames, (30, 42), strict=True):
        frame[40:52, left : left + 12] = 255
    still = frames.copy()
    still[:, 38:54, 28:56] = 0
    steady = np.abs(STEADY(frames[None])[0]).mean(axis=0)
    square, elsewhere = steady[42:50, 32:52].mean(), np.delete(steady, np.s_[36:56], axis=0).mean()
    assert square > 10 * elsewhere


def test_a_reversed_clip_gives_the_negated_reverse() -> None:
    frames = moving_frames(4, right=2, down=-1)
    modality = Difference(length=3, camera="steady")
    forward = modality(frames[None]).reshape(3, 3, 96, 96)
    backward = modality(np.ascontiguousarray(frames[::-1])[None]).reshape(3, 3, 96, 96)
    np.testing.assert_allclose(backward, -forward[::-1], atol=1e-3)


def test_what_comes_into_view_is_no_motion() -> None:
    first, second = steadied(*moving_frames(2, right=8))
    assert not first[:, :3].any()
    assert not second[:, -3:].any()
    assert first[:, 4:-4].all()


def test_frames_too_small_to_tell_are_left_as_they_are() -> None:
    snippets = random_snippets(2, 2, height=LEAST_PIXELS - 1, width=40)
    np.testing.assert_array_equal(STEADY(snippets), Difference()(snippets))
