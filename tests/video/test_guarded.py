"""Videos read in processes of their own: the same clips, and what a broken decoder costs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import breaking_worker
from bitreel.clip import Clip
from bitreel.errors import BitreelError, NoVideoStream, UnreadableVideo, VideoError, VideoTooLarge
from bitreel.video import Segmenting, decoding_process, guarded, read_segments, write_video
from bitreel.video.decoding_process import Limits
from bitreel.video.guarded import GuardedReader

WINDOWS = Segmenting(1.0, 0.5, shots=False)
OPTIONS: dict[str, Any] = {"frames": 4, "snippet": 3, "size": (48, 64)}


@pytest.fixture
def reader() -> Iterator[GuardedReader]:
    reader = GuardedReader()
    yield reader
    reader.close()


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> Iterator[GuardedReader]:
    """One whose processes break on files whose names ask for it."""
    monkeypatch.setattr(decoding_process, "WORKER", (str(Path(breaking_worker.__file__)),))
    reader = GuardedReader(Limits(silent_seconds=2.0, memory_bytes=1 << 30))
    yield reader
    reader.close()


def video(path: Path, seconds: float = 3.0) -> Path:
    numbers = np.arange(int(seconds * 10), dtype=np.uint8)
    frames = np.broadcast_to(numbers[:, None, None, None] * 7, (len(numbers), 48, 64, 3))
    write_video(path, np.ascontiguousarray(frames), frames_per_second=10)
    return path


def assert_same(ours: list[Clip], others: list[Clip]) -> None:
    for a, b in zip(ours, others, strict=True):
        assert (a.segment, a.damage) == (b.segment, b.damage)
        for one in ("frames", "times_seconds", "snippets", "centres"):
            np.testing.assert_array_equal(getattr(a, one), getattr(b, one), strict=True)


def test_the_clips_are_those_of_this_process(reader: GuardedReader, tmp_path: Path) -> None:
    path = video(tmp_path / "ein vidéo\udcff.mp4")
    ours = list(reader.read_segments(path, WINDOWS, **OPTIONS))
    assert len(ours) > 3
    assert_same(ours, list(read_segments(path, WINDOWS, **OPTIONS)))


def test_errors_are_those_of_this_process(reader: GuardedReader, tmp_path: Path) -> None:
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"junk")
    for path, kind in ((junk, UnreadableVideo), (tmp_path / "absent.mp4", UnreadableVideo)):
        with pytest.raises(kind) as expected:
            list(read_segments(path, WINDOWS, **OPTIONS))
        with pytest.raises(kind) as raised:
            list(reader.read_segments(path, WINDOWS, **OPTIONS))
        assert str(raised.value) == str(expected.value)
    assert issubclass(NoVideoStream, VideoError)
    assert list(reader.read_segments(video(tmp_path / "good.mp4"), WINDOWS, **OPTIONS))


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("crash.mp4", UnreadableVideo, r"crash \(SIGSEGV\)"),
        ("killed.mp4", UnreadableVideo, "be killed, perhaps for the memory"),
        ("exit.mp4", UnreadableVideo, "end with 3"),
        ("hang.mp4", UnreadableVideo, "gave no frames for 2 seconds"),
        ("bomb.mp4", VideoTooLarge, "needs more memory"),
        ("bug.mp4", VideoError, r"an error in bitreel \(ZeroDivisionError: a bug\)"),
    ],
)
@pytest.mark.parametrize("later", [False, True])
def test_a_video_that_breaks_its_process_costs_itself(
    breaking: GuardedReader,
    tmp_path: Path,
    name: str,
    kind: type[VideoError],
    said: str,
    later: bool,
) -> None:
    good, bad = video(tmp_path / "good.mp4"), video(tmp_path / (f"later-{name}" if later else name))
    clips: list[Clip] = []
    with pytest.raises(kind, match=said) as raised:
        clips.extend(breaking.read_segments(bad, WINDOWS, **OPTIONS))
    assert str(bad) in str(raised.value)
    assert len(clips) == later, "what was read before it broke is given"
    assert list(breaking.read_segments(good, WINDOWS, **OPTIONS))


def test_a_process_is_used_again(reader: GuardedReader, tmp_path: Path) -> None:
    path = video(tmp_path / "a.mp4")
    for _ in range(3):
        list(reader.read_segments(path, WINDOWS, **OPTIONS))
    assert len(reader._all) == 1


def test_a_process_that_died_at_rest_is_replaced(reader: GuardedReader, tmp_path: Path) -> None:
    path = video(tmp_path / "a.mp4")
    list(reader.read_segments(path, WINDOWS, **OPTIONS))
    (worker,) = reader._all
    worker.kill()
    worker._process.wait()
    assert list(reader.read_segments(path, WINDOWS, **OPTIONS))


def test_who_stops_midway_leaves_no_process_behind(reader: GuardedReader, tmp_path: Path) -> None:
    given = reader.read_segments(video(tmp_path / "a.mp4"), WINDOWS, **OPTIONS)
    next(given)
    (worker,) = reader._all
    given.close()  # type: ignore[attr-defined]
    assert not worker.is_alive
    assert not reader._all


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, KeyError])
def test_the_next_video_never_gets_the_rest_of_an_answer(
    error: type[BaseException],
    reader: GuardedReader,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = video(tmp_path / "a.mp4", 4), video(tmp_path / "b.mp4", 2)
    expected = list(read_segments(other, WINDOWS, **OPTIONS))
    with monkeypatch.context() as patch:
        patch.setattr(decoding_process, "Clip", lambda *_: (_ for _ in ()).throw(error()))
        with pytest.raises(error):
            list(reader.read_segments(one, WINDOWS, **OPTIONS))
    assert_same(list(reader.read_segments(other, WINDOWS, **OPTIONS)), expected)


def test_a_process_that_dies_while_it_starts_is_started_again(
    reader: GuardedReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, killed = decoding_process.DecodingProcess, list[int]()

    def dying(limits: Limits) -> Any:
        worker = real(limits)
        if not killed:
            killed.append(1)
            worker.kill()
        return worker

    monkeypatch.setattr(guarded, "DecodingProcess", dying)
    assert list(reader.read_segments(video(tmp_path / "a.mp4"), WINDOWS, **OPTIONS))
    assert killed


def test_threads_read_side_by_side(reader: GuardedReader, tmp_path: Path) -> None:
    paths = [video(tmp_path / f"{n}.mp4", 2 + n / 10) for n in range(6)]
    with ThreadPoolExecutor(3) as pool:
        read = pool.map(lambda path: list(reader.read_segments(path, WINDOWS, **OPTIONS)), paths)
        for path, ours in zip(paths, read, strict=True):
            assert_same(ours, list(read_segments(path, WINDOWS, **OPTIONS)))
    assert len(reader._all) <= 3


def test_close_ends_what_hangs(breaking: GuardedReader, tmp_path: Path) -> None:
    breaking.limits = Limits(silent_seconds=600)
    raised: list[BaseException] = []

    def read() -> None:
        try:
            list(breaking.read_segments(video(tmp_path / "hang.mp4"), WINDOWS, **OPTIONS))
        except VideoError as error:
            raised.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    while not any(worker._is_ready for worker in list(breaking._all)):
        time.sleep(0.01)
    breaking.close()
    thread.join(20)
    assert len(raised) == 1


def test_no_process_outlives_its_parent(tmp_path: Path) -> None:
    """Not even one that hangs in a decoder, when the parent is killed and can end nothing."""
    path = video(tmp_path / "hang.mp4")
    script = f"""
import sys
from pathlib import Path
from bitreel.video import Segmenting, decoding_process, guarded
decoding_process.WORKER = ({str(breaking_worker.__file__)!r},)
reader = guarded.GuardedReader()
worker = reader._take()
worker.await_ready()
print(worker._process.pid, flush=True)
options = dict(frames=4, size=(48, 64))
list(worker.read(Path({str(path)!r}), dict(
    task="read", path={str(path)!r}, segmenting=dict(window_seconds=0), frames=4)))
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait(60)
    parent.stdout.close()
    until = time.monotonic() + 20
    while time.monotonic() < until and _runs(child):
        time.sleep(0.02)
    assert not _runs(child)


def test_a_process_that_does_not_start_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(decoding_process, "WORKER", ("-c", "raise ImportError('no decoder here')"))
    reader = GuardedReader()
    with pytest.raises(BitreelError, match="no decoder here"):
        list(reader.read_segments(video(tmp_path / "a.mp4"), WINDOWS, **OPTIONS))
    reader.close()


def test_a_folder_of_the_user_shadows_nothing(tmp_path: Path) -> None:
    """A user's own numpy.py beside the videos is not what the process imports."""
    path = video(tmp_path / "a.mp4")
    (tmp_path / "numpy.py").write_text("raise ImportError('the wrong numpy')")
    script = tmp_path / "scripts" / "run.py"
    script.parent.mkdir()
    script.write_text(
        "from pathlib import Path\n"
        "from bitreel.video import WHOLE_VIDEOS\n"
        "from bitreel.video.guarded import GuardedReader\n"
        f"clips = GuardedReader().read_segments(Path({str(path)!r}), WHOLE_VIDEOS, frames=4)\n"
        "print(len(list(clips)))\n"  # no `if __name__ == '__main__'`: none is needed
    )
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
