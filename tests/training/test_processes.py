"""Training by several processes at once: on one machine, and as several machines would."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from command_line import SCRIPT, TINY, bitreel_process
from running import children, until

pytestmark = pytest.mark.slow
TWO_TERM = ("--loss", "two-term", "--epochs", 3, "--encoder", "mean", "--modality", "rgb")
RIDGE = ("--loss", "ridge")


def options(actions: Path, folder: Path, *more: object) -> list[object]:
    output = ("train", actions, "--output", folder / "model", "--cache", folder / "cache")
    return [*output, *TINY, "--bits", 16, "--accelerator", "cpu", *more, "--json"]


def fingerprint(actions: Path, folder: Path, *more: object) -> str:
    return str(bitreel_process(*options(actions, folder, *more)).json["fingerprint"])


def port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(processes: Sequence[subprocess.Popen[str]]) -> list[Any]:
    """What each printed, None for nothing."""
    told = [process.communicate(timeout=300) for process in processes]
    for process, (_, errors) in zip(processes, told, strict=True):
        assert process.returncode == 0, errors
    return [json.loads(out) if out else None for out, _ in told]


def run(command: Sequence[object], **environment: object) -> subprocess.Popen[str]:
    settings = os.environ | {name: str(value) for name, value in environment.items()}
    pipe = subprocess.PIPE
    return subprocess.Popen([*map(str, command)], env=settings, stdout=pipe, stderr=pipe, text=True)


def test_two_processes_give_the_same_model_every_time(actions: Path, tmp_path: Path) -> None:
    """But not that of one process: each adds a batch of its own to a step."""
    first, second, alone = (
        fingerprint(actions, tmp_path / name, *TWO_TERM, "--devices", devices)
        for name, devices in (("first", 2), ("second", 2), ("alone", 1))
    )
    assert first == second
    assert first != alone


def test_a_network_that_learns_whole_is_the_same_every_time_too(
    actions: Path, tmp_path: Path
) -> None:
    words = (*TWO_TERM, "--finetune", "--patience", 1, "--devices", 2)
    first, second = (fingerprint(actions, tmp_path / name, *words) for name in "ab")
    assert first == second


def test_what_is_fitted_is_the_same_by_any_number_of_processes(
    actions: Path, tmp_path: Path
) -> None:
    prints = {fingerprint(actions, tmp_path / str(n), *RIDGE, "--devices", n) for n in (1, 2)}
    assert len(prints) == 1
    counts = []
    for cache in tmp_path.glob("*/cache/*.sqlite"):
        with closing(sqlite3.connect(cache)) as connection:
            counts += connection.execute("SELECT count(*) FROM features").fetchone()
    assert len(set(counts)) == 1, "two processes left as many features in the cache as one"


def test_one_that_is_lost_ends_the_others_and_the_next_run_goes_on(
    actions: Path, tmp_path: Path
) -> None:
    words = (*TWO_TERM[:2], "--epochs", 300, "--patience", 300, *TWO_TERM[4:], "--devices", 2)
    whole = fingerprint(actions, tmp_path / "whole", *words)
    folder = tmp_path / "broken"
    process = run([SCRIPT, *options(actions, folder, *words)])
    until(lambda: any((folder / "model.partial").glob("*")), process)
    for other in children(process.pid):
        os.kill(other, signal.SIGKILL)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Traceback" not in told
    assert "Another of the 2 processes of this training is lost" in told
    assert fingerprint(actions, folder, *words) == whole


def test_two_machines_give_the_model_of_two_processes(actions: Path, tmp_path: Path) -> None:
    """One after the other by torchrun and by three variables, the machines being this one."""
    together = fingerprint(actions, tmp_path / "together", *TWO_TERM, "--devices", 2)
    words = options(actions, tmp_path / "variables", *TWO_TERM, "--nodes", 2)
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port()}
    nodes = [run([SCRIPT, *words], **place, NODE_RANK=rank) for rank in range(2)]
    first, second = answers(nodes)
    assert first["fingerprint"] == together
    assert second is None, "the second machine has nothing to say"

    words = options(actions, tmp_path / "torchrun", *TWO_TERM, "--nodes", 2)
    start = [sys.executable, "-m", "torch.distributed.run", "--nnodes", 2, "--nproc-per-node", 1]
    start += ["--master-addr", "127.0.0.1", "--master-port", port()]
    nodes = [run([*start, "--node-rank", n, "-m", "bitreel", *words]) for n in range(2)]
    first, second = answers(nodes)
    assert (first["fingerprint"], second) == (together, None)
