"""The small 3D network: its shapes, its weights, and that it sees in which order pictures come."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from bitreel.errors import ConfigError, WeightsError
from bitreel.modality import find_modality
from bitreel.network import SMALL_BACKBONE, SmallBackbone, find_encoder
from bitreel.network.network import make_backbone


def make(channels: int = 3, *, signed: bool = True) -> SmallBackbone:
    torch.manual_seed(0)
    return SmallBackbone(channels=channels, signed=signed).eval()


def clips(count: int, frames: int, channels: int = 3) -> Tensor:
    return torch.rand(count, frames, channels, 48, 64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("frames", "steps"), [(1, 1), (4, 1), (5, 2), (16, 4)])
@pytest.mark.parametrize("channels", [2, 3, 10])
def test_it_gives_a_feature_for_every_four_pictures(frames: int, steps: int, channels: int) -> None:
    network = make(channels)
    with torch.inference_mode():
        assert network(clips(2, frames, channels)).shape == (2, steps, network.feature_size)


def test_a_clip_does_not_depend_on_its_neighbours() -> None:
    network, both = make(), clips(2, 8)
    with torch.inference_mode():
        torch.testing.assert_close(network(both)[:1], network(both[:1]))


def test_it_sees_the_order_of_pictures() -> None:
    network, clip = make(), clips(1, 8)
    with torch.inference_mode():
        forward, backward = network(clip).mean(1), network(clip.flip(1)).mean(1)
    assert (forward - backward).abs().max() > 0.01 * forward.abs().max()


def test_colours_are_centred_and_differences_are_not() -> None:
    assert make(signed=False).mean.flatten().tolist() == pytest.approx([0.485, 0.456, 0.406])
    assert not make(signed=True).mean.any()


def test_the_word_makes_one_with_the_encoder_conv3d_alone() -> None:
    flow = find_modality("flow")
    made = make_backbone(SMALL_BACKBONE, find_encoder("conv3d"), flow, pictures=8, size=(48, 64))
    assert isinstance(made, SmallBackbone)
    with pytest.raises(ConfigError, match="small3d is 3D throughout"):
        make_backbone(SMALL_BACKBONE, find_encoder("mean"), flow, pictures=8, size=(48, 64))


def test_a_file_of_weights_serves_other_channels(tmp_path: Path) -> None:
    learned = make()
    torch.save(learned.cnn.state_dict(), tmp_path / "mine.pth")
    torch.manual_seed(5)
    network = SmallBackbone(channels=2, signed=True)
    assert "mine.pth" in network.load_pretrained(str(tmp_path / "mine.pth"))
    theirs, own = learned.cnn.state_dict(), network.cnn.state_dict()
    torch.testing.assert_close(own["3.0.weight"], theirs["3.0.weight"], rtol=0, atol=0)
    mean = theirs["0.0.weight"].mean(1, keepdim=True)
    torch.testing.assert_close(own["0.0.weight"], mean.expand(-1, 2, -1, -1, -1) * 1.5)


@pytest.mark.parametrize("spec", ["package", "hub", "hf-hub:someone/something"])
def test_weights_that_nobody_publishes_are_refused(spec: str) -> None:
    with pytest.raises(WeightsError, match="no pretrained weights of small3d: name --weights none"):
        make().load_pretrained(spec)


def test_random_weights_say_so() -> None:
    assert make().load_pretrained("none") == "none (random initialisation)"
