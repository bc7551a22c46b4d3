"""Frames as they are."""

from __future__ import annotations

import numpy as np
import pytest
from moving import random_snippets

from bitreel.modality import Rgb


def test_rgb_is_the_picture_scaled_and_channels_first() -> None:
    snippets = random_snippets(3, 1, height=4, width=5)
    pictures = Rgb()(snippets)
    assert pictures.dtype == np.float32
    assert pictures.shape == (3, 3, 4, 5)
    for t, c, y, x in np.ndindex(pictures.shape):
        assert pictures[t, c, y, x] == pytest.approx(snippets[t, 0, y, x, c] / 255, abs=1e-7)


def test_only_rgb_is_to_be_normalised_as_a_picture() -> None:
    assert not Rgb().signed
