"""A 2D network made 3D: the same on a clip that stands still, and one that sees time otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from bitreel.errors import ConfigError
from bitreel.network import Backbone
from bitreel.network.conv3d import InflatedConvolution

NAMES = ["mobilenetv3_small_050", "tf_efficientnet_lite0", "resnet10t", "convnext_atto"]


def both(name: str, folder: Path) -> tuple[Backbone, Backbone]:
    """One network flat and inflated, with the same weights."""
    import timm

    torch.manual_seed(0)
    path = folder / f"{name}.safetensors"
    save_file({k: v.clone() for k, v in timm.create_model(name).state_dict().items()}, path)
    flat, deep = (Backbone(name, mixing=mixing).eval() for mixing in ("frame", "conv3d"))
    for network in (flat, deep):
        network.load_pretrained(str(path))
    return flat, deep


@pytest.mark.parametrize("name", NAMES)
def test_a_clip_that_stands_still_gives_what_its_picture_gave(name: str, tmp_path: Path) -> None:
    flat, deep = both(name, tmp_path)
    picture = torch.rand(2, 1, 3, 64, 64)
    expected = flat(picture)
    got = deep(picture.expand(2, 9, 3, 64, 64))
    assert got.shape == (2, 3, flat.feature_size)  # two poolings: 9 → 5 → 3
    for position in range(3):
        torch.testing.assert_close(got[:, position], expected[:, 0], rtol=1e-3, atol=1e-4)


def test_it_tells_a_clip_from_its_reverse_once_its_kernels_do(tmp_path: Path) -> None:
    _, deep = both("resnet10t", tmp_path)
    pictures = torch.rand(1, 8, 3, 64, 64)
    mean = deep(pictures).mean(1)
    # Kernels that are equal along time see order nowhere: reversing changes nothing but places.
    torch.testing.assert_close(deep(pictures.flip(1)).mean(1), mean, rtol=1e-3, atol=1e-4)
    with torch.no_grad():
        for module in deep.modules():
            if isinstance(module, InflatedConvolution):
                module.weight.mul_(torch.tensor([0.2, 1.0, 1.8]).view(1, 1, 3, 1, 1))
    change = (deep(pictures.flip(1)).mean(1) - deep(pictures).mean(1)).abs().mean()
    assert change > 1e-3


def test_the_convolution_is_conv3d_with_its_ends_repeated() -> None:
    from bitreel.network.over_time import clips_of

    torch.manual_seed(0)
    flat = torch.nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2)
    deep = InflatedConvolution(flat)
    torch.nn.init.normal_(deep.weight)
    clips = torch.randn(2, 5, 4, 8, 8)
    with clips_of(5):
        got = deep(clips.flatten(0, 1)).view(2, 5, 6, 4, 4)
    for t in range(5):
        around = [min(max(s, 0), 4) for s in (t - 1, t, t + 1)]
        slow = sum(
            torch.nn.functional.conv2d(
                clips[:, s], deep.weight[:, :, k], stride=2, padding=1, groups=2
            )
            for k, s in enumerate(around)
        )
        assert deep.bias is not None
        expected = slow + deep.bias.view(1, -1, 1, 1)
        torch.testing.assert_close(got[:, t], expected, rtol=1e-4, atol=1e-4)


def test_clips_do_not_meet(tmp_path: Path) -> None:
    _, deep = both("mobilenetv3_small_050", tmp_path)
    clips = torch.rand(3, 4, 3, 64, 64)
    alone = torch.cat([deep(clip[None]) for clip in clips])
    torch.testing.assert_close(deep(clips), alone, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "nf_resnet26"])
def test_an_architecture_that_can_not_be_made_3d_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="torchvision's video networks"):
        Backbone(name, mixing="conv3d")
