"""Fixtures that several folders use. That this file is here puts `media` on the import path."""

from __future__ import annotations

import faulthandler
from collections.abc import Iterator
from pathlib import Path

import pytest


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
