"""Which frames weigh most, on networks of which that is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from bitreel.clip import Clip, Segment
from bitreel.codes import BinaryCodes
from bitreel.errors import CodesError
from bitreel.insight import frame_weights
from bitreel.insight.frame_weights import (
    FrameWeights,
    frames_stand_alone,
    relaxed_distance,
    weigh_frames,
)
from bitreel.model import Model, ModelConfig, Sampling
from tiny import BACKBONE

BITS = 20


def model(**options: object) -> Model:
    """A tiny one of random weights, whose head was fitted to noise."""
    torch.manual_seed(0)
    sampling = Sampling(frames=4, height=64, width=64, clips=int(str(options.pop("clips", 1))))
    made = Model(
        ModelConfig(
            labels=("jump", "run"),
            bits=BITS,
            sampling=sampling,
            **({"backbone": BACKBONE} | options),  # type: ignore[arg-type]
        )
    )
    clips = [clip(made, seed) for seed in range(100, 108)]
    features = zip(*(made.features(one) for one in clips), strict=True)
    made.standardise([np.stack(stream) for stream in features])
    return made


def clip(model: Model, seed: int = 0) -> Clip:
    """Noise, a snippet at each position, half a second apart."""
    sampling, snippet = model.config.sampling, model.config.snippet
    positions = sampling.frames * sampling.clips
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (positions * snippet, 8, 8, 3), dtype=np.uint8)
    frames = coarse.repeat(8, axis=1).repeat(8, axis=2)
    rows = np.arange(positions * snippet).reshape(positions, snippet)
    times = 0.5 * np.arange(positions).repeat(snippet) + 0.01 * np.tile(range(snippet), positions)
    return Clip(frames, times, Segment(Path("noise.mp4"), 0.0, 4.0), snippets=rows)


def a_code(seed: int = 1) -> BinaryCodes:
    return BinaryCodes.from_bits(np.random.default_rng(seed).random((1, BITS)) < 0.5)


def one_by_one(model: Model, shown: Clip, code: BinaryCodes) -> NDArray[np.float64]:
    """The slow twin: the whole road for every frame that gives way, one clip after the other."""
    stored = code.unpack()[0]

    def far(one: Clip) -> float:
        relaxed = model.relaxed_bits([part[None] for part in model.features(one)])[0]
        return float(((relaxed.astype(float) - stored) ** 2).sum())

    weights = []
    for position in range(shown.positions):
        changes = []
        for other in (position - 1, position + 1):
            if 0 <= other < shown.positions:
                snippets, centres = shown.snippets.copy(), shown.centres.copy()
                snippets[position], centres[position] = snippets[other], centres[other]
                changes.append(far(replace(shown, snippets=snippets, centres=centres)) - far(shown))
        weights.append(np.mean(changes))
    return np.array(weights)


@pytest.mark.parametrize("position", [0, 2, 3])
def test_the_one_frame_that_decides_has_all_the_weight(position: int) -> None:
    """The average's learned weights are all on one position: no other can change a bit."""
    made = model(encoder="weighted")
    with torch.no_grad():
        logits = made.network.get_parameter("head.fusions.0.position_logits")
        logits.fill_(-200.0)
        logits[position] = 200.0
    shown = clip(made)
    own = BinaryCodes.from_relaxed(made.relaxed_bits([f[None] for f in made.features(shown)]))

    found = weigh_frames(made, shown, own)

    assert found.weights_bits[position] > 0.5, "without it the clip is no longer near its own code"
    np.testing.assert_allclose(np.delete(found.weights_bits, position), 0, atol=1e-6)
    np.testing.assert_allclose(found.times_seconds, [0, 0.5, 1, 1.5])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"clips": 2},
        {"encoder": "segments"},
        {"encoder": "attention", "modality": "rgb,difference"},
        {"modality": "rgb:focus=motion"},
        {"modality": "dynamic:window=2", "encoder": "mean"},
        {"encoder": "shift"},
        {"encoder": "conv3d", "modality": "difference", "backbone": "small3d"},
    ],
    ids=str,
)
def test_the_weights_are_those_of_encoding_every_change(options: dict[str, object]) -> None:
    made = model(**options)
    shown = clip(made)
    found = weigh_frames(made, shown, a_code())
    np.testing.assert_allclose(
        found.weights_bits, one_by_one(made, shown, a_code()), atol=1e-4, rtol=1e-4
    )
    assert np.abs(found.weights_bits).max() > 1e-3


def test_where_frames_stand_alone_the_network_runs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = model(modality="rgb,difference", encoder="segments")
    assert frames_stand_alone(made)
    shown = clip(made)
    features = made.features(shown)
    expected = weigh_frames(made, shown, a_code())
    monkeypatch.setattr(made, "features_of", None)
    found = weigh_frames(made, shown, a_code(), features)
    np.testing.assert_array_equal(found.weights_bits, expected.weights_bits)


@pytest.mark.parametrize(
    "options", [{"modality": "dynamic:window=2"}, {"encoder": "shift"}, {"modality": "dynamic"}]
)
def test_frames_that_are_mixed_do_not_stand_alone(options: dict[str, object]) -> None:
    assert not frames_stand_alone(model(**options))


def test_clips_are_encoded_a_batch_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    made = model(encoder="shift")
    expected = weigh_frames(made, clip(made), a_code())
    monkeypatch.setattr(frame_weights, "_CLIPS_AT_ONCE", 1)
    found = weigh_frames(made, clip(made), a_code())
    np.testing.assert_array_equal(found.weights_bits, expected.weights_bits)


def test_a_clip_of_one_frame_has_nothing_to_give_way_to() -> None:
    made = Model(
        ModelConfig(
            labels=(),
            bits=BITS,
            backbone=BACKBONE,
            sampling=Sampling(frames=1, height=64, width=64),
        )
    )
    found = weigh_frames(made, clip(made), a_code())
    assert found.weights_bits.tolist() == [0.0]


def test_the_relaxed_distance_of_sure_bits_is_hammings() -> None:
    code = a_code()
    other = a_code(2)
    expected = int((code.unpack() != other.unpack()).sum())
    assert relaxed_distance(other.unpack().astype(np.float32), code).tolist() == [expected]


def test_what_does_not_fit_is_refused() -> None:
    made = model()
    with pytest.raises(CodesError, match="can not be compared"):
        weigh_frames(made, clip(made), BinaryCodes(np.zeros((1, 8), np.uint8), 64))
    with pytest.raises(ValueError, match="a weight for each time"):
        FrameWeights(np.zeros(3), np.zeros(2))
