"""`bitreel.video.worker` that breaks on files whose names say how: what a bad decoder would do."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bitreel.clip import Clip
from bitreel.video import worker

_read, _content_of = worker.clips_of, worker.content_of


def clips_of(request: worker.Request) -> Iterator[Clip]:
    name = os.path.basename(request["path"])
    for number, clip in enumerate(_read(request)):
        if number == ("later" in name):
            _break(name)
        yield clip


def _break(name: str) -> None:
    if "crash" in name:
        os.kill(os.getpid(), signal.SIGSEGV)
    elif "killed" in name:
        os.kill(os.getpid(), signal.SIGKILL)
    elif "exit" in name:
        os._exit(3)
    elif "hang" in name:
        time.sleep(3600)
    elif "bomb" in name:
        np.ones(2 << 30, np.uint8)
    elif "bug" in name:
        raise ZeroDivisionError("a bug")


def content_of(path: Path) -> bytes | None:
    if "hash" in path.name:
        _break(path.name)
    return _content_of(path)


worker.clips_of, worker.content_of = clips_of, content_of
if __name__ == "__main__":
    sys.path.pop(0)
    worker.main()
