"""What a network that learns is fed: the model's own pictures, made once where there is room."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bitreel.clip import Clip
from bitreel.codes import BinaryCodes
from bitreel.dataset import open_dataset
from bitreel.model import Model, ModelConfig
from bitreel.training import inputs as inputs_module
from bitreel.training.features import LabelledFeatures, labelled_features
from bitreel.training.inputs import FinetuneInputs
from tiny import BACKBONE

ROWS = (3, 0, 5)


@pytest.fixture(scope="module", params=["rgb", "flow,difference"])
def model(request: pytest.FixtureRequest) -> Model:
    torch.manual_seed(0)
    sampling = {"frames": 4, "clips": 2, "height": 64, "width": 64}
    modality = str(request.param)
    return Model(
        ModelConfig(
            labels=("a", "b"),
            bits=20,
            backbone=BACKBONE,
            modality=modality,
            sampling=sampling,  # type: ignore[arg-type]  # pydantic makes it one
        )
    )


@pytest.fixture(scope="module")
def data(model: Model, actions: Path, tmp_path_factory: pytest.TempPathFactory) -> LabelledFeatures:
    examples = open_dataset(actions).examples[:6]
    return labelled_features(model, examples, cache=tmp_path_factory.mktemp("cache"))


def test_codes_are_those_of_the_model(model: Model, data: LabelledFeatures) -> None:
    given = FinetuneInputs(model, data).codes()
    own = [model.encode(model.read(example.path)).packed for example in data.examples]
    # Rounding may move a relaxed bit that is .5 but for its last digits.
    differ = given.unpack() != BinaryCodes(np.concatenate(own), model.bits).unpack()
    assert differ.mean() < 0.02


def test_a_batch_holds_clips_of_the_segments_asked_for(
    model: Model, data: LabelledFeatures
) -> None:
    inputs = FinetuneInputs(model, data)
    for stream, batch in enumerate(inputs.batch(ROWS)):
        for row, pictures in zip(ROWS, batch, strict=True):
            views = model.pictures(model.read(data.examples[row].path), stream)
            assert any(torch.equal(pictures, view) for view in views)


def test_mirrored_ones_are_those_of_the_mirrored_clip(model: Model, data: LabelledFeatures) -> None:
    torch.manual_seed(0)
    batches = FinetuneInputs(model, data, mirror=True).batch([1] * 16)
    clip = model.read(data.examples[1].path)
    for stream, batch in enumerate(batches):
        plain, mirrored = (model.pictures(clip, stream, mirrored=m) for m in (False, True))
        shown = [any(torch.equal(p, view) for view in mirrored) for p in batch]
        assert 0 < sum(shown) < len(shown)
        for picture, is_mirrored in zip(batch, shown, strict=True):
            assert is_mirrored or any(torch.equal(picture, view) for view in plain)


def test_no_room_changes_nothing(
    model: Model, data: LabelledFeatures, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = FinetuneInputs(model, data)
    monkeypatch.setattr(inputs_module, "PICTURES_IN_MEMORY_BYTES", 0)
    without = FinetuneInputs(model, data)
    reads: list[Path] = []
    read = Model.read

    def counted(self: Model, path: Path) -> Clip:
        reads.append(path)
        return read(self, path)

    monkeypatch.setattr(Model, "read", counted)
    for inputs, expected in ((kept, len(ROWS)), (without, 2 * len(ROWS))):
        reads.clear()
        first, again = (_seeded(inputs) for _ in range(2))
        assert all(map(torch.equal, first, again))
        assert len(reads) == expected
    assert all(map(torch.equal, _seeded(kept), _seeded(without)))


def _seeded(inputs: FinetuneInputs) -> list[torch.Tensor]:
    torch.manual_seed(4)
    return inputs.batch(ROWS)
