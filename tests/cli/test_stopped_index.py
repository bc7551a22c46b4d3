"""Ctrl-C while `bitreel index` waits for a disk that does not answer."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import breaking_worker
from bitreel.library import Library
from command_line import Trained
from running import children, names, until


def test_it_does_not_wait_for_contents_that_are_hashed(trained: Trained, tmp_path: Path) -> None:
    clips, library = tmp_path / "clips", tmp_path / "library"
    clips.mkdir()
    shutil.copy(trained.query, clips / "0.mp4")
    for number in range(4):
        shutil.copy(trained.query, clips / f"1 hash-hang {number}.mp4")
    script = (
        "from bitreel.video import decoding_process\n"
        f"decoding_process.WORKER = ({breaking_worker.__file__!r},)\n"
        "from bitreel.library import adding\n"
        "grouped = adding.in_groups\n"
        "adding.in_groups = lambda items, size: grouped(items, 1)\n"
        "from bitreel.cli import main\n"
        "main()\n"
    )
    words = ["index", str(library), str(clips), "--model", str(trained.model)]
    command = [sys.executable, "-c", script, *words, "--runtime", "torch"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: names(library) == {"0.mp4"} and bool(children(process.pid)), process)
    workers = children(process.pid)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=50)  # a file that is not read is given up after a minute
    assert process.returncode == 130
    assert "Traceback" not in told
    for worker in workers:
        assert not Path(f"/proc/{worker}").exists()
    assert names(library) == {"0.mp4"}
    with Library.open(library) as opened:
        assert all(entry.reason is None for entry in opened.ledger())
