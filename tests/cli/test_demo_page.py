"""The page at the end of `bitreel demo`."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from bitreel.cli import demo_page
from command_line import SCRIPT, Trained, bitreel_process

ADDRESS = re.compile(r"The page: (http://127\.0\.0\.1:\d+/)#similar/(\d+)")


def test_it_answers_as_soon_as_its_address_is_told(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked: list[Any] = []

    def told(address: str) -> None:
        assert address.endswith("/#similar/3")
        asked.append(address)
        signal.raise_signal(signal.SIGINT)  # a person presses Ctrl-C

    demo_page.serve_page(trained.library, trained.manifest.parent, "#similar/3", told)
    assert len(asked) == 1, "and it ended in order"


def test_another_port_where_the_usual_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(demo_page, "PORT", taken.getsockname()[1])
        with demo_page._listening() as other:
            assert other.getsockname()[1] != taken.getsockname()[1]


def test_who_is_no_person_is_not_kept_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not demo_page.is_watched(), "pytest's streams are none of a terminal"


@pytest.mark.slow
def test_a_demo_on_a_terminal_ends_with_a_page_that_searches(tmp_path: Path) -> None:
    words = ("demo", "--clips-per-class", 4, "--output", tmp_path / "demo")
    ended = bitreel_process(*words)
    assert ended.code == 0, "without a terminal it does not wait for anyone"
    assert "The page: bitreel serve " in ended.out

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [str(SCRIPT), *map(str, words)],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path), "COLUMNS": "300", "TERM": "dumb"},
    )
    os.close(theirs)
    try:
        address, video = _read_until(ours, ADDRESS)
        with urlopen(f"{address}api/videos/{video}/similar?k=3") as answer:
            assert len(json.load(answer)["hits"]) == 3
        with urlopen(address) as answer:
            assert b"<title>bitreel</title>" in answer.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _read_until(terminal: int, wanted: re.Pattern[str]) -> tuple[str, str]:
    text, until = "", time.monotonic() + 300
    while time.monotonic() < until:
        text += os.read(terminal, 65536).decode()
        if found := wanted.search(text):
            return found[1], found[2]
    raise AssertionError(text)
