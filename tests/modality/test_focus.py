"""The channel that says where to look."""

from __future__ import annotations

import numpy as np
import pytest
from moving import moving_frames, random_snippets, snippets_of

from bitreel.modality import Difference, Modality, Rgb
from bitreel.modality.focus import ENOUGH_PIXELS, motion_planes

FOCUSED: list[Modality] = [
    Rgb(focus="motion"),
    Difference(focus="motion"),
    Difference(length=2, camera="steady", focus="motion"),
]


@pytest.mark.parametrize("modality", FOCUSED, ids=str)
def test_the_other_channels_are_as_without_it(modality: Modality) -> None:
    frames = moving_frames(4, right=1)
    snippets = snippets_of(frames, modality.snippet)
    plain = type(modality)(**{**vars(modality), "focus": "none"})
    without = plain(np.ascontiguousarray(snippets[:, : plain.snippet]))
    np.testing.assert_array_equal(modality(snippets)[:, :-1], without)
    assert modality.channels == plain.channels + 1
    assert (modality.focused, plain.focused) == (True, False)


@pytest.mark.parametrize("modality", [FOCUSED[0], FOCUSED[2]], ids=str)
@pytest.mark.parametrize("side", [96, 2 * ENOUGH_PIXELS + 5])
def test_it_shows_what_moves_by_itself_under_a_camera_that_pans(
    modality: Modality, side: int
) -> None:
    frames = moving_frames(3, down=2, height=side, width=side).copy()
    for frame, left in zip(frames, (30, 40, 50), strict=True):
        frame[40:60, left : left + 20] = 255
    (plane,) = modality(frames[None, : modality.snippet])[:, -1]
    inside = plane[38:62, 28:72].mean()
    outside = (plane.sum() - plane[36:64, 26:74].sum()) / (side**2 - 28 * 48)
    assert inside > 10 * outside


def test_what_a_difference_shows_is_the_mean_of_its_own_stack() -> None:
    snippets = random_snippets(3, 3)
    pictures = Difference(length=2, focus="motion")(snippets)
    np.testing.assert_allclose(pictures[:, -1], np.abs(pictures[:, :-1]).mean(axis=1), rtol=1e-6)


@pytest.mark.parametrize("size", [(5, 9), (120, 113), (225, 300)])
def test_a_plane_is_as_large_as_its_picture(size: tuple[int, int]) -> None:
    planes = motion_planes(random_snippets(2, 2, height=size[0], width=size[1]))
    assert planes.shape == (2, 1, *size)
    assert planes.min() >= 0
    assert planes.max() <= 1
