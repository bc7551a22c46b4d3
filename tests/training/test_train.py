"""Training on real files: it learns, the same way twice, and picks up what was broken off."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import save_file

from bitreel.dataset import Dataset, open_dataset
from bitreel.errors import ConfigError, DataError, ModelError
from bitreel.model import Model
from bitreel.network import DEFAULT_BACKBONE, Backbone
from bitreel.progress import Progress, Step
from bitreel.training import TrainConfig, evaluate, train
from bitreel.training.start import fresh_model
from tiny import BACKBONE, tiny_options


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def dataset(actions: Path) -> Dataset:
    return open_dataset(actions)


class Killed(Exception):
    """Stands for a process that ends at once."""


def killer(phase: str, epoch: int) -> Progress:
    """Progress that kills the run after some epochs of a phase."""

    def progress(step: Step) -> None:
        if (step.stage, step.done) == (phase, epoch):
            raise Killed

    return progress


def test_it_learns(dataset: Dataset, cache: Path) -> None:
    options = tiny_options(
        backbone=DEFAULT_BACKBONE,
        weights="package",
        sampling={"frames": 4, "height": 128, "width": 128},
        bits=32,
        epochs=40,
    )
    model = train(dataset, options, cache=cache)
    history = model.training["history"]
    assert history[-1]["loss"] < 0.6 * history[0]["loss"]
    trained = evaluate(model, dataset, cache=cache).evaluation.values["mAP"]
    fresh, _ = fresh_model(options, dataset.labels, Fabric(accelerator="cpu"))
    untrained = evaluate(fresh, dataset, cache=cache).evaluation.values["mAP"]
    assert trained > 1.4 * untrained


def test_the_same_seed_gives_the_same_model_and_another_does_not(
    dataset: Dataset, cache: Path
) -> None:
    options = tiny_options(triplets="random")
    first, second = (train(dataset, options, cache=cache) for _ in range(2))
    assert first.fingerprint == second.fingerprint
    other = train(dataset, replace(options, seed=1), cache=cache)
    assert other.fingerprint != first.fingerprint


@pytest.mark.parametrize(("phase", "epoch"), [("training", 1), ("training", 3), ("refit", 1)])
def test_a_run_broken_off_ends_as_the_whole_one(
    dataset: Dataset, cache: Path, tmp_path: Path, phase: str, epoch: int
) -> None:
    options = tiny_options(triplets="random")
    whole = train(dataset, options, cache=cache)
    output = tmp_path / "model"
    with pytest.raises(Killed):
        train(dataset, options, output=output, cache=cache, progress=killer(phase, epoch))
    assert not output.exists()
    seen: list[Step] = []
    resumed = train(dataset, options, output=output, cache=cache, progress=seen.append)
    assert resumed.fingerprint == whole.fingerprint
    assert resumed.training == whole.training
    assert Model.load(output).fingerprint == whole.fingerprint
    assert (phase, epoch) not in {(step.stage, step.done) for step in seen}  # not done again
    assert not output.with_name("model.partial").exists()


def test_a_fine_tuned_run_broken_off_ends_as_the_whole_one(
    dataset: Dataset, cache: Path, tmp_path: Path
) -> None:
    few = replace(dataset, examples=dataset.examples[:24])
    options = tiny_options(finetune=True, epochs=2, classes_per_batch=2, clips_per_class=2)
    whole = train(few, options, cache=cache)
    with pytest.raises(Killed):
        train(few, options, output=tmp_path / "m", cache=cache, progress=killer("training", 1))
    resumed = train(few, options, output=tmp_path / "m", cache=cache)
    assert resumed.fingerprint == whole.fingerprint


def test_fine_tuning_moves_the_backbone_and_freezing_does_not(
    dataset: Dataset, cache: Path, tmp_path: Path
) -> None:
    few = replace(dataset, examples=dataset.examples[:24])
    weights = tmp_path / "weights.safetensors"
    torch.manual_seed(3)
    save_file(Backbone(BACKBONE).cnn.state_dict(), weights)
    options = tiny_options(epochs=2, classes_per_batch=2, clips_per_class=2, weights=str(weights))
    backbone = Backbone(BACKBONE)
    backbone.load_pretrained(str(weights))
    before = backbone.state_dict()
    frozen = train(few, options, cache=cache)
    tuned = train(few, replace(options, finetune=True), cache=cache)
    for name, tensor in before.items():
        torch.testing.assert_close(frozen.network.backbones[0].state_dict()[name], tensor)
    moved = tuned.network.backbones[0].state_dict()
    assert any(not torch.equal(moved[name], before[name]) for name in before)
    # The normalisation layers keep the statistics that they came with.
    assert torch.equal(moved["cnn.bn1.running_mean"], before["cnn.bn1.running_mean"])


def test_the_query_part_is_never_looked_at(dataset: Dataset, cache: Path) -> None:
    """With other query clips, and with none at all, the model is the same to the bit."""
    without = replace(dataset, examples=dataset.database)
    options = tiny_options()
    assert train(without, options, cache=cache).fingerprint == (
        train(dataset, options, cache=cache).fingerprint
    )


def test_without_refit_the_best_epoch_is_kept(dataset: Dataset, cache: Path) -> None:
    model = train(dataset, tiny_options(refit=False, epochs=8), cache=cache)
    scores = [epoch["mAP@10"] for epoch in model.training["history"]]
    assert model.training["best_epoch"] == scores.index(max(scores))
    assert model.training["validation"]["mAP@10"] == max(scores)


def test_patience_ends_a_run_that_gets_no_better(dataset: Dataset, cache: Path) -> None:
    model = train(dataset, tiny_options(epochs=40, patience=2, learning_rate=1e-9), cache=cache)
    assert len(model.training["history"]) == model.training["best_epoch"] + 1 + 2


@pytest.mark.parametrize("change", [{"alpha": 2.0}, {"seed": 3}, {"bits": 24}])
def test_a_run_with_other_options_does_not_take_over(
    dataset: Dataset, cache: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    output = tmp_path / "model"
    with pytest.raises(Killed):
        train(dataset, tiny_options(), output=output, cache=cache, progress=killer("training", 1))
    with pytest.raises(ModelError, match=f"differs in --{next(iter(change))}"):
        train(dataset, tiny_options(**change), output=output, cache=cache)


def test_a_damaged_checkpoint_is_refused_in_a_sentence(
    dataset: Dataset, cache: Path, tmp_path: Path
) -> None:
    output = tmp_path / "model"
    with pytest.raises(Killed):
        train(dataset, tiny_options(), output=output, cache=cache, progress=killer("training", 1))
    (state,) = output.with_name("model.partial").glob("*.safetensors")
    state.write_bytes(state.read_bytes()[:100])
    with pytest.raises(ModelError, match="is damaged: delete"):
        train(dataset, tiny_options(), output=output, cache=cache)


def test_a_finished_model_is_not_overwritten(dataset: Dataset, cache: Path, tmp_path: Path) -> None:
    train(dataset, tiny_options(), output=tmp_path / "model", cache=cache)
    with pytest.raises(ModelError, match="is there already"):
        train(dataset, tiny_options(), output=tmp_path / "model", cache=cache)


@pytest.mark.parametrize(
    ("keep", "words"),
    [
        (lambda e: e.label == "striped-disc-left", "two or more"),
        (lambda e: e.group.endswith("1"), "held out for validation"),
    ],
)
def test_data_that_can_not_be_trained_on_are_refused(
    dataset: Dataset, cache: Path, keep: Callable[[Any], bool], words: str
) -> None:
    kept = tuple(example for example in dataset.database if keep(example))
    with pytest.raises(DataError, match=words):
        train(replace(dataset, examples=kept), tiny_options(), cache=cache)


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 0},
        {"patience": 0},
        {"classes_per_batch": 1},
        {"learning_rate": 0.0},
        {"validation_fraction": 1.0},
        {"alpha": -1.0},
        {"precision": "7-bit"},
        {"seed": -1},
        {"margin": float("nan")},
        {"alpha": float("inf")},
        {"bits": 0},
    ],
)
def test_options_out_of_range_are_refused(
    dataset: Dataset, cache: Path, change: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError):
        train(dataset, tiny_options(**change), cache=cache)


def test_evaluation_wants_both_parts(dataset: Dataset, cache: Path) -> None:
    model = train(dataset, tiny_options(epochs=1), cache=cache)
    with pytest.raises(DataError, match="0 query"):
        evaluate(model, replace(dataset, examples=dataset.database), cache=cache)


def test_the_saved_options_are_those_of_the_run(dataset: Dataset, cache: Path) -> None:
    options = tiny_options(alpha=0.5, triplets="hard")
    saved = train(dataset, options, cache=cache).training["config"]
    assert TrainConfig(**saved) == options


def test_other_videos_under_the_same_names_do_not_take_over(
    actions: Path, cache: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "clips"
    shutil.copytree(actions.parent, folder)
    dataset, output = open_dataset(folder), tmp_path / "model"
    with pytest.raises(Killed):
        train(dataset, tiny_options(), output=output, cache=cache, progress=killer("training", 1))
    first, last = dataset.database[0].path, dataset.database[-1].path
    first.write_bytes(last.read_bytes())
    with pytest.raises(ModelError, match="differs in the videos"):
        train(dataset, tiny_options(), output=output, cache=cache)


def test_an_output_that_can_not_be_written_is_known_before_the_work(
    dataset: Dataset, cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    seen: list[Step] = []
    with pytest.raises(ModelError, match="can be written"):
        train(
            dataset,
            tiny_options(),
            output=tmp_path / "file" / "model",
            cache=cache,
            progress=seen.append,
        )
    assert not seen


def test_a_size_that_the_backbone_does_not_take_is_refused(dataset: Dataset, cache: Path) -> None:
    options = tiny_options(backbone="vit_tiny_patch16_224")  # made for 224 pixels, not for 64
    with pytest.raises(ConfigError, match="does not take 4 frames of 64x64"):
        train(dataset, options, cache=cache)
