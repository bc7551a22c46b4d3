"""`bitreel train`: one model or several, and a run that was broken off."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bitreel.model import Model
from command_line import TINY, Ran, Trained, bitreel

KEYS = {
    "model",
    "bits",
    "fingerprint",
    "validation",
    "best_epoch",
    "training_clips",
    "validation_clips",
    "unreadable",
    "damaged",
}


def train(trained: Trained, output: Path, *words: object) -> Ran:
    options = (*TINY, "--cache", trained.cache, "--preset", "seed", "--epochs", 2)
    return bitreel("train", trained.manifest, "--output", output, *options, *words)


def test_several_widths_make_a_model_each(trained: Trained) -> None:
    rows = trained.answer["models"]
    assert [row["bits"] for row in rows] == [32, 16]  # in the order that was asked
    for row in rows:
        assert set(row) == KEYS
        assert row["model"] == str(trained.models / str(row["bits"]))
        model = Model.load(row["model"])
        assert (model.bits, model.fingerprint) == (row["bits"], row["fingerprint"])
    assert sorted(path.name for path in trained.models.iterdir()) == ["16", "32"]


def test_one_width_makes_one_model_and_one_flat_answer(trained: Trained, tmp_path: Path) -> None:
    answer = train(trained, tmp_path / "model", "--bits", "12", "--json").json
    assert set(answer) == KEYS
    assert answer["bits"] == 12
    assert answer["training_clips"] + answer["validation_clips"] == 48
    assert 1 <= answer["best_epoch"] <= 2
    assert 0 <= answer["validation"]["mAP@10"] <= 1
    assert answer["unreadable"] == {}
    assert Model.load(tmp_path / "model").fingerprint == answer["fingerprint"]


def test_a_long_path_can_be_copied_from_the_table(trained: Trained, tmp_path: Path) -> None:
    output = tmp_path / ("long" * 20)
    lines = train(trained, output).out.splitlines()
    cells = [line.split("│")[1].strip() for line in lines if line.startswith("│")]
    assert "".join(cells) == str(output)


def test_people_get_a_table_and_the_progress_apart_from_it(
    trained: Trained, tmp_path: Path
) -> None:
    ran = train(trained, tmp_path / "model")
    assert ran.code == 0
    assert "validation mAP@10" in ran.out
    assert "training clips, epochs chosen on" in ran.out
    for stage in ("training", "refit"):
        assert stage in ran.err
    assert "loss" in ran.err


def test_the_same_command_goes_on_with_several_widths(trained: Trained, tmp_path: Path) -> None:
    """Killed after the first width: that one is kept, the other is made."""
    output = tmp_path / "models"
    whole = train(trained, output, "--bits", "12,16", "--json").json["models"]
    shutil.rmtree(output / "16")
    kept = (output / "12" / "model.json").stat().st_mtime_ns
    again = train(trained, output, "--bits", "12,16", "--json")
    assert again.json["models"] == whole
    assert f"Kept {output / '12'}" in again.err
    assert (output / "12" / "model.json").stat().st_mtime_ns == kept


def test_a_width_that_was_trained_otherwise_is_not_taken_over(
    trained: Trained, tmp_path: Path
) -> None:
    output = tmp_path / "models"
    assert train(trained, output, "--bits", "12,16").code == 0
    error = train(trained, output, "--bits", "12,16", "--seed", "1").error
    assert error.startswith(f"{output / '12'} is there already: delete it")


def test_a_model_that_is_there_is_not_trained_over(trained: Trained) -> None:
    error = train(trained, trained.model, "--bits", "16").error
    assert error == (
        f"{trained.model} is there already: delete it to train anew, or name another output."
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--bits", "many"], "--bits takes a number or several, as 64,128,256; got 'many'."),
        (["--bits", "64,"], "--bits takes a number or several, as 64,128,256; got '64,'."),
        (["--bits", "0"], "1 to 4096 bits, got 0"),
        (["--bits", "5000"], "1 to 4096 bits, got 5000"),
        (["--triplets", "soft"], "'triplets' does not hold: Input should be 'random', 'all'"),
        (["--alpha", "-1"], "alpha"),
        (["--alpha", "0", "--beta", "0"], "beta"),
        (["--margin", "-1"], "margin"),
        (["--margin", "nan"], "margin"),
        (["--beta", "inf"], "beta"),
        (["--epochs", "0"], "epochs must be 1 or more"),
        (["--patience", "0"], "patience must be 1 or more"),
        (["--classes-per-batch", "1"], "classes_per_batch must be 2 or more"),
        (["--learning-rate", "0"], "Learning rates must be above 0"),
        (["--learning-rate", "nan"], "Learning rates must be above 0"),
        (["--seed", "-1"], "A seed lies between 0 and"),
        (["--frames", "0"], "Sampling takes 1 frame or more"),
        (["--size", "8"], "Sampling takes 1 frame or more of 32x32 pixels"),
        (["--backbone", "lite9"], "timm knows no architecture 'lite9'"),
        (["--weights", "package"], "packaged weights are those of tf_efficientnet_lite0"),
        (["--weights", "gone.pth"], "No weights at gone.pth: --weights takes none, package"),
        (["--accelerator", "abacus"], "can not train on accelerator abacus"),
        (["--accelerator", "cuda"], "can not train on accelerator cuda"),
        (["--precision", "7-bit"], "Input should be '32-true' or 'bf16-mixed'"),
        (["--fold", "2"], "fold and lists belong to ucf101:ROOT and hmdb51:ROOT"),
        (["--lists", "splits"], "fold and lists belong to ucf101:ROOT and hmdb51:ROOT"),
    ],
)
def test_an_option_that_does_not_hold_is_one_sentence(
    trained: Trained, tmp_path: Path, words: list[str], sentence: str
) -> None:
    import torch

    if "cuda" in words and torch.cuda.is_available():
        pytest.skip("this machine has what the test wants to be missing: a GPU")
    assert sentence in train(trained, tmp_path / "model", *words).error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["--devices", "0"], ["--fold", "4"], ["--epochs", "ten"]])
def test_what_the_parser_refuses_ends_with_2(trained: Trained, words: list[str]) -> None:
    assert train(trained, Path("model"), *words).code == 2


def test_an_output_where_nothing_can_be_written(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "No model can be written to" in train(trained, tmp_path / "file" / "model").error


def test_a_cache_that_is_a_file(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    error = train(trained, tmp_path / "model", "--cache", tmp_path / "file").error
    assert "feature cache" in error
    assert "--cache" in error
