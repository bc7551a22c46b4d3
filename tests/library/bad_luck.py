"""Processes that are killed at a chosen moment, and folders that may not be written."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

# A server that has torch loaded already and forks: a child starts in a blink.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["bitreel.model", "bitreel.library"])


def start(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    child = PROCESSES.Process(target=target, args=arguments)
    child.start()
    return child


def finish(child: BaseProcess) -> None:
    child.join(60)
    assert child.exitcode == 0, f"ended with {child.exitcode}"


def killed(child: BaseProcess) -> None:
    child.join(60)
    assert child.exitcode == -signal.SIGKILL, f"ended with {child.exitcode}"


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at_call(owner: Any, name: str, nth: int) -> None:
    """Let the process be killed just before the nth call of a function."""
    original = getattr(owner, name)
    calls = iter(range(1, 1000))

    def counting(*args: Any, **options: Any) -> Any:
        if next(calls) == nth:
            die()
        return original(*args, **options)

    setattr(owner, name, counting)


@contextmanager
def no_right_to_write(folder: Path) -> Iterator[None]:
    """Permissions bind this thread, also when it is root's."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    libc = ctypes.CDLL(None)
    is_root = os.geteuid() == 0
    try:
        if is_root:
            libc.setfsuid(65534)
        with pytest.raises(PermissionError):
            (folder / "probe").touch()
        yield
    finally:
        if is_root:
            libc.setfsuid(0)
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
