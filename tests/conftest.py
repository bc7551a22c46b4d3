"""Fixtures that several folders use. That this file is here puts `media` on the import path."""

from __future__ import annotations

import faulthandler
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from command_line import Trained
    from milvus_server import MilvusServer

# Two workers on two cores: threads of their own would only wait for each other.
os.environ["OMP_NUM_THREADS"] = "1"
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started by a shell in its background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # or no process of ours would heed it
os.environ["HF_HUB_OFFLINE"] = "1"  # a test that asks the hub is to fail at once, not after minutes


@pytest.fixture(scope="session")
def media_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the videos of one session are made."""
    return tmp_path_factory.mktemp("media")


@pytest.fixture
def never_hangs() -> Iterator[None]:
    """End the run with a trace of every thread when a test takes more than a minute. A signal
    would not do: a decoder that hangs does so outside Python."""
    faulthandler.dump_traceback_later(60, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture(scope="session")
def milvus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusServer]:
    """The one that runs for all tests: it takes ports that no other can have meanwhile."""
    from milvus_server import running_server

    with running_server(tmp_path_factory.mktemp("milvus") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def actions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of 72 synthetic clips of twelve actions, real files."""
    from bitreel.dataset.synthetic import make_actions

    folder = tmp_path_factory.mktemp("actions") / "clips"
    return make_actions(folder, clips_per_class=6, frames=12, size=(96, 128))


@pytest.fixture(scope="session")
def trained(actions: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The synthetic clips after `bitreel train` and `bitreel index`."""
    from command_line import train_and_index

    return train_and_index(actions, tmp_path_factory.mktemp("trained"))
