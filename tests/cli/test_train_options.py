"""The options of `bitreel train` are those of TrainConfig: none can drift from it."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import bitreel.training
from bitreel.cli.app import app
from bitreel.config import to_json
from bitreel.dataset import Dataset
from bitreel.errors import BitreelError
from bitreel.model import Sampling
from bitreel.training import TrainConfig
from bitreel.training.presets import PRESETS, make_config
from command_line import bitreel as run

OPTIONS = {
    option.name: option
    for option in get_command(app).commands["train"].params  # type: ignore[attr-defined]
}
RENAMED = {"frames": "sampling.frames", "clips": "sampling.clips", "size": "sampling.height"}
NOT_OF_THE_CONFIG = {"data", "output", "preset", "config", "accelerator", "devices", "fold"}
NOT_OF_THE_CONFIG |= {"nodes", "lists", "cache", "json"}
# Options of the library that the command line leaves at their defaults. A new field of TrainConfig
# belongs here or among the options.
PYTHON_ONLY = {
    "backbone_learning_rate",
    "weight_decay",
    "validation_fraction",
    "sampling.width",  # as the height
    "sampling.spacing_seconds",
}
CHANGED: dict[str, Any] = {
    "bits": 96,
    "modality": "difference,rgb",
    "encoder": "attention",
    "loss": "ortho",
    "quantisation": 0.125,
    "ridge": 0.5,
    "balance": 0.25,
    "alpha": 0.5,
    "beta": 2.5,
    "margin": 3.5,
    "triplets": "hard",
    "backbone": "resnet18",
    "weights": "none",
    "frames": 5,
    "size": 96,
    "clips": 3,
    "mirror": True,
    "finetune": True,
    "epochs": 7,
    "patience": 3,
    "refit": False,
    "learning_rate": 0.25,
    "classes_per_batch": 3,
    "clips_per_class": 2,
    "seed": 11,
    "precision": "bf16-mixed",
}


def flat(values: dict[str, Any]) -> dict[str, Any]:
    sampling = {f"sampling.{name}": value for name, value in values["sampling"].items()}
    return {name: value for name, value in values.items() if name != "sampling"} | sampling


def test_every_option_of_a_run_is_one_of_the_config_and_the_other_way_round() -> None:
    of_the_config = {RENAMED.get(name, name) for name in OPTIONS} - NOT_OF_THE_CONFIG
    assert of_the_config | PYTHON_ONLY == set(flat(to_json(TrainConfig())))
    assert not of_the_config & PYTHON_ONLY


@pytest.mark.parametrize("name", sorted(set(OPTIONS) - NOT_OF_THE_CONFIG))
def test_an_option_has_the_default_of_the_config(name: str) -> None:
    expected = flat(to_json(TrainConfig()))[RENAMED.get(name, name)]
    given = OPTIONS[name].default
    assert (int(given) if name == "bits" else given) == expected


@pytest.mark.parametrize("name", ["accelerator", "devices", "nodes", "cache"])
def test_a_way_to_run_has_the_default_of_the_function(name: str) -> None:
    parameter = inspect.signature(bitreel.training.train).parameters[name]
    assert OPTIONS[name].default == parameter.default


def test_every_field_has_a_default() -> None:
    for field in fields(TrainConfig):
        assert (field.default, field.default_factory) != (MISSING, MISSING)


class Reached(BitreelError):
    """The training would begin now."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[TrainConfig]:
    """The configs that reach the training, which does not begin."""
    configs: list[TrainConfig] = []

    def capture(dataset: Dataset, config: TrainConfig, **_: object) -> None:
        configs.append(config)
        raise Reached

    monkeypatch.setattr(bitreel.training, "train", capture)
    return configs


def words_for(name: str, value: Any) -> list[str]:
    option = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return [option if value else f"--no-{name}"]
    return [option, str(value)]


@pytest.mark.parametrize("name", sorted(set(OPTIONS) - NOT_OF_THE_CONFIG))
def test_an_option_reaches_the_config_and_changes_nothing_else(
    name: str, actions: Path, tmp_path: Path, asked: list[TrainConfig]
) -> None:
    preset = "best" if name == "ridge" else "seed"  # whose loss the option means something to
    words = ["--preset", preset, *words_for(name, CHANGED[name])]
    run("train", actions, "--output", tmp_path / "model", *words)
    changed = {RENAMED.get(name, name): CHANGED[name]}
    if name == "size":
        changed["sampling.width"] = CHANGED[name]
    expected = flat(to_json(make_config(preset))) | changed
    assert flat(to_json(asked[0])) == expected


def test_no_option_gives_the_default_config(
    actions: Path, tmp_path: Path, asked: list[TrainConfig]
) -> None:
    run("train", actions, "--output", tmp_path / "model")
    assert asked == [TrainConfig()]


@pytest.mark.parametrize(
    ("words", "add"),
    [
        (["--alpha", 2], "two-term"),
        (["--loss", "ortho", "--triplets", "hard"], "two-term"),
        (["--epochs", 3], "two-term"),
        (["--preset", "seed", "--ridge", 0.1], "ridge"),
    ],
)
def test_an_option_that_means_nothing_to_the_loss_is_refused(
    words: list[object], add: str, actions: Path, tmp_path: Path, asked: list[TrainConfig]
) -> None:
    error = run("train", actions, "--output", tmp_path / "model", *words).error
    assert error.startswith(str(words[-2]))
    assert f"add --loss {add}" in error
    assert not asked


def test_what_is_given_wins_over_the_file_and_the_file_over_the_preset(
    actions: Path, tmp_path: Path, asked: list[TrainConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    preset = {"loss": "ortho", "bits": 48, "epochs": 9, "sampling": {"frames": 6}}
    monkeypatch.setitem(PRESETS, "best", preset)
    file = tmp_path / "options.json"
    file.write_text('{"bits": 96, "epochs": 8, "sampling": {"height": 96, "width": 96}}')
    words = ["--preset", "best", "--config", file, "--epochs", "60", "--frames", "5"]
    run("train", actions, "--output", tmp_path / "model", *words)
    sampling = Sampling(frames=5, height=96, width=96)
    # --epochs 60 is the default of TrainConfig, and yet was asked for.
    assert asked == [TrainConfig(loss="ortho", bits=96, epochs=60, sampling=sampling)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "JSON object"),
        ("{", "JSON object"),
        ('{"warp": 9}', "warp"),
        ('{"bits": 0}', "bits"),
        ('{"sampling": 5}', "sampling"),
        ('{"loss": "x"}', "ridge"),
    ],
)
def test_a_file_of_other_things_is_refused(
    text: str, words: str, actions: Path, tmp_path: Path
) -> None:
    (tmp_path / "options.json").write_text(text)
    config = ["--config", tmp_path / "options.json"]
    ended = run("train", actions, "--output", tmp_path / "model", *config)
    assert ended.code == 1
    assert words in ended.err


def test_an_unknown_preset_is_refused(actions: Path, tmp_path: Path) -> None:
    ended = run("train", actions, "--output", tmp_path / "model", "--preset", "better")
    assert (ended.code, "choose from best, seed" in ended.err) == (1, True)
