"""What is searched: points to options and back."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitreel.errors import ConfigError
from bitreel.network.fusion import FUSIONS
from bitreel.training.presets import make_config
from bitreel.training.search_space import (
    MARGIN,
    RATIO,
    Choice,
    Range,
    SearchSpace,
    ratio_of,
    with_ratio,
)

# The options that differ from the base in name alone: a margin of None is a quarter of the bits.
PLAIN = make_config("seed", options={"refit": False, "margin": 16.0})
SEED = make_config("seed")


def test_the_defaults_are_a_point_and_that_point_is_the_defaults() -> None:
    space = SearchSpace(SEED)
    point = space.default(64)
    assert point == {
        RATIO: 0.0,
        MARGIN: 0.25,
        "triplets": "semi-hard",
        "learning_rate": 1e-3,
        "encoder": "weighted",
        "bits": 64,
    }
    assert space.holds(point)
    assert space.config(point) == PLAIN
    assert space.config(point, seed=7) == replace(PLAIN, seed=7)
    assert space.config(space.default(128)) == replace(PLAIN, bits=128, margin=32.0)


@given(st.floats(-8, 4), st.floats(1 / 32, 1), st.floats(1e-4, 1e-2), st.sampled_from([64, 256]))
def test_a_point_comes_back(ratio: float, margin: float, rate: float, bits: int) -> None:
    space = SearchSpace(replace(SEED, alpha=0.5, beta=2.0), widths=(64, 256))
    point: dict[str, Any] = {RATIO: ratio, MARGIN: margin, "learning_rate": rate, "bits": bits}
    point |= {"triplets": "hard", "encoder": "mean"}
    config = space.config(point)
    assert config.alpha + config.beta == pytest.approx(2.5, rel=1e-3)
    back = space.point(config)
    assert back[RATIO] == pytest.approx(ratio, abs=5e-3)  # four digits are kept
    assert back[MARGIN] == pytest.approx(margin, rel=1e-3)
    assert back["learning_rate"] == pytest.approx(rate, rel=1e-3)
    assert (back["triplets"], back["encoder"], back["bits"]) == ("hard", "mean", bits)


@pytest.mark.parametrize("ratio", [-math.inf, -8.0, 0.0, 3.0, math.inf])
def test_a_ratio_of_the_weights_and_back(ratio: float) -> None:
    config = with_ratio(SEED, ratio)
    assert config.alpha + config.beta == pytest.approx(2.0, abs=2e-3)
    assert ratio_of(config) == pytest.approx(ratio, abs=2e-3)


def test_defaults_with_one_term_alone_lie_outside() -> None:
    space = SearchSpace(replace(SEED, beta=0.0))
    assert space.default(64)[RATIO] == -math.inf
    assert not space.holds(space.default(64))
    assert space.config(space.default(64)) == replace(PLAIN, beta=0.0)


@pytest.mark.parametrize("loss", ["ortho", "central"])
def test_losses_of_fixed_codes_have_their_own_dimensions(loss: Any) -> None:
    space = SearchSpace(replace(SEED, loss=loss))
    assert list(space.dimensions) == ["quantisation", "balance", "learning_rate", "encoder", "bits"]
    assert space.holds(space.default(64))
    assert space.config(space.default(64)) == replace(SEED, loss=loss, refit=False)


def test_a_regression_has_its_ridge_and_the_fusions_that_need_no_training() -> None:
    base = replace(SEED, loss="ridge", encoder="mean")
    space = SearchSpace(base)
    assert list(space.dimensions) == ["ridge", "encoder", "bits"]
    assert space.encoders == ("mean", "segments")
    assert space.config(space.default(64)) == replace(
        SEED, loss="ridge", encoder="mean", refit=False
    )


def test_the_encoders_are_the_fusions_of_the_same_features() -> None:
    plain = SearchSpace(SEED).encoders
    assert plain[0] == "weighted"
    assert set(plain) == set(FUSIONS)
    shifted = SearchSpace(replace(SEED, encoder="shift")).encoders
    assert shifted[0] == "shift"
    assert set(shifted) == {"shift", *(f"shift+{name}" for name in FUSIONS if name != "mean")}
    assert SearchSpace(SEED, encoders=("mean",)).dimensions["encoder"] == Choice(("mean",))


@pytest.mark.parametrize(
    ("changes", "words", "sentence"),
    [
        ({"loss": "itq", "encoder": "mean"}, {}, "The loss itq can not be tuned"),
        ({"finetune": True}, {}, "finetune can not be tuned: tune trains the head on cached"),
        ({}, {"encoders": ("mean", "shift")}, "mean, shift need features of their own"),
        ({}, {"encoders": ("best",)}, "Unknown encoder 'best'"),
        ({}, {"widths": (64, 0)}, "1 to 4096 bits, got 0"),
    ],
)
def test_what_can_not_be_searched(
    changes: dict[str, Any], words: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        SearchSpace(replace(SEED, **changes), **words)


def test_a_dimension_knows_its_values() -> None:
    assert 0.5 in Range(0, 1)
    assert 1.5 not in Range(0, 1)
    assert "mean" not in Range(0, 1)
    assert "mean" in Choice(("mean", "attention"))
