"""`bitreel tune` and `bitreel ablate`: two processes at one output, one of them killed."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import optuna
import pytest

from command_line import SCRIPT, TINY, bitreel
from fixed_weights import write_weights


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed_tune")
    write_weights(folder)
    return folder


def words(verb: str, actions: Path, folder: Path, output: Path, *options: object) -> list[str]:
    weights = ("--weights", folder / "weights.safetensors", "--bits", 16)
    places = ("--output", output, "--cache", folder / "cache", "--json")
    return [*map(str, (verb, actions, *TINY, *weights, *places, *options))]


def start(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(SCRIPT), *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def answer_of(process: subprocess.Popen[str]) -> Any:
    told, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return json.loads(told)


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


def trials(output: Path) -> list[str]:
    """The states of the points of a study."""
    try:
        study = optuna.load_study(study_name="tune", storage=f"sqlite:///{output}/study.sqlite")
        return [trial.state.name for trial in study.get_trials(deepcopy=False)]
    except Exception:  # it is being made
        return []


def wait_until(there: Any, process: subprocess.Popen[str]) -> None:
    ends = time.monotonic() + 120
    while not there() and process.poll() is None and time.monotonic() < ends:
        time.sleep(0.05)


@pytest.mark.slow
def test_a_killed_search_ends_as_if_it_had_not_been(actions: Path, folder: Path) -> None:
    options = ("--trials", 12, "--seeds", 2, "--final-seeds", 2, "--epochs", 20)
    command = words("tune", actions, folder, folder / "killed", *options)
    process = start(command)
    wait_until(lambda: trials(folder / "killed").count("COMPLETE") >= 3, process)
    kill(process)
    assert 3 <= trials(folder / "killed").count("COMPLETE") < 12
    killed = bitreel(*command).json
    whole = bitreel(*words("tune", actions, folder, folder / "whole", *options)).json
    for answer in (killed, whole):
        del answer["report"], answer["config"]
    assert killed == whole


@pytest.mark.slow
def test_two_processes_share_a_search_and_one_of_them_dies(actions: Path, folder: Path) -> None:
    output = folder / "shared"
    options = ("--trials", 14, "--seeds", 2, "--final-seeds", 2, "--epochs", 20)
    command = words("tune", actions, folder, output, *options)
    survivor, victim = start(command), start(command)
    wait_until(lambda: trials(output).count("RUNNING") == 2, survivor)
    assert trials(output).count("RUNNING") == 2, "they never worked side by side"
    kill(victim)
    answer = answer_of(survivor)
    states = trials(output)
    assert answer["points"] == states.count("COMPLETE") + states.count("PRUNED") == 14
    assert states.count("FAIL") == 1  # the victim's point, which was tried again
    assert states.count("RUNNING") == states.count("WAITING") == 0
    assert bitreel(*command).json == answer


@pytest.mark.slow
def test_two_processes_share_the_rows_of_a_table(actions: Path, folder: Path) -> None:
    output = folder / "table"
    options = ("--encoder", "mean", "--encoder", "weighted", "--seeds", 4, "--epochs", 20)
    command = words("ablate", actions, folder, output, *options)
    first, second = start(command), start(command)
    assert answer_of(first) == answer_of(second)
    assert len(list((output / "results").iterdir())) == 8
    assert not list((output / "claims").iterdir())
