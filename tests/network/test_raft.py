"""RAFT as a flow method: its place, its shapes, its refusals. Its weights are not at hand here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bitreel.errors import ModelError, VideoError, WeightsError
from bitreel.modality import find_modality
from bitreel.network import raft_flow
from bitreel.read_ahead import read_ahead
from tiny import tiny_model


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from torchvision.models.optical_flow import raft_small

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("raft") / "raft_small.pth"
    torch.save(raft_small(weights=None).state_dict(), path)
    return path


def test_it_is_torchvisions_raft_on_the_same_pictures(weights: Path) -> None:
    from torchvision.models.optical_flow import raft_small

    generator = np.random.default_rng(0)
    snippets = generator.integers(0, 256, (2, 2, 128, 136, 3)).astype(np.uint8)
    pictures = find_modality(f"flow:method=raft:weights={weights}")(snippets)
    assert pictures.shape == (2, 2, 128, 136)
    network = raft_small(weights=None).eval()
    network.load_state_dict(torch.load(weights, weights_only=True))
    frames = torch.from_numpy(snippets).permute(0, 1, 4, 2, 3) / 127.5 - 1
    with torch.inference_mode():
        expected = network(frames[:, 0], frames[:, 1])[-1].clamp(-20, 20) / 20
    np.testing.assert_allclose(pictures, expected.numpy(), atol=1e-3)


def test_pictures_of_an_odd_small_size_are_padded_and_cut_again(weights: Path) -> None:
    frames = np.random.default_rng(1).integers(0, 256, (1, 65, 50, 3)).astype(np.uint8)
    fields = raft_flow(str(weights))(frames, frames)
    assert fields.shape == (1, 65, 50, 2)
    assert np.isfinite(fields).all()


def test_other_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"weight": torch.zeros(3)}, path)
    with pytest.raises(WeightsError, match="raft_small or raft_large"):
        raft_flow(str(path))
    with pytest.raises(WeightsError, match="No weights at"):
        raft_flow(str(tmp_path / "nowhere.pth"))


def test_the_content_of_the_file_is_part_of_the_fingerprint(weights: Path, tmp_path: Path) -> None:
    copy = tmp_path / "raft.pth"
    copy.write_bytes(weights.read_bytes())
    model = tiny_model(modality=f"flow:method=raft:weights={copy}")
    before = model.fingerprint, model.features_fingerprints
    state = torch.load(copy, weights_only=True)
    next(iter(state.values())).add_(1.0)
    torch.save(state, copy)
    assert model.fingerprint != before[0]
    assert model.features_fingerprints != before[1]
    copy.unlink()
    with pytest.raises(ModelError, match="put the file back"):
        _ = model.fingerprint


def test_several_clips_at_once_give_what_each_gives_alone(weights: Path) -> None:
    flow = find_modality(f"flow:method=raft:weights={weights}")
    generator = np.random.default_rng(2)
    clips = [generator.integers(0, 256, (1, 2, 64, 64, 3)).astype(np.uint8) for _ in range(8)]
    alone = [flow(clip) for clip in clips]
    for number, pictures in read_ahead(lambda n: flow(clips[n]), range(8), workers=4):
        assert not isinstance(pictures, VideoError)
        np.testing.assert_array_equal(pictures, alone[number])


def test_loading_draws_nothing_from_the_generator_of_a_run(weights: Path, tmp_path: Path) -> None:
    copy = tmp_path / "raft.pth"
    copy.write_bytes(weights.read_bytes())
    before = torch.get_rng_state()
    raft_flow(str(copy))
    assert torch.equal(torch.get_rng_state(), before)
