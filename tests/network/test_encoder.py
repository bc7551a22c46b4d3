"""Encoders as words."""

from __future__ import annotations

import pytest

from bitreel.errors import ConfigError
from bitreel.network import Encoder, find_encoder
from bitreel.network.backbone import MIXINGS
from bitreel.network.fusion import FUSIONS


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize("fusion", FUSIONS)
def test_every_encoder_is_found_by_its_own_name(mixing: str, fusion: str) -> None:
    encoder = Encoder(mixing, fusion)  # type: ignore[arg-type]
    assert find_encoder(str(encoder)) == encoder


def test_the_short_words() -> None:
    assert find_encoder("weighted") == Encoder("frame", "weighted")
    assert find_encoder("shift") == Encoder("shift", "mean")
    assert find_encoder("conv3d") == Encoder("conv3d", "mean")
    assert str(Encoder("conv3d", "attention")) == "conv3d+attention"
    assert find_encoder("shift+mean") == find_encoder("shift")


@pytest.mark.parametrize("word", ["", "lstm", "conv3d+lstm", "conv3d+"])
def test_another_word_is_refused_with_those_that_exist(word: str) -> None:
    with pytest.raises(
        ConfigError, match="weighted, mean, attention, segments, temporal, shift, conv3d"
    ):
        find_encoder(word)
