"""What all modalities hold to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from moving import SPECS, modality_of, moving_frames, random_snippets, snippets_of

from bitreel.modality import MODALITIES, Modality


@pytest.fixture(params=SPECS)
def modality(request: pytest.FixtureRequest) -> Modality:
    return modality_of(request.param)


def test_each_stands_under_its_own_name() -> None:
    for name, kind in MODALITIES.items():
        assert kind().name == name == str(kind())
    assert {spec.split(":")[0] for spec in SPECS} == set(MODALITIES)


@pytest.mark.parametrize("positions", [1, 2, 5, 16])
def test_shapes_are_those_announced(modality: Modality, positions: int) -> None:
    pictures = modality(random_snippets(positions, modality.snippet, height=33, width=40))
    assert pictures.dtype == np.float32
    assert pictures.shape == (modality.pictures(positions), modality.channels, 33, 40)
    assert pictures.flags.c_contiguous


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 300), (8, 64), (12, 500)])
def test_tiny_frames(modality: Modality, size: tuple[int, int]) -> None:
    height, width = size
    pictures = modality(random_snippets(2, modality.snippet, height=height, width=width))
    assert pictures.shape[2:] == size
    assert np.isfinite(pictures).all()


def test_values_stay_in_their_range(modality: Modality) -> None:
    """Frames of full contrast, black and white by turns."""
    shape = (6, modality.snippet, 40, 40, 3)
    blinking = np.zeros(shape, np.uint8)
    blinking[1::2, ::2] = blinking[::2, 1::2] = 255
    for snippets in (blinking, random_snippets(6, modality.snippet, height=40, width=40)):
        pictures = modality(snippets)
        assert pictures.min() >= (-1 if modality.signed else 0)
        assert pictures.max() <= 1


def test_what_stands_still_is_zero_where_motion_is_shown(modality: Modality) -> None:
    still = np.repeat(moving_frames(1), 4 * modality.snippet, axis=0)
    pictures = modality(still.reshape(4, modality.snippet, *still.shape[1:]))
    assert pictures.any() == (not modality.signed)


def test_a_mirrored_clip_gives_mirrored_pictures(modality: Modality) -> None:
    snippets = snippets_of(moving_frames(6, right=2, down=1), modality.snippet)
    expected = modality(np.ascontiguousarray(snippets[:, :, :, ::-1]))
    mirrored = modality.mirror(modality(snippets))
    assert mirrored.flags.c_contiguous
    if modality.name == "flow":  # the search for it starts at the left
        inside = np.s_[..., 16:-16, 16:-16]
        np.testing.assert_allclose(mirrored[inside], expected[inside], atol=0.1 / 20)
    elif "steady" in str(modality) or modality.focused:  # sums over the picture round from the left
        np.testing.assert_allclose(mirrored, expected, atol=1e-3)
    else:
        np.testing.assert_array_equal(mirrored, expected)


def test_mirroring_twice_changes_nothing_and_takes_batches(modality: Modality) -> None:
    pictures = modality(random_snippets(5, modality.snippet, height=32, width=33))
    before = pictures.copy()
    np.testing.assert_array_equal(modality.mirror(modality.mirror(pictures)), pictures)
    batch = np.stack([pictures, pictures + 1])
    np.testing.assert_array_equal(modality.mirror(batch)[0], modality.mirror(pictures))
    np.testing.assert_array_equal(pictures, before)


def test_the_frames_are_left_as_they_were(modality: Modality) -> None:
    snippets = random_snippets(3, modality.snippet, height=32, width=32)
    before = snippets.copy()
    modality(snippets)
    np.testing.assert_array_equal(snippets, before)


def test_other_shapes_are_refused(modality: Modality) -> None:
    fits = random_snippets(2, modality.snippet)
    wrong_ones: tuple[Any, ...] = (
        fits[0],
        fits[:0],
        np.repeat(fits, 2, axis=1),
        fits[..., :2],
        fits.astype(np.float32),
    )
    for wrong in wrong_ones:
        with pytest.raises(ValueError, match=r"expected snippets uint8 \[T,\d+,H,W,3\] for"):
            modality(wrong)
