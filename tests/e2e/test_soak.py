"""A collection as it is found on disks: thousands of files, some broken in twenty ways, and a
process that is killed again and again."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import breaking_worker
from bitreel.library import Library
from bitreel.video import write_video
from broken import MAKERS
from command_line import Trained
from media import make_video, truncate

KINDS = 20
# Those that the decoder, or the process that it runs in, does not survive. Its limits are small
# here: a second for each that hangs.
BREAKING = ("crash", "killed", "exit", "hang", "bomb", "bug")
SCRIPT = f"""
from functools import partial
from bitreel.video import decoding_process, guarded
decoding_process.WORKER = ({breaking_worker.__file__!r},)
guarded.Limits = partial(guarded.Limits, 1.0, 1 << 30)
from bitreel.cli import main
main()
"""


def tiny_video(path: Path, number: int) -> None:
    """Unlike every other: the number is in it."""
    shades = np.unpackbits(np.array([number], ">u2").view(np.uint8)).repeat(4) * 200 + 20
    frame = np.broadcast_to(shades.astype(np.uint8)[None, :, None], (48, 64, 3))
    frames = np.stack([np.roll(frame, step, axis=1) for step in range(3)])
    write_video(path, frames, options={"preset": "ultrafast"})


def more_makers(good: Path) -> dict[str, Callable[[Path, int], object]]:
    """Ways to be broken beside those of `broken.MAKERS`. Each file has a content of its own."""

    def breaking(path: Path, number: int) -> None:
        path.write_bytes(good.read_bytes() + number.to_bytes(4, "big"))

    def archive(path: Path, number: int) -> None:
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("a.txt", str(number))

    def headless(path: Path, number: int) -> None:
        path.write_bytes(bytes(64) + good.read_bytes()[64:] + number.to_bytes(4, "big"))

    def webm(path: Path, _: int) -> None:
        whole = path.with_suffix(".webm")
        truncate(make_video(whole, 3, codec="libvpx"), path, 0.02)
        whole.unlink()

    return dict.fromkeys(BREAKING, breaking) | {
        "zip": archive,
        "zeros": lambda path, number: path.write_bytes(bytes(1000 + number)),
        "headless": headless,
        "webm": webm,
    }


def make_collection(folder: Path, count: int, broken: int) -> tuple[set[str], set[str]]:
    """Good files in folders of a hundred, broken ones among them. The names of each."""
    healthy = folder.parent / "healthy"
    healthy.mkdir()
    good: set[str] = set()
    for number in range(count - broken):
        place = folder / f"{number // 100:03}" / f"good{number:05}.mp4"
        place.parent.mkdir(parents=True, exist_ok=True)
        tiny_video(place, number)
        good.add(place.name)
    own = more_makers(folder / "000" / "good00000.mp4")
    kinds = [name for name in MAKERS if name not in ("cut.avi", "damaged.mp4")] + list(own)
    assert len(kinds) == KINDS
    bad: set[str] = set()
    first: dict[str, bytes] = {}
    for number in range(broken):
        kind = kinds[number % KINDS]
        name = f"bad-{kind.removesuffix('.mp4')}-{number:04}.mp4"
        place = folder / f"{number * 7 % max(1, len(good) // 100):03}" / name
        if kind in own:
            own[kind](place, number)
        elif kind in ("pipe.mp4", "link.mp4"):
            MAKERS[kind](place, healthy)
        else:
            if kind not in first:
                MAKERS[kind](place, healthy)
                first[kind] = place.read_bytes()
            place.write_bytes(first[kind])
        bad.add("gone.mp4" if kind == "link.mp4" else name)  # a link is where it leads
    return good, bad


def indexed(library: Path) -> int:
    path = library / "catalogue.sqlite"
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            return int(connection.execute("SELECT count(*) FROM segments").fetchone()[0])
    except sqlite3.OperationalError:  # not there yet
        return 0


def memory_kb(process: int) -> int:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def descendants() -> set[int]:
    """The decoding processes that run."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if breaking_worker.__file__.encode() in path.read_bytes().split(b"\0")[1:2]:
                found.add(int(path.parent.name))
        except (OSError, ValueError):
            continue
    return found


@pytest.mark.parametrize(
    ("count", "broken", "kills"), [(160, 20, 1), pytest.param(5000, 300, 3, marks=pytest.mark.slow)]
)
def test_a_real_collection(
    count: int, broken: int, kills: int, trained: Trained, tmp_path: Path
) -> None:
    good, bad = make_collection(tmp_path / "videos", count, broken)
    library = tmp_path / "library"
    words = ["index", str(library), str(tmp_path / "videos"), "--model", str(trained.model)]
    command = [sys.executable, "-c", SCRIPT, *words, "--runtime", "torch", "--json"]
    others = descendants()
    for kill in range(kills):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while indexed(library) < (kill + 1) * len(good) // 5:
            assert process.poll() is None, f"it ended by itself with {process.returncode}"
            time.sleep(0.01)
        kept = indexed(library)
        process.kill()
        assert process.wait(60) == -signal.SIGKILL
        assert indexed(library) >= kept, "what was committed is there"
    taken: list[int] = []
    with (tmp_path / "answer.json").open("wb") as answer:
        process = subprocess.Popen(command, stdout=answer, stderr=subprocess.DEVNULL)
        while process.poll() is None:
            if indexed(library) > 0.65 * len(good):
                taken.append(memory_kb(process.pid))
            time.sleep(0.05)
    assert process.returncode == 0
    assert json.loads((tmp_path / "answer.json").read_text())["videos"] == len(good)

    with Library.open(library) as opened:
        entries = opened.ledger()
    fates = Counter(entry.path.name for entry in entries if entry.reason is None)
    assert fates == dict.fromkeys(good, 1), "every good file once"
    reasons = {entry.path.name: entry.reason for entry in entries if entry.reason is not None}
    assert set(reasons) == bad, "every bad file, with a reason"
    with closing(sqlite3.connect(library / "catalogue.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM segments").fetchone() == (len(good),)
    end = time.monotonic() + 30
    while descendants() - others and time.monotonic() < end:
        time.sleep(0.05)
    assert not descendants() - others, "no process is left"
    if len(taken) > 20:
        half = len(taken) // 2
        assert max(taken[half:]) < 1.1 * max(taken[:half]), "memory is flat"
