"""Threads that share a library: one is closed, stopped or given another model under them."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from library_helpers import indexed_codes, make_video, make_videos, tiny_model

import breaking_worker
from bitreel.errors import LibraryError
from bitreel.library import Library
from bitreel.progress import Step
from bitreel.video import decoding_process, guarded
from running import children

pytestmark = pytest.mark.usefixtures("never_hangs")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    made = Library.create(tmp_path / "library", tiny_model())
    made.add(make_videos(tmp_path / "videos", 3))
    return made


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processes that decode break on files whose names say how."""
    monkeypatch.setattr(decoding_process, "WORKER", (str(breaking_worker.__file__),))


def in_thread(work: Callable[[], object]) -> Callable[[], BaseException | None]:
    """Begin something. Gives what waits for its end, and says what it raised."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def ended() -> BaseException | None:
        thread.join(50)
        assert not thread.is_alive()
        return raised[0] if raised else None

    return ended


def test_closing_it_while_another_thread_adds(library: Library, tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "more", 4, first=10)
    begun, closed = threading.Event(), threading.Event()

    def progress(step: Step) -> None:
        begun.set()
        closed.wait(50)

    ended = in_thread(lambda: library.add(videos, progress=progress))
    assert begun.wait(50)
    library.close()
    closed.set()
    error = ended()
    assert isinstance(error, LibraryError)
    assert "was closed while it was in use: open it again" in str(error)
    assert str(library.folder) in str(error)
    assert len(indexed_codes(library.folder)) == 4, "what was done is kept"


@pytest.mark.usefixtures("breaking")
def test_closing_it_while_another_thread_searches(library: Library, tmp_path: Path) -> None:
    query = make_video(tmp_path / "hang.mp4", 5)
    ended = in_thread(lambda: library.search(query))
    while library._reader is None or not any(p._is_ready for p in list(library._reader._all)):
        time.sleep(0.01)
    library.close()
    error = ended()
    assert isinstance(error, LibraryError)
    assert "was closed" in str(error)


def test_a_closed_library_says_so_whatever_is_asked(library: Library, tmp_path: Path) -> None:
    query = make_video(tmp_path / "query.mp4", 5)
    library.close()
    library.close()
    asks: tuple[Callable[[], object], ...] = (
        library.status,
        library.ledger,
        library.codes,
        library.plan_index,
        lambda: library.search(query),
        lambda: library.similar([1]),
        lambda: library.add([query]),
        lambda: library.export(tmp_path / "codes.npz"),
    )
    for ask in asks:
        with pytest.raises(LibraryError, match="was closed"):
            ask()


def test_threads_that_search_first_share_one_reader(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = make_videos(tmp_path / "queries", 4, first=20)
    others = children(os.getpid())  # of fixtures that other tests share
    made: list[object] = []
    both = threading.Barrier(4)
    real = guarded.GuardedReader.__init__

    def slowly(reader: guarded.GuardedReader) -> None:
        made.append(reader)
        time.sleep(0.1)  # long enough for the others to come by
        real(reader)

    monkeypatch.setattr(guarded.GuardedReader, "__init__", slowly)

    def search(query: Path) -> object:
        both.wait(50)
        return library.search(query)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(search, queries))
    assert len(made) == 1
    assert found == [library.search(query) for query in queries]
    library.close()
    assert children(os.getpid()) <= others


@pytest.mark.usefixtures("breaking")
def test_stopped_while_contents_are_hashed(library: Library, tmp_path: Path) -> None:
    """A disk that does not answer is not waited for."""
    videos = make_videos(tmp_path / "more", 1, first=10)
    videos += [make_video(tmp_path / "more" / f"hash-hang {n}.mp4", 11 + n) for n in range(3)]
    before = children(os.getpid())

    def stop(step: Step) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        library.add(videos, progress=stop)
    assert children(os.getpid()) == before
    library.close()
    assert len(indexed_codes(library.folder)) == 4


@pytest.fixture
def own_model(library: Library) -> Iterator[Library]:
    """The library, opened with the model in it, which others may exchange."""
    library.close()
    with Library.open(library.folder) as opened:
        yield opened


def test_what_was_open_before_a_change_of_model_is_let_go(own_model: Library) -> None:
    library, models = own_model, [tiny_model(seed=1), tiny_model()]
    assert library.model.fingerprint == library.fingerprint  # loads it
    before = weakref.ref(library._catalogue)
    counts = []
    with Library.open(library.folder) as other:
        for model in models * 4:
            other.migrate(model)
            assert library.status().model_fingerprint == model.fingerprint
            counts.append(len(os.listdir("/proc/self/fd")))
    assert before() is None
    # SQLite itself keeps a few until the last connection is closed, and uses them again.
    assert counts[-1] <= counts[2], counts


def test_a_thread_that_is_at_the_former_model_is_told_not_cut_off(own_model: Library) -> None:
    library = own_model
    former = library._catalogue
    with former.transaction(), Library.open(library.folder) as other:
        moved = in_thread(lambda: other.migrate(tiny_model(seed=1)))
        ids = former.ids()
        # The exchange waits for no reader.
        assert moved() is None
        assert former.ids().tolist() == ids.tolist()
    assert library.status().model_fingerprint == tiny_model(seed=1).fingerprint
    library.close()
    with pytest.raises(LibraryError, match="was closed"):
        former.ids()
