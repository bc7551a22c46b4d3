"""Features averaged by how much moves in each place."""

from __future__ import annotations

import pytest
import torch

from bitreel.errors import ConfigError
from bitreel.modality import find_modality
from bitreel.network import Backbone, find_encoder
from bitreel.network.focus import FLOOR, focus
from bitreel.network.network import make_backbone

SMALL = "mobilenetv3_small_050"
RGB = find_modality("rgb:focus=motion")


def make(name: str = SMALL, *, focused: bool = True) -> Backbone:
    torch.manual_seed(0)
    return Backbone(name, focused=focused).eval()


def test_agrees_with_a_loop_over_places() -> None:
    generator = torch.Generator().manual_seed(1)
    maps, motion = (torch.rand(2, d, s, s, generator=generator) for d, s in ((5, 3), (1, 12)))
    found = focus(maps, motion).mean(dim=(2, 3))
    for row in range(2):
        total, weights = torch.zeros(5), 0.0
        for y in range(3):
            for x in range(3):
                cell = motion[row, 0, 4 * y : 4 * y + 4, 4 * x : 4 * x + 4].mean()
                weight = float(cell + FLOOR) ** 2
                total, weights = total + weight * maps[row, :, y, x], weights + weight
        torch.testing.assert_close(found[row], total / weights)


@pytest.mark.parametrize("name", [SMALL, "tf_efficientnet_lite0", "resnet18", "convnext_atto"])
@pytest.mark.parametrize("level", [0.0, 0.3])
@torch.inference_mode()
def test_even_motion_gives_the_plain_mean(name: str, level: float) -> None:
    pictures = torch.rand(1, 2, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    motion = torch.full((1, 2, 1, 64, 64), level)
    plain = make(name, focused=False)(pictures)
    torch.testing.assert_close(
        make(name)(torch.cat([pictures, motion], dim=2)), plain, rtol=1e-4, atol=1e-5
    )


@torch.inference_mode()
def test_the_features_are_those_of_the_place_that_moves() -> None:
    """What the rest of the picture shows counts for next to nothing."""
    backbone = make()
    maps = backbone.cnn.forward_features(torch.rand(1, 3, 128, 128))
    motion = torch.zeros(1, 1, 128, 128)
    motion[..., :32, :32] = 0.5
    corner = maps[:, :, :1, :1].expand_as(maps)
    torch.testing.assert_close(
        backbone.cnn.forward_head(focus(maps, motion)),
        backbone.cnn.forward_head(corner.contiguous()),
        rtol=1e-3,
        atol=1e-4,
    )


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "swin_tiny_patch4_window7_224"])
def test_what_averages_no_maps_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} does not average maps"):
        make(name)


@pytest.mark.parametrize("backbone", [SMALL, "small3d", "r3d_18"])
def test_3d_convolution_is_refused(backbone: str) -> None:
    with pytest.raises(ConfigError, match="leave out its focus"):
        make_backbone(backbone, find_encoder("conv3d"), RGB, pictures=4, size=(64, 64))


@pytest.mark.parametrize("word", ["mean", "shift"])
def test_a_focused_modality_makes_a_focused_backbone(word: str) -> None:
    backbone = make_backbone(SMALL, find_encoder(word), RGB, pictures=2, size=(64, 64)).eval()
    with torch.inference_mode():
        assert backbone(torch.rand(1, 2, 4, 64, 64)).shape == (1, 2, backbone.feature_size)
