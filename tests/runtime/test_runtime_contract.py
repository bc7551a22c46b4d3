"""Every runtime gives the features that torch gives, within a stated tolerance."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from needs import make_clip, make_model, needs

from bitreel.codes import hamming
from bitreel.errors import ConfigError
from bitreel.model import Model
from bitreel.runtime import FEATURE_TOLERANCE, by_onnx, by_openvino

CLIPS = [make_clip(seed) for seed in range(6)]
EXPORTED = [
    pytest.param("openvino", marks=needs("openvino")),
    pytest.param("onnx", marks=needs("onnx")),
]


def twin(model: Model) -> Model:
    """The same model, to be run otherwise."""
    other = Model(model.config)
    other.network.load_state_dict(model.network.state_dict())
    return other


def furthest(features: list[np.ndarray], others: list[np.ndarray]) -> float:
    """The largest distance of two rows, over the length of the second."""
    far = [
        np.linalg.norm(one - other, axis=-1) / np.linalg.norm(other, axis=-1)
        for one, other in zip(features, others, strict=True)
    ]
    return float(max(part.max() for part in far))


@pytest.fixture(scope="module")
def plain() -> Model:
    return make_model()


@pytest.fixture(scope="module", params=EXPORTED)
def exported(request: pytest.FixtureRequest, plain: Model) -> Model:
    """A model by another runtime, exported once for this file."""
    return twin(plain).use_runtime(request.param)


def test_features_are_those_of_torch(plain: Model, exported: Model) -> None:
    for clip in CLIPS:
        assert furthest(exported.features(clip), plain.features(clip)) < FEATURE_TOLERANCE
    assert exported.runtimes[0] != "torch"


def test_codes_are_those_of_torch_where_no_bit_is_near_its_threshold(
    plain: Model, exported: Model
) -> None:
    for clip in CLIPS:
        relaxed = plain.relaxed_bits([part[None] for part in plain.features(clip)])
        sure = np.abs(relaxed - 0.5) > 1e-3
        before, after = plain.encode(clip).unpack(), exported.encode(clip).unpack()
        np.testing.assert_array_equal(before[sure], after[sure])
        assert hamming(plain.encode(clip), exported.encode(clip)) <= (~sure).sum()


def test_the_fingerprint_does_not_change(plain: Model, exported: Model) -> None:
    assert exported.fingerprint == plain.fingerprint
    assert exported.features_fingerprints == plain.features_fingerprints


def test_features_are_the_same_every_time_and_in_every_thread(exported: Model) -> None:
    first = [exported.features(clip)[0] for clip in CLIPS]
    with ThreadPoolExecutor(4) as pool:
        again = list(pool.map(lambda clip: exported.features(clip)[0], CLIPS * 5))
    for k, features in enumerate(again):
        np.testing.assert_array_equal(features, first[k % len(CLIPS)])


@pytest.mark.parametrize("batch", [1, 3, 4, 8])
def test_features_do_not_depend_on_the_neighbours_in_a_batch(plain: Model, batch: int) -> None:
    """3 crosses from clip to clip, 8 holds two."""
    model = twin(plain).use_runtime("torch", pictures_at_once=batch)
    together = model.features_of(CLIPS)
    for clip, features in zip(CLIPS, together, strict=True):
        np.testing.assert_array_equal(features[0], model.features(clip)[0])
        np.testing.assert_array_equal(features[0], model.features_of([CLIPS[3], clip])[1][0])


@needs("openvino")
def test_nor_by_openvino(plain: Model) -> None:
    model = twin(plain).use_runtime("openvino", pictures_at_once=3)
    for clip, features in zip(CLIPS, model.features_of(CLIPS), strict=True):
        np.testing.assert_array_equal(features[0], model.features(clip)[0])


@pytest.mark.slow
@pytest.mark.parametrize("runtime", EXPORTED)
@pytest.mark.parametrize(
    "options",
    [
        {"encoder": "shift"},
        {"encoder": "conv3d", "modality": "rgb,difference"},
        {"encoder": "conv3d", "modality": "difference", "backbone": "small3d"},
        {"encoder": "segments", "modality": "dynamic", "backbone": "resnet18"},
        {"encoder": "conv3d", "backbone": "r2plus1d_18"},
    ],
    ids=lambda options: "-".join(options.values()),
)
def test_networks_that_look_along_time(options: dict[str, str], runtime: str) -> None:
    plain = make_model(**options)  # type: ignore[arg-type]
    exported = twin(plain).use_runtime(runtime)
    for clip in CLIPS[:3]:
        assert furthest(exported.features(clip), plain.features(clip)) < FEATURE_TOLERANCE


@needs("openvino")
def test_weights_that_changed_are_exported_anew(plain: Model) -> None:
    model = twin(plain).use_runtime("openvino")
    before = model.features(CLIPS[0])[0]
    with torch.no_grad():
        model.network.backbones[0].cnn.conv_stem.weight.mul_(-1)
    assert furthest(model.features(CLIPS[0]), [before]) > 0.01
    again = twin(model)
    assert furthest(model.features(CLIPS[0]), again.features(CLIPS[0])) < FEATURE_TOLERANCE


@pytest.mark.parametrize(
    "runtime",
    [EXPORTED[0], pytest.param("onnx", marks=[needs("onnx"), pytest.mark.slow])],
)
def test_an_exported_network_is_kept_for_the_next_process(
    plain: Model, runtime: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    first = twin(plain).use_runtime(runtime, kept=kept).features(CLIPS[0])[0]
    assert all(file.name.startswith(plain.features_fingerprints[0][:32]) for file in kept.iterdir())
    by = by_openvino if runtime == "openvino" else by_onnx
    with monkeypatch.context() as patched:
        patched.setattr(by, "convert", None)  # it would fail
        again = twin(plain).use_runtime(runtime, kept=kept).features(CLIPS[0])[0]
    np.testing.assert_array_equal(first, again)
    for file in kept.iterdir():
        file.write_bytes(b"not a network")
    repaired = twin(plain).use_runtime(runtime, kept=kept).features(CLIPS[0])[0]
    np.testing.assert_array_equal(first, repaired)


@needs("openvino")
def test_a_place_that_can_not_be_written_keeps_nothing(plain: Model, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    model = twin(plain).use_runtime("openvino", kept=blocked)
    assert furthest(model.features(CLIPS[0]), plain.features(CLIPS[0])) < FEATURE_TOLERANCE


@needs("openvino")
def test_a_backbone_that_can_not_be_exported(plain: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise TypeError("an operator that nobody knows")

    monkeypatch.setattr(by_openvino, "convert", refuse)
    with pytest.raises(ConfigError, match=r"openvino does not take this backbone .*nobody knows"):
        twin(plain).use_runtime("openvino").features(CLIPS[0])
    model = twin(plain).use_runtime("auto")
    np.testing.assert_array_equal(model.features(CLIPS[0])[0], plain.features(CLIPS[0])[0])
    assert model.runtimes == ("torch",)
