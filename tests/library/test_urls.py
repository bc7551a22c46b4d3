"""Videos by their URL: listed, fetched and indexed under a path that stands for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from library_helpers import make_videos, tiny_model

from bitreel.errors import ConfigError, DataError
from bitreel.library import Fate, Library
from bitreel.library.urls import OutOfReach, fetch, is_url, list_url, state_at, to_path, to_url

fsspec = pytest.importorskip("fsspec", reason="URLs take fsspec: pip install 'bitreel[ray]'")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Any]:
    """A store in this process with two films and a note."""
    system = fsspec.filesystem("memory")
    for video in make_videos(tmp_path / "made", 2):
        system.pipe(f"/films/below/{video.name}", video.read_bytes())
    system.pipe("/films/note.txt", b"no film")
    yield system
    system.rm("/films", recursive=True)


@pytest.mark.parametrize("url", ["s3://bucket/a/b.mp4", "memory://films/ü b.mp4", "http://h:80/a"])
def test_a_path_stands_for_a_url_and_back(url: str) -> None:
    assert is_url(url)
    path = to_path(url)
    assert path.is_absolute()
    assert is_url(path)
    assert to_url(path) == url


@pytest.mark.parametrize(
    "url", ["s3://bucket//b.mp4", "s3:///b.mp4", "s3://a/../b.mp4", "s3://a/./b.mp4", "s3://a/b/"]
)
def test_a_url_that_a_path_would_change_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="can not be a video's address"):
        to_path(url)


@pytest.mark.parametrize("name", ["/films/a.mp4", "films/a.mp4", "C:/a.mp4"])
def test_files_of_this_machine_are_no_urls(name: str) -> None:
    assert not is_url(name)
    assert not is_url(Path(name))
    assert not is_url(f"file:{'//'}{name}")


def test_videos_are_listed_to_any_depth_with_their_states(memory: Any) -> None:
    listed = list(list_url("memory://films"))
    names = [to_url(video.path) for video in listed]
    assert names == [f"memory://films/below/clip_00{n}.mp4" for n in range(2)]
    for video in listed:
        assert video.state == state_at(video.path)
        assert video.state is not None
        assert video.state.size_bytes == memory.size(to_url(video.path))


def test_one_file_is_taken_whatever_its_name(memory: Any) -> None:
    assert [to_url(v.path) for v in list_url("memory://films/note.txt")] == [
        "memory://films/note.txt"
    ]


def test_nothing_there_and_no_such_store() -> None:
    with pytest.raises(DataError, match="memory://nowhere"):
        list(list_url("memory://nowhere"))
    with pytest.raises(ConfigError, match="no-such-store://a can not be read"):
        list(list_url("no-such-store://a"))


def test_what_grew_since_it_was_listed_is_left_for_a_later_run(memory: Any, tmp_path: Path) -> None:
    video = next(list_url("memory://films"))
    assert video.state is not None
    memory.pipe(to_url(video.path), b"another")
    with pytest.raises(OutOfReach, match="7 bytes"):
        fetch(video.path, video.state, tmp_path / "a.mp4")


def test_films_of_a_store_have_the_codes_of_the_files(memory: Any, tmp_path: Path) -> None:
    files = sorted((tmp_path / "made").iterdir())
    with Library.create(tmp_path / "here", tiny_model()) as here:
        here.add(files)
        expected = here.codes()[1]
    with Library.create(tmp_path / "there", tiny_model()) as there:
        assert there.add(list_url("memory://films")).added == 2
        assert there.codes()[1].packed.tobytes() == expected.packed.tobytes()
        paths = [entry.path for entry in there.ledger(Fate.INDEXED)]
        assert paths == [Path(f"/memory:/films/below/{file.name}") for file in files]
        assert there.add(list_url("memory://films")).unchanged == 2
        there.export(tmp_path / "codes.npz")


def test_a_copy_in_a_store_is_another_video_and_a_changed_one_is_read_again(
    memory: Any, tmp_path: Path
) -> None:
    with Library.create(tmp_path / "library", tiny_model()) as library:
        library.add(list_url("memory://films"))
        first, second = (to_url(v.path) for v in list_url("memory://films"))
        memory.pipe("/films/copy.mp4", memory.cat(first))
        memory.pipe(second, memory.cat(first))
        report = library.add(list_url("memory://films"))
        assert (report.added, report.replaced, report.moved) == (1, 1, 0)
        codes = library.codes()[1].packed
        assert len(codes) == 3
        assert len({code.tobytes() for code in codes}) == 1


def test_junk_is_quarantined_under_its_url_and_what_went_is_told(
    memory: Any, tmp_path: Path
) -> None:
    memory.pipe("/films/junk.mp4", b"junk")
    listed = list(list_url("memory://films"))
    memory.rm("/films/below/clip_000.mp4")
    with Library.create(tmp_path / "library", tiny_model()) as library:
        report = library.add([*listed, "memory://films/never.mp4"])
        assert (report.added, report.failed) == (1, 2 + 1)
        fates = {entry.path.name: entry.fate for entry in library.ledger()}
        assert fates == {
            "clip_000.mp4": Fate.SKIPPED,
            "clip_001.mp4": Fate.INDEXED,
            "junk.mp4": Fate.QUARANTINED,
        }
        assert "memory://films/junk.mp4" in report.failures[Path("/memory:/films/junk.mp4")]
        never = report.failures[Path("/memory:/films/never.mp4")]
        assert "is not there" in never
