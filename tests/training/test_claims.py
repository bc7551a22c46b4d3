"""Locks that end with their process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from bitreel.errors import ConfigError
from bitreel.training.claims import Claims


def child(work: Callable[[], None]) -> int:
    """Run `work` in a process of its own, which ends without a word to this one."""
    number = os.fork()
    if number:
        return number
    try:
        work()
    finally:
        os._exit(0)


def test_one_process_holds_a_name_at_a_time_and_death_sets_it_free(tmp_path: Path) -> None:
    claims = Claims(tmp_path / "claims")
    read, write = os.pipe()

    def hold() -> None:
        with claims.take("x") as held:
            os.write(write, b"1" if held else b"0")
            signal.pause()

    holder = child(hold)
    assert os.read(read, 1) == b"1"
    assert not claims.is_free("x")
    assert claims.is_free("y")
    with claims.take("x") as held:
        assert not held
    os.kill(holder, signal.SIGKILL)
    claims.wait_for("x")
    os.waitpid(holder, 0)
    assert claims.is_free("x")


def test_of_many_that_wait_one_is_inside_at_a_time(tmp_path: Path) -> None:
    """The lock's file comes and goes: nobody may hold one that has been taken away."""
    claims, counter = Claims(tmp_path / "claims"), tmp_path / "counter"
    counter.write_text("0")

    def count() -> None:
        for _ in range(50):
            with claims.take("x", wait=True):
                counter.write_text(str(int(counter.read_text()) + 1))

    for process in [child(count) for _ in range(4)]:
        os.waitpid(process, 0)
    assert counter.read_text() == "200"
    assert list(claims.folder.iterdir()) == []


def test_it_is_held_inside_and_free_after_an_error(tmp_path: Path) -> None:
    claims = Claims(tmp_path)

    def fail() -> None:
        with claims.take("x") as held:
            assert held
            assert not claims.is_free("x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert claims.is_free("x")


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="can not be made"):
        Claims(tmp_path / "file" / "claims")
