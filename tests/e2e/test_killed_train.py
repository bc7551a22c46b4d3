"""SIGKILL `bitreel train`, run the same command again: the same model as of an undisturbed run."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors import SafetensorError, safe_open

from bitreel.model import Model
from command_line import SCRIPT, TINY, bitreel, bitreel_process

EPOCHS = 60
# Dies right after the checkpoint of an epoch: the refit is too short to be hit from outside.
KILLED_AFTER = """
import os, signal, sys
from bitreel.training import checkpoint
phase, epoch = sys.argv.pop(1), int(sys.argv.pop(1))
save = checkpoint.save
def save_and_die(output, name, state):
    save(output, name, state)
    if (name, state.facts["epoch"]) == (phase, epoch):
        os.kill(os.getpid(), signal.SIGKILL)
checkpoint.save = save_and_die
from bitreel.cli import main
main()
"""


def words(actions: Path, folder: Path, output: Path) -> list[str]:
    """The command line. Random triplets, so that their generator has to be restored as well."""
    options = (
        "--preset",
        "seed",
        "--triplets",
        "random",
        "--epochs",
        EPOCHS,
        "--patience",
        EPOCHS,
        "--bits",
        16,
    )
    cache = ("--cache", folder / "cache")
    return [*map(str, ("train", actions, "--output", output, *TINY, *options, *cache)), "--json"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("killed_train")


@pytest.fixture(scope="module")
def whole(actions: Path, folder: Path) -> str:
    """The fingerprint of a run that nobody disturbs."""
    return str(bitreel(*words(actions, folder, folder / "whole")).json["fingerprint"])


def epochs_done(checkpoint: Path) -> int:
    """Epochs in a checkpoint, 0 where there is none: read as anyone could, without bitreel."""
    try:
        with safe_open(checkpoint, framework="pt") as file:
            return int(file.metadata()["facts"].split('"epoch": ')[1].split(",")[0])
    except (OSError, SafetensorError):
        return 0


def test_killed_between_epochs(actions: Path, folder: Path, whole: str) -> None:
    output = folder / "killed"
    checkpoint = folder / "killed.partial" / "training.safetensors"
    command = [str(SCRIPT), *words(actions, folder, output)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while epochs_done(checkpoint) < 3 and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    assert process.wait(60) == -signal.SIGKILL
    assert 3 <= epochs_done(checkpoint) < EPOCHS
    assert not output.exists()
    assert bitreel(*command[1:]).json["fingerprint"] == whole
    assert not checkpoint.parent.exists()


@pytest.mark.parametrize(("phase", "epoch"), [("training", 7), ("refit", 1)])
@pytest.mark.slow
def test_killed_right_after_a_checkpoint(
    actions: Path, folder: Path, whole: str, phase: str, epoch: int
) -> None:
    output = folder / f"killed_{phase}"
    command = words(actions, folder, output)
    process = subprocess.run(
        [sys.executable, "-c", KILLED_AFTER, phase, str(epoch), *command], check=False, timeout=120
    )
    assert process.returncode == -signal.SIGKILL
    assert (folder / f"{output.name}.partial" / f"{phase}.safetensors").is_file()
    assert not output.exists()
    answer = bitreel_process(*command).json
    assert answer["fingerprint"] == whole
    assert answer["best_epoch"] > 1, "the refit had no epoch left to do"


@pytest.mark.slow
def test_killed_again_and_again(actions: Path, folder: Path, whole: str) -> None:
    """At any moment, also before the first checkpoint, until a run comes through."""
    output = folder / "often"
    command = [str(SCRIPT), *words(actions, folder, output)]
    for seconds in (1.0, 2.0, 2.5, 3.0, 3.5, 4.0):
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        try:
            _, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            _, said = process.communicate()
        assert "Traceback" not in said
        assert process.returncode in (0, -signal.SIGKILL), said
        if process.returncode == 0:
            break
    if not output.exists():
        assert bitreel(*command[1:]).code == 0
    assert Model.load(output).fingerprint == whole
