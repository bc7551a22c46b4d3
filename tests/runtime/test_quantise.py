"""A model in 8-bit integers: made, measured, saved and loaded as any other."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from needs import make_clip, make_model, needs

from bitreel.codes import BinaryCodes, hamming
from bitreel.errors import ConfigError, DataError, ModelError
from bitreel.model import Known, Model, measure_cost, quantise
from bitreel.model.cost import score_by_groups
from bitreel.model.quantisation import evenly
from bitreel.runtime import installed
from bitreel.video import write_video


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("videos")
    paths = [folder / f"{seed}.mp4" for seed in range(6)]
    return [write_video(path, make_clip(seed).frames) for seed, path in enumerate(paths)]


@pytest.fixture(scope="module")
def plain() -> Model:
    return make_model()


@pytest.fixture(scope="module")
def int8(plain: Model, videos: list[Path]) -> Model:
    return quantise(plain, videos)


@needs("int8")
def test_features_are_near_and_codes_mostly_the_same(plain: Model, int8: Model) -> None:
    for seed in range(4):
        clip = make_clip(seed)
        before, after = plain.features(clip)[0], int8.features(clip)[0]
        assert before.shape == after.shape
        assert not np.array_equal(before, after)
        apart = np.linalg.norm(after - before, axis=-1) / np.linalg.norm(before, axis=-1)
        assert apart.max() < 0.5
        assert hamming(plain.encode(clip), int8.encode(clip)) <= 16
    assert int8.runtimes == ("openvino",)


@needs("int8")
def test_it_has_a_fingerprint_of_its_own(plain: Model, int8: Model) -> None:
    assert int8.fingerprint != plain.fingerprint
    assert int8.features_fingerprints != plain.features_fingerprints
    assert int8.config == replace(plain.config, precision="int8")


@needs("int8")
def test_a_saved_one_gives_the_same_codes_in_another_process(int8: Model, tmp_path: Path) -> None:
    folder = int8.save(tmp_path / "model8")
    assert {path.name for path in folder.iterdir()} == {"model.json", "model.safetensors"}
    loaded = Model.load(folder)
    assert loaded.fingerprint == int8.fingerprint
    code = (
        "import sys; sys.path[:0] = sys.argv[2:]; from bitreel.model import Model;"
        "from needs import make_clip; model = Model.load(sys.argv[1]);"
        "print(*(model.encode(make_clip(seed)).packed.tobytes().hex() for seed in range(4)))"
    )
    here = Path(__file__).parent
    words = [sys.executable, "-c", code, str(folder), str(here), str(here.parent)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    own = [int8.encode(make_clip(seed)).packed.tobytes().hex() for seed in range(4)]
    assert done.stdout.split() == own
    assert own == [loaded.encode(make_clip(seed)).packed.tobytes().hex() for seed in range(4)]


@needs("int8")
def test_codes_do_not_depend_on_the_batch(int8: Model) -> None:
    clips = [make_clip(seed) for seed in range(3)]
    alone = [int8.features(clip)[0] for clip in clips]
    try:
        int8.use_runtime("auto", pictures_at_once=3)
        for features, own in zip(int8.features_of(clips), alone, strict=True):
            np.testing.assert_array_equal(features[0], own)
    finally:
        int8.use_runtime("auto")


@needs("int8")
def test_damage_is_noticed(int8: Model, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = int8.save(tmp_path / "model8")
    tensors = load_file(folder / "model.safetensors")
    tensors["quantised.0.weights"][1000] ^= 1
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(ModelError, match="do not match its fingerprint"):
        Model.load(folder)
    del tensors["quantised.0.weights"]
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(ModelError, match="damaged or incomplete"):
        Model.load(folder)


@needs("int8")
def test_what_can_not_be_done_with_it(
    int8: Model, videos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="int8 already"):
        quantise(int8, videos)
    with pytest.raises(ConfigError, match="runs by openvino alone"):
        int8.use_runtime("torch")
    monkeypatch.setattr(installed, "is_installed", lambda *_: False)
    other = Model(int8.config, quantised=int8.quantised)
    with pytest.raises(ConfigError, match=r"A model in int8 needs openvino: .*bitreel\[runtime\]"):
        other.features(make_clip(0))


def test_a_precision_without_its_network_is_refused(plain: Model) -> None:
    with pytest.raises(ConfigError, match="int8 comes with no quantised backbones"):
        Model(replace(plain.config, precision="int8"))


def test_what_is_missing_is_known_before_a_video_is_read(
    plain: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "is_installed", lambda *_: False)
    with pytest.raises(ConfigError, match=r"needs openvino and nncf: .*bitreel\[runtime\]"):
        quantise(plain, [Path("nowhere.mp4")])


@needs("int8")
def test_no_readable_video(plain: Model, tmp_path: Path) -> None:
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"junk")
    with pytest.raises(DataError, match=r"None of the 1 videos can be read\. The first: .*junk"):
        quantise(plain, [junk])


def test_the_cost_is_counted_code_by_code(plain: Model, videos: list[Path], tmp_path: Path) -> None:
    other = make_model(encoder="mean")
    other.network.head.hash_head.hash_layer.weight.data[:7] *= -1
    other.network.head.hash_head.hash_layer.bias.data[:7] *= -1
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"junk")
    cost = measure_cost(plain, other, [videos[0], junk, *videos[1:]])
    assert (cost.clips, list(cost.unreadable)) == (6, [junk])
    assert cost.flipped_bits == 7
    assert cost.flipped_share == 7 / 64
    assert (cost.map_at_10, cost.lost) == (None, None)
    assert json.loads(json.dumps(cost.to_json()))["unreadable"] == {
        str(junk): cost.unreadable[junk]
    }
    known = [Known("ab"[k % 2], f"g{k // 2}") for k in range(7)]
    labelled = measure_cost(plain, plain, [videos[0], junk, *videos[1:]], known)
    assert labelled.flipped_bits == 0
    assert labelled.lost == 0


def test_nobody_is_asked_about_their_own_group() -> None:
    """Clips of one group have one code: a search among them would be perfect."""
    codes = BinaryCodes(np.array([[0], [0], [255], [255]], np.uint8), 8)
    known = [Known("a", "1"), Known("a", "1"), Known("b", "2"), Known("b", "2")]
    assert score_by_groups(codes, known) == 0
    assert score_by_groups(codes, [Known("a", "1")] * 4) is None
    mixed = [Known("a", "1"), Known("a", "2"), Known("b", "3"), Known("b", "4")]
    assert score_by_groups(codes, mixed) == pytest.approx(0.1)  # one relevant clip, of ten places


def test_evenly() -> None:
    assert evenly(range(10), 5) == [1, 3, 5, 7, 9]
    assert evenly("abc", 5) == ["a", "b", "c"]
    assert evenly("", 5) == []
