"""Frames as they are."""

from __future__ import annotations

import numpy as np
import pytest

from bitreel.errors import ConfigError
from bitreel.modality import MODALITIES, find_modality


def test_rgb_is_the_picture_scaled_and_channels_first() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3)).astype(np.uint8)
    pictures = find_modality("rgb")(frames)
    assert pictures.dtype == np.float32
    assert pictures.shape == (3, 3, 4, 5)
    for t, c, y, x in np.ndindex(pictures.shape):
        assert pictures[t, c, y, x] == pytest.approx(frames[t, y, x, c] / 255, abs=1e-7)


def test_every_modality_stands_under_its_own_name_and_gives_its_channels() -> None:
    frames = np.zeros((4, 32, 32, 3), np.uint8)
    for name, modality in MODALITIES.items():
        assert modality.name == name
        assert modality(frames).shape[1] == modality.channels


def test_an_unknown_modality_is_refused_with_the_choices() -> None:
    with pytest.raises(ConfigError, match="rgb"):
        find_modality("smell")
