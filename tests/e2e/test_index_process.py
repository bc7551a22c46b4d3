"""`bitreel index` as a process: Ctrl-C, --watch, and no process left behind."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import breaking_worker
from bitreel.library import Library
from command_line import SCRIPT, Trained
from running import PATIENCE_SECONDS, children, names, until


@pytest.fixture
def clips(trained: Trained, tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    for number in range(3):
        shutil.copy(trained.query.with_name(f"scene000{number}.mp4"), folder / f"{number}.mp4")
    return folder


def test_ctrl_c_ends_it_at_once_though_a_decoder_hangs(
    clips: Path, trained: Trained, tmp_path: Path
) -> None:
    for number in range(4):
        (clips / f"hang{number}.mp4").write_bytes(
            (clips / "0.mp4").read_bytes() + bytes(number + 1)
        )
    library = tmp_path / "library"
    script = (
        "from bitreel.video import decoding_process\n"
        f"decoding_process.WORKER = ({breaking_worker.__file__!r},)\n"
        "from bitreel.cli import main\n"
        "main()\n"
    )
    words = ["index", str(library), str(clips), "--model", str(trained.model)]
    command = [sys.executable, "-c", script, *words, "--runtime", "torch"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: len(names(library)) == 3 and bool(children(process.pid)), process)
    workers = children(process.pid)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=50)  # a decoder that hangs is given up after a minute
    assert process.returncode == 130
    assert "run the same command again to go on" in told
    assert "Traceback" not in told
    for worker in workers:
        assert not Path(f"/proc/{worker}").exists()
    with Library.open(library) as opened:
        assert len(opened.ledger()) == 3, "what was broken off is held against no file"


def test_watch_follows_a_folder(clips: Path, trained: Trained, tmp_path: Path) -> None:
    library = tmp_path / "library"
    words = [str(SCRIPT), "index", str(library), str(clips), "--model", str(trained.model)]
    command = [*words, "--watch", "--runtime", "torch"]
    printed = tmp_path / "printed"
    with printed.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.PIPE, text=True)
    until(lambda: names(library) == {"0.mp4", "1.mp4", "2.mp4"}, process)
    shutil.copy(trained.query.with_name("scene0003.mp4"), clips / "new.mp4")
    until(lambda: "new.mp4" in names(library), process)
    (clips / "0.mp4").unlink()
    until(lambda: "0.mp4" not in names(library), process)
    until(lambda: "1 removed" in printed.read_text(), process)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert "Watching" in told
    assert "1 added, 0 replaced, 3 unchanged" in printed.read_text()
