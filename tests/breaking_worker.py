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
from bitreel.video import content, worker

_read = worker.clips_of


def clips_of(request: worker.Request) -> Iterator[Clip]:
    path = Path(request["path"])
    for number, clip in enumerate(_read(request)):
        if number == ("later" in path.name):
            _break(path)
        yield clip


def _break(path: Path) -> None:
    name = path.name
    if "once" in name:
        try:
            path.with_suffix(".broke").touch(exist_ok=False)
        except FileExistsError:
            return
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
        _break(path)
    return content.content_of(path)


vars(worker).update(clips_of=clips_of, content_of=content_of)
if __name__ == "__main__":
    sys.path.pop(0)
    worker.main()
