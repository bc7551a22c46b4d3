"""The bundle: what is saved is what is loaded, and what is damaged is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bitreel.clip import Clip, Segment
from bitreel.config import from_json, to_json
from bitreel.errors import ConfigError, ModelError
from bitreel.model import Model, ModelConfig, Sampling
from tiny import tiny_model


def some_clip(seed: int = 0) -> Clip:
    frames = np.random.default_rng(seed).integers(0, 256, (4, 64, 64, 3)).astype(np.uint8)
    return Clip(frames, np.arange(4.0), Segment(Path("made.mp4"), 0.0, 4.0))


@pytest.fixture(scope="module")
def model() -> Model:
    return tiny_model()


@pytest.fixture
def saved(model: Model, tmp_path: Path) -> Path:
    return model.save(tmp_path / "model")


def test_a_loaded_model_gives_the_same_codes_and_fingerprint(model: Model, saved: Path) -> None:
    loaded = Model.load(saved)
    assert loaded.fingerprint == model.fingerprint
    assert loaded.config == model.config
    for seed in range(5):
        clip = some_clip(seed)
        assert (loaded.encode(clip).packed == model.encode(clip).packed).all()


def test_a_saved_model_holds_no_pickle(saved: Path) -> None:
    assert {path.name for path in saved.iterdir()} == {"model.json", "model.safetensors"}
    json.loads((saved / "model.json").read_text())


def test_codes_do_not_depend_on_their_neighbours(model: Model) -> None:
    features = [model.features(some_clip(seed))[0] for seed in range(6)]  # [1,T,D]
    together = model.relaxed_bits([np.stack(features)])
    for row, own in zip(together, features, strict=True):
        alone = model.relaxed_bits([own[None]])[0]
        np.testing.assert_array_equal(row, alone)


def perturbed(model: Model, name: str) -> str:
    """The fingerprint after one number of one tensor moved."""
    other = tiny_model()
    other.network.load_state_dict(model.network.state_dict())
    with torch.no_grad():
        other.network.get_parameter(name).view(-1)[0] += 1.0
    return other.fingerprint


@pytest.mark.parametrize(
    "name",
    [
        "head.hash_head.hash_layer.weight",
        "head.hash_head.hash_layer.bias",
        "head.fusions.0.position_logits",
        "backbones.0.cnn.conv_stem.weight",
    ],
)
def test_the_fingerprint_moves_with_every_weight_that_changes_a_code(
    model: Model, name: str
) -> None:
    assert perturbed(model, name) != model.fingerprint


def test_the_fingerprint_stays_when_only_the_classifier_moves(model: Model) -> None:
    assert perturbed(model, "head.hash_head.classifier.weight") == model.fingerprint


def test_the_fingerprint_moves_with_the_sampling(model: Model) -> None:
    config = replace(model.config, sampling=Sampling(frames=5, height=64, width=64))
    other = Model(config)
    state = model.network.state_dict() | {"head.fusions.0.position_logits": torch.zeros(5)}
    other.network.load_state_dict(state)
    assert other.fingerprint != model.fingerprint
    assert other.features_fingerprints != model.features_fingerprints


def test_the_features_do_not_depend_on_the_head(model: Model) -> None:
    other = Model(replace(model.config, bits=32, encoder="temporal"))
    other.network.backbones.load_state_dict(model.network.backbones.state_dict())
    assert other.features_fingerprints == model.features_fingerprints
    assert other.fingerprint != model.fingerprint


def test_saving_twice_replaces_and_other_folders_are_left_alone(
    model: Model, saved: Path, tmp_path: Path
) -> None:
    tiny_model(seed=1).save(saved)
    assert Model.load(saved).fingerprint != model.fingerprint
    mine = tmp_path / "holiday"
    mine.mkdir()
    (mine / "photo.jpg").write_bytes(b"dear")
    with pytest.raises(ModelError, match="is no bitreel model"):
        model.save(mine)
    assert (mine / "photo.jpg").read_bytes() == b"dear"


def edit_manifest(folder: Path, change: Callable[[dict[str, object]], object]) -> None:
    manifest = json.loads((folder / "model.json").read_text())
    change(manifest)
    (folder / "model.json").write_text(json.dumps(manifest))


def test_a_missing_model_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="bitreel train"):
        Model.load(tmp_path / "nowhere")


def test_tensors_of_another_model_are_noticed(saved: Path, tmp_path: Path) -> None:
    other = tiny_model(seed=2).save(tmp_path / "other")
    (other / "model.safetensors").replace(saved / "model.safetensors")
    with pytest.raises(ModelError, match="do not match its fingerprint"):
        Model.load(saved)


def test_truncated_tensors_are_noticed(saved: Path) -> None:
    path = saved / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ModelError, match="damaged or incomplete"):
        Model.load(saved)


def test_missing_tensors_are_noticed(saved: Path) -> None:
    (saved / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="damaged or incomplete"):
        Model.load(saved)


def test_a_later_format_is_refused_and_names_its_version(saved: Path) -> None:
    edit_manifest(saved, lambda m: m.update(format_version=99, bitreel="7.0"))
    with pytest.raises(ModelError, match=r"written by bitreel 7\.0"):
        Model.load(saved)


def test_a_model_of_another_preprocessing_is_refused(saved: Path) -> None:
    edit_manifest(saved, lambda m: m.update(preprocessing="frames by LANCZOS", bitreel="0.9"))
    with pytest.raises(ModelError, match=r"made by bitreel 0\.9, which prepares frames otherwise"):
        Model.load(saved)


def test_an_option_that_is_not_known_is_refused(saved: Path) -> None:
    def add(manifest: dict[str, object]) -> None:
        config = manifest["config"]
        assert isinstance(config, dict)
        config["warp"] = 9

    edit_manifest(saved, add)
    with pytest.raises(ModelError, match="warp"):
        Model.load(saved)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "something else"}'])
def test_a_manifest_that_is_none_is_refused(saved: Path, text: str) -> None:
    (saved / "model.json").write_text(text)
    with pytest.raises(ModelError):
        Model.load(saved)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Sampling(frames=0),
        lambda: Sampling(height=8),
        lambda: ModelConfig(labels=("a",), bits=0),
        lambda: ModelConfig(labels=("a",), encoder="lstm"),
        lambda: Sampling(spacing_seconds=0.0),
        lambda: ModelConfig(labels=("a",), modality="smell"),
    ],
)
def test_options_out_of_range_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ConfigError):
        make()


def test_a_default_spelt_out_gives_the_same_fingerprint(model: Model) -> None:
    spelt = from_json(ModelConfig, to_json(model.config), where="test")
    other = Model(spelt)
    other.network.load_state_dict(model.network.state_dict())
    assert other.fingerprint == model.fingerprint


def test_a_stream_of_several_has_the_fingerprint_that_it_has_alone() -> None:
    def fingerprints(modality: str) -> dict[str, str]:
        torch.manual_seed(0)
        config = replace(tiny_model().config, modality=modality)
        model = Model(config)
        for backbone in model.network.backbones:
            torch.manual_seed(0)
            for tensor in backbone.state_dict().values():
                torch.nn.init.uniform_(tensor) if tensor.is_floating_point() else tensor.zero_()
        names = (str(modality) for modality in model.modalities)
        return dict(zip(names, model.features_fingerprints, strict=True))

    both = fingerprints("rgb,difference")
    assert both == fingerprints("rgb") | fingerprints("difference")
    # In a short video the two frames are cut from a longer snippet, and may be others.
    longer = fingerprints("rgb,difference,difference:length=5")
    assert longer["rgb"] == both["rgb"]
    assert longer["difference"] != both["difference"]


def test_equal_options_are_equal_values(model: Model) -> None:
    spelt = replace(model.config, modality=" difference:length=1 ,rgb")
    assert spelt.modality == "difference,rgb"
