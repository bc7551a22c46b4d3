"""What is kept of thumbnails and previews, and what has to go."""

from __future__ import annotations

import os
import random
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from bitreel.errors import LibraryError, VideoError
from bitreel.server.app import create_app
from bitreel.server.picture_cache import PictureCache
from bitreel.server.settings import Settings
from command_line import Trained


def of(number: int) -> str:
    return f"{number:04x}.jpg"


def content(number: int, size: int = 100) -> bytes:
    return bytes([number % 256]) * size


def maker(number: int, made: list[int] | None = None) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(content(number))
        if made is not None:
            made.append(number)

    return make


def names(folder: Path) -> set[str]:
    return {path.parent.name + path.name for path in folder.rglob("*") if path.is_file()}


def age(folder: Path, number: int, seconds: int) -> None:
    """When it was asked for, in seconds of some clock."""
    os.utime(folder / of(number)[:2] / of(number)[2:], (seconds, seconds))


def test_what_was_not_asked_for_longest_goes_first(tmp_path: Path) -> None:
    cache = PictureCache(tmp_path, 1000)
    for number in range(10):
        cache.get(of(number), maker(number)).close()
        age(tmp_path, number, number)
    made: list[int] = []
    with cache.get(of(0), maker(0, made)) as file:
        assert file.read() == content(0)
    assert made == []
    cache.get(of(99), maker(99)).close()
    assert names(tmp_path) == {of(n) for n in (0, 3, 4, 5, 6, 7, 8, 9, 99)}


@given(st.lists(st.integers(0, 30), max_size=60), st.integers(0, 2500))
@settings(deadline=None, max_examples=40)
def test_there_is_never_more_than_there_is_room_for(asked: list[int], most: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        cache = PictureCache(Path(folder), most)
        for number in asked:
            with cache.get(of(number), maker(number)) as file:
                assert file.read() == content(number)
            assert 100 * len(names(Path(folder))) <= most


def test_a_new_process_knows_what_is_there_and_what_was_killed(tmp_path: Path) -> None:
    for number in range(9):
        PictureCache(tmp_path, 1000).get(of(number), maker(number)).close()
        age(tmp_path, number, number)
    stale, new = tmp_path / "00" / ".part-1.jpg", tmp_path / "00" / ".part-2.jpg"
    for path in (stale, new):
        path.write_bytes(bytes(5000))
    os.utime(stale, (0, 0))
    PictureCache(tmp_path, 500).get(of(50), maker(50)).close()
    assert names(tmp_path) == {of(n) for n in (6, 7, 8, 50)} | {"00.part-2.jpg"}


def test_an_open_file_stays_as_it_is(tmp_path: Path) -> None:
    cache = PictureCache(tmp_path, 100)
    with cache.get(of(1), maker(1)) as file:
        cache.get(of(2), maker(2)).close()
        assert of(1) not in names(tmp_path)
        assert file.read() == content(1)


def test_readers_at_once(tmp_path: Path) -> None:
    caches = [PictureCache(tmp_path, 450) for _ in range(2)]  # as two processes would

    def read(seed: int) -> None:
        choose = random.Random(seed)
        for _ in range(150):
            number = choose.randrange(12)
            with choose.choice(caches).get(of(number), maker(number)) as file:
                assert file.read() == content(number)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(read, range(8)))
    assert not [name for name in names(tmp_path) if "part" in name]


def test_one_is_made_for_all_who_wait(tmp_path: Path) -> None:
    made: list[int] = []
    cache, start = PictureCache(tmp_path, 1000), threading.Barrier(6)

    def read(_: int) -> bytes:
        start.wait()
        with cache.get(of(1), maker(1, made)) as file:
            return file.read()

    with ThreadPoolExecutor(6) as threads:
        assert set(threads.map(read, range(6))) == {content(1)}
    assert len(made) <= 2  # as many as are made side by side


def test_what_can_not_be_made_or_kept(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise VideoError("No.")

    cache = PictureCache(tmp_path / "cache", 1000)
    with pytest.raises(VideoError):
        cache.get(of(1), fail)
    assert names(tmp_path) == set()
    (tmp_path / "file").touch()
    with pytest.raises(LibraryError, match="can not be kept"):
        PictureCache(tmp_path / "file", 1000).get(of(1), maker(1))


def test_a_server_without_room_answers_all_the_same(trained: Trained, tmp_path: Path) -> None:
    settings = Settings(trained.library, cache=tmp_path, cache_bytes=0)
    with TestClient(create_app(settings), "http://127.0.0.1:8000") as client:
        for _ in range(2):
            film = client.get("/api/videos/1/preview")
            assert film.status_code == 200
            assert int(film.headers["content-length"]) == len(film.content) > 1000
            part = client.get("/api/videos/1/preview", headers={"Range": "bytes=10-19"})
            assert (part.status_code, part.content) == (206, film.content[10:20])
    assert names(tmp_path) == set()
