"""Fixtures that several folders use. That this file is here puts `media` on the import path."""

from __future__ import annotations

import faulthandler
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

# Two workers on two cores: threads of their own would only wait for each other.
os.environ["OMP_NUM_THREADS"] = "1"
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
def actions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of 72 synthetic clips of twelve actions, real files."""
    from bitreel.dataset.synthetic import make_actions

    folder = tmp_path_factory.mktemp("actions") / "clips"
    return make_actions(folder, clips_per_class=6, frames=12, size=(96, 128))


@dataclass(frozen=True)
class Trained:
    """What the command line made: models of 16 and 32 bits, and a library of the database part."""

    manifest: Path
    models: Path
    cache: Path
    library: Path
    answer: dict[str, Any]  # of `bitreel train --json`

    @property
    def query(self) -> Path:
        """A video that is not in the library."""
        return next(self.manifest.parent.glob("striped-disc-left/*5.mp4"))


@pytest.fixture(scope="session")
def trained(actions: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The synthetic clips after `bitreel train` and `bitreel index`."""
    from command_line import TINY, bitreel

    folder = tmp_path_factory.mktemp("trained")
    models, cache, library = (folder / name for name in ("models", "cache", "library"))
    options = ("--output", models, "--bits", "32,16", "--epochs", 8, *TINY, "--cache", cache)
    answer = bitreel("train", actions, *options, "--json").json
    model = ("--model", models / "16")
    assert bitreel("index", library, actions, "--split", "database", *model).code == 0
    return Trained(actions, models, cache, library, answer)
