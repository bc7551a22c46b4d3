"""torchvision's 3D networks, with weights from a file and from the place that it names."""

from __future__ import annotations

import threading
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import pytest
import torch

from bitreel.errors import ConfigError, WeightsError
from bitreel.network import VIDEO_BACKBONES, VideoBackbone

SMALL = "mc3_18"


def make(name: str = SMALL, *, channels: int = 3, frames: int = 8, size: int = 64) -> VideoBackbone:
    torch.manual_seed(0)
    shape = (size, size)
    return VideoBackbone(
        name, frames=frames, size=shape, channels=channels, signed=channels != 3
    ).eval()


def weight_file(folder: Path) -> tuple[Path, dict[str, torch.Tensor]]:
    """What torchvision publishes: the whole network with its classifier."""
    from torchvision.models import get_model

    torch.manual_seed(7)
    state: dict[str, torch.Tensor] = get_model(SMALL, weights=None).state_dict()
    torch.save(state, folder / "kinetics.pth")
    return folder / "kinetics.pth", state


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in VIDEO_BACKBONES if n not in ("swin3d_b", "swin3d_s")])
def test_each_gives_one_feature_a_clip(name: str) -> None:
    size = 224 if "mvit" in name else 112
    network = make(name, frames=16, size=size)
    with torch.inference_mode():
        assert network(torch.rand(1, 16, 3, size, size)).shape == (1, 1, network.feature_size)


def test_mvit_says_which_clips_it_takes() -> None:
    with pytest.raises(ConfigError, match="16 frames of 224x224"):
        make("mvit_v2_s", frames=8, size=112)


def test_a_file_of_weights_is_loaded_whole_but_for_the_classifier(tmp_path: Path) -> None:
    path, state = weight_file(tmp_path)
    network = make()
    assert path.name in network.load_pretrained(str(path))
    for name, tensor in network.cnn.state_dict().items():
        torch.testing.assert_close(tensor, state[name], rtol=0, atol=0)
    assert network(torch.rand(1, 8, 3, 64, 64)).shape == (1, 1, 512)


def test_weights_for_rgb_serve_flow(tmp_path: Path) -> None:
    path, state = weight_file(tmp_path)
    network = make(channels=2)
    network.load_pretrained(str(path))
    expected = state["stem.0.weight"].mean(1, keepdim=True).expand(-1, 2, -1, -1, -1) * 1.5
    torch.testing.assert_close(network.cnn.stem[0].weight, expected)


def test_the_hub_is_asked_for_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file comes over HTTP, once, with the digest in its name checked."""
    path, state = weight_file(tmp_path)
    import hashlib

    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    (tmp_path / "served").mkdir()
    path.rename(tmp_path / "served" / f"mc3-{digest}.pth")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "served"))
    server = HTTPServer(("127.0.0.1", 0), handler)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    network = make()

    class Entry:
        url = f"http://127.0.0.1:{server.server_port}/mc3-{digest}.pth"

        def __str__(self) -> str:
            return "KINETICS400_V1"

    network.pretrained = Entry()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        assert network.load_pretrained("hub") == "torchvision KINETICS400_V1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    torch.testing.assert_close(network.cnn.stem[0].weight, state["stem.0.weight"])
    assert network.load_pretrained("hub")  # the server is gone: it was kept


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("package", "name --weights hub"),
        ("hf-hub:somebody/net", "name --weights hub"),
        ("nowhere.pth", "No weights at nowhere.pth"),
        ("hub", "pass the file as --weights FILE"),
    ],
)
def test_weights_that_can_not_be_had_are_never_replaced_by_random_ones(
    spec: str, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    network = make()

    class Nowhere:
        url = "http://127.0.0.1:9/nothing-12345678.pth"

    network.pretrained = Nowhere()
    with pytest.raises(WeightsError, match=words):
        network.load_pretrained(spec)
