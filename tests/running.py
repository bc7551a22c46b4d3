"""Processes of `bitreel` while they run."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from bitreel.library import Library

PATIENCE_SECONDS = 90.0


def until(holds: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for what a running process is to bring about."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        assert process.poll() is None, f"it ended: {process.communicate()}"
        time.sleep(0.02)


def names(library: Path) -> set[str]:
    """Of the files that are indexed."""
    if not Library.exists(library):
        return set()
    with Library.open(library) as opened:
        return {entry.path.name for entry in opened.ledger() if entry.reason is None}


def children(process: int) -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if int(fields[1]) == process and fields[0] != "Z":
            found.add(int(stat.parent.name))
    return found
