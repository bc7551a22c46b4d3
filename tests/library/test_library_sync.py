"""A library follows folders: new, changed, moved, copied and deleted files, and a ledger of all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from library_helpers import (
    decodes_counted,
    indexed_codes,
    make_video,
    make_videos,
    rows,
    tiny_model,
)

import breaking_worker
from bitreel.errors import DataError, VideoError
from bitreel.library import AddReport, Fate, Filter, Library, collect
from bitreel.video import decoding_process, guarded


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.create(tmp_path / "library", tiny_model()) as made:
        yield made


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """clip_000.mp4 to clip_003.mp4."""
    folder = tmp_path / "videos"
    make_videos(folder, 4)
    return folder


def sync(library: Library, *folders: Path) -> AddReport:
    return library.sync(collect(folders))


def ids(library: Library) -> dict[str, int]:
    found = rows(
        library.folder, "SELECT path, segments.id FROM segments JOIN videos ON videos.id = video_id"
    )
    return {Path(str(path)).name: int(str(number)) for path, number in found}


# Following


def test_a_second_sync_does_nothing(library: Library, videos: Path) -> None:
    assert sync(library, videos) == AddReport(added=4)
    assert sync(library, videos) == AddReport(unchanged=4)


def test_a_moved_file_keeps_its_segments_and_is_not_decoded(
    library: Library, videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(library, videos)
    before, codes = ids(library), indexed_codes(library.folder)
    (videos / "deep").mkdir()
    (videos / "clip_001.mp4").rename(videos / "deep" / "renamed.mp4")
    with decodes_counted(monkeypatch) as read:
        assert sync(library, videos) == AddReport(moved=1, unchanged=3)
    assert read == []
    assert ids(library)["renamed.mp4"] == before["clip_001.mp4"]
    assert indexed_codes(library.folder)["renamed.mp4"] == codes["clip_001.mp4"]
    hit = library.search(videos / "deep" / "renamed.mp4", k=1).hits[0]
    assert (hit.path.name, hit.distance_bits) == ("renamed.mp4", 0)


def test_files_that_changed_names_with_each_other(library: Library, videos: Path) -> None:
    sync(library, videos)
    codes = indexed_codes(library.folder)
    one, other, aside = (videos / name for name in ("clip_000.mp4", "clip_001.mp4", "aside"))
    one.rename(aside)
    other.rename(one)
    aside.rename(other)
    report = sync(library, videos)
    assert report.replaced + report.unchanged + report.moved == 4
    after = indexed_codes(library.folder)
    assert after["clip_000.mp4"] == codes["clip_001.mp4"]
    assert after["clip_001.mp4"] == codes["clip_000.mp4"]
    assert sync(library, videos) == AddReport(unchanged=4)


def test_a_file_that_moved_to_another_class_has_its_label(library: Library, tmp_path: Path) -> None:
    """Where no label comes with the new place, that says nothing of what the file shows."""
    folder = tmp_path / "classes"
    for number, path in enumerate(make_videos(tmp_path / "made", 3)):
        place = folder / "run" / f"{number}.mp4"
        place.parent.mkdir(parents=True, exist_ok=True)
        path.rename(place)
    library.sync(collect([folder], labels=True))
    before = ids(library)
    (folder / "jump").mkdir()
    (folder / "run" / "0.mp4").rename(folder / "jump" / "0.mp4")
    shutil.copy(folder / "run" / "1.mp4", folder / "jump" / "copy.mp4")
    (folder / "run" / "2.mp4").rename(folder / "2.mp4")
    report = library.sync(collect([folder], labels=True))
    assert (report.moved, report.added, report.unchanged) == (2, 1, 1)
    assert {entry.path.name: entry.label for entry in library.ledger()} == {
        "0.mp4": "jump",
        "1.mp4": "run",
        "copy.mp4": "jump",
        "2.mp4": "run",
    }
    assert ids(library)["0.mp4"] == before["0.mp4"]
    (hit,) = library.search(folder / "jump" / "0.mp4", k=1).hits
    assert hit.label == "jump"


def test_a_copy_takes_over_the_codes_undecoded(
    library: Library, videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(library, videos)
    shutil.copy(videos / "clip_002.mp4", videos / "copy.mp4")
    with decodes_counted(monkeypatch) as read:
        assert sync(library, videos) == AddReport(added=1, unchanged=4)
    assert read == []
    codes = indexed_codes(library.folder)
    assert codes["copy.mp4"] == codes["clip_002.mp4"]
    assert ids(library)["copy.mp4"] != ids(library)["clip_002.mp4"]


def test_deleted_files_are_forgotten_and_what_lies_elsewhere_is_not(
    library: Library, videos: Path, tmp_path: Path
) -> None:
    (elsewhere,) = make_videos(tmp_path / "elsewhere", 1)
    sync(library, videos)
    library.add([elsewhere.rename(elsewhere.with_name("other.mp4"))])
    (videos / "clip_000.mp4").unlink()
    (tmp_path / "elsewhere" / "other.mp4").unlink()
    assert sync(library, videos) == AddReport(removed=1, unchanged=3)
    assert "clip_000.mp4" not in indexed_codes(library.folder)
    assert "other.mp4" in indexed_codes(library.folder)
    assert library.search(videos / "clip_001.mp4").segments == 4


def test_an_empty_folder_is_taken_for_a_disk_that_is_away(
    library: Library, videos: Path, tmp_path: Path
) -> None:
    sync(library, videos)
    aside = videos.rename(tmp_path / "aside")
    videos.mkdir()
    assert sync(library, videos) == AddReport(absent={videos.resolve(): 4})
    assert len(indexed_codes(library.folder)) == 4
    videos.rmdir()
    with pytest.raises(DataError, match="no folder that is there"):
        sync(library, videos)
    aside.rename(videos)
    assert sync(library, videos) == AddReport(unchanged=4)


def test_a_disk_that_is_away_is_told_whatever_lies_beside_it(
    library: Library, videos: Path, tmp_path: Path
) -> None:
    """A note on the mount point; a mount point within a folder; both named."""
    usb = videos / "usb"
    usb.mkdir()
    (videos / "clip_000.mp4").rename(usb / "clip_000.mp4")
    sync(library, videos)
    aside = usb.rename(tmp_path / "aside")
    usb.mkdir()
    assert sync(library, videos) == AddReport(unchanged=3, absent={usb.resolve(): 1})
    assert sync(library, videos, usb).absent == {usb.resolve(): 1}
    (usb / "NOT_MOUNTED.txt").touch()
    assert sync(library, usb) == AddReport(skipped=1, absent={usb.resolve(): 1})
    assert len(indexed_codes(library.folder)) == 4
    (usb / "NOT_MOUNTED.txt").unlink()
    usb.rmdir()
    aside.rename(usb)
    assert sync(library, videos).unchanged == 4


def test_a_folder_that_moved_and_left_a_link_is_there_once(
    library: Library, videos: Path, tmp_path: Path
) -> None:
    sync(library, videos)
    before = ids(library)
    larger = videos.rename(tmp_path / "larger")
    videos.symlink_to(larger)
    assert sync(library, videos) == AddReport(moved=4)
    assert ids(library) == before
    assert all(entry.path.parent == larger.resolve() for entry in library.ledger())


def test_what_was_broken_off_is_read_again_on_request_and_never_copied(
    library: Library, videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_off(*_: object, **__: object) -> Iterator[object]:
        yield from list(real(*_, **__))[:1]  # type: ignore[arg-type]
        raise VideoError("The disk went away.")

    real = guarded.GuardedReader.read_segments
    with monkeypatch.context() as patch:
        patch.setattr(guarded.GuardedReader, "read_segments", broken_off)
        report = sync(library, videos)
    assert (report.added, len(report.damaged)) == (4, 4)
    shutil.copy(videos / "clip_000.mp4", videos / "copy.mp4")
    with decodes_counted(monkeypatch) as read:
        assert sync(library, videos) == AddReport(added=1, unchanged=4)
        assert [path.name for path in read] == ["copy.mp4"]
        assert library.sync(collect([videos]), retry=True) == AddReport(replaced=4, unchanged=1)
    assert library.status().damaged == 0


def test_a_link_is_the_file_that_it_leads_to(library: Library, videos: Path) -> None:
    (videos / "link.mp4").symlink_to(videos / "clip_000.mp4")
    (videos / "nowhere.mp4").symlink_to(videos / "gone.mp4")
    report = sync(library, videos)
    assert (report.added, report.failed) == (4, 1)
    assert sync(library, videos).unchanged == 4


# What is wanted


def test_patterns(videos: Path) -> None:
    for name in ("a/trailers/x.mp4", "a/y.mkv", "b/z.mp4", "notes.txt", ".hidden.mp4"):
        (videos / name).parent.mkdir(parents=True, exist_ok=True)
        (videos / name).touch()

    def found(only: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> list[str]:
        collection = collect([videos], wanted=Filter(only, exclude))
        root = videos.resolve()
        return [video.path.relative_to(root).as_posix() for video in collection.videos]

    clips = [f"clip_00{n}.mp4" for n in range(4)]
    assert found() == ["a/trailers/x.mp4", "a/y.mkv", "b/z.mp4", *clips]
    assert found(exclude=("trailers", "clip_*")) == ["a/y.mkv", "b/z.mp4"]
    assert found(only=("*.mkv",)) == ["a/y.mkv"]
    assert found(only=("a/*",)) == ["a/y.mkv"]
    assert found(only=("A/**",), exclude=("*.MKV",)) == ["a/trailers/x.mp4"]
    assert found(only=("*.avi",)) == []
    skipped = collect([videos], wanted=Filter(exclude=("trailers",))).skipped
    assert {path.name: reason.rpartition(": ")[2] for path, reason in skipped.items()} == {
        "x.mp4": "left out by the pattern trailers.",
        "notes.txt": ".txt is not a video's, by its name.",
    }


def test_labels_are_the_folders(videos: Path) -> None:
    for name in ("run/a.mp4", "run/slow/b.mp4", "train/jump/c.mp4"):
        (videos / name).parent.mkdir(parents=True, exist_ok=True)
        (videos / name).touch()
    labels = {video.path.name: video.label for video in collect([videos], labels=True).videos}
    expected = {"a.mp4": "run", "b.mp4": "run", "c.mp4": "jump"}
    assert labels == expected | {f"clip_00{n}.mp4": None for n in range(4)}


def test_a_library_among_its_videos_is_not_looked_into(tmp_path: Path) -> None:
    (video,) = make_videos(tmp_path / "videos", 1)
    folder = tmp_path / "videos" / "library"
    with Library.create(folder, tiny_model()) as library:
        (folder / "stray.mp4").touch()
        found = collect([video.parent], leave_out=folder.resolve())
        assert [v.path for v in found.videos] == [video.resolve()]
        assert library.sync(found).added == 1


def test_a_folder_within_that_can_not_be_listed_is_skipped(
    library: Library, videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its files are not taken for gone."""
    deep = videos / "deep"
    deep.mkdir()
    (videos / "clip_000.mp4").rename(deep / "clip_000.mp4")
    sync(library, videos)
    real = os.scandir

    def refuse(path: str) -> object:
        if Path(path) == deep.resolve():
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr("os.scandir", refuse)
    assert sync(library, videos) == AddReport(unchanged=3, skipped=1)
    assert len(indexed_codes(library.folder)) == 4
    (entry,) = library.ledger(Fate.SKIPPED)
    assert entry.reason == f"{deep.resolve()} can not be listed: Permission denied."


# The ledger


def test_the_ledger_has_every_file(library: Library, videos: Path) -> None:
    (videos / "junk.mp4").write_bytes(b"junk")
    (videos / "notes.txt").touch()
    report = sync(library, videos)
    assert (report.added, report.failed, report.skipped) == (4, 1, 1)
    told = [(entry.path.name, str(entry.fate), entry.reason) for entry in library.ledger()]
    assert told[:4] == [(f"clip_00{n}.mp4", "indexed", None) for n in range(4)]
    assert [line[:2] for line in told[4:]] == [
        ("junk.mp4", "quarantined"),
        ("notes.txt", "skipped"),
    ]
    assert "can not be read as a video" in str(told[4][2])
    status = library.status()
    assert (status.videos, status.quarantined, status.skipped) == (4, 1, 1)
    assert len(library.ledger(Fate.QUARANTINED)) == len(library.ledger(Fate.SKIPPED)) == 1
    (videos / "junk.mp4").unlink()
    (videos / "notes.txt").unlink()
    assert sync(library, videos) == AddReport(unchanged=4)
    assert {entry.fate for entry in library.ledger()} == {Fate.INDEXED}


def test_a_skipped_file_is_indexed_when_it_is_wanted(library: Library, videos: Path) -> None:
    library.sync(collect([videos], wanted=Filter(exclude=("clip_003*",))))
    assert [e.path.name for e in library.ledger(Fate.SKIPPED)] == ["clip_003.mp4"]
    assert sync(library, videos) == AddReport(added=1, unchanged=3)
    assert library.sync(collect([videos], wanted=Filter(exclude=("clip_003*",)))).skipped == 1
    assert library.ledger(Fate.SKIPPED) == [], "what is indexed stays"


def test_quarantined_files_are_tried_again_on_request(
    library: Library, videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (videos / "crash.mp4").write_bytes((videos / "clip_000.mp4").read_bytes() + b"another")
    with monkeypatch.context() as patch:
        patch.setattr(decoding_process, "WORKER", (str(breaking_worker.__file__),))
        report = sync(library, videos)
    assert (report.added, report.failed) == (4, 1)
    (entry,) = library.ledger(Fate.QUARANTINED)
    assert entry.path.name == "crash.mp4"
    assert "crash (SIGSEGV)" in str(entry.reason)
    with decodes_counted(monkeypatch) as read:
        assert sync(library, videos).failed == 1
        assert read == [], "not as long as it is what it was"
        report = library.sync(collect([videos]), retry=True)
    assert [path.name for path in read] == ["crash.mp4"]
    assert (report.added, report.failed) == (1, 0)
    assert library.ledger(Fate.QUARANTINED) == []


@pytest.mark.parametrize("how", ["crash", "killed", "hang", "bomb", "bug"])
def test_a_video_that_breaks_its_decoder_stops_nothing(
    how: str, library: Library, videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        bad = videos / f"{how}{number}.mp4"
        bad.write_bytes((videos / "clip_000.mp4").read_bytes() + bytes(number + 1))
    monkeypatch.setattr(decoding_process, "WORKER", (str(breaking_worker.__file__),))
    monkeypatch.setattr(guarded, "Limits", partial(decoding_process.Limits, 1.0, 1 << 30))
    report = sync(library, videos)
    assert (report.added, report.failed) == (4, 3)
    assert set(indexed_codes(library.folder)) == {f"clip_00{n}.mp4" for n in range(4)}
    bad_ones = [entry.path.name for entry in library.ledger(Fate.QUARANTINED)]
    assert bad_ones == [f"{how}{n}.mp4" for n in range(3)]


@pytest.mark.parametrize("name", ["killed-once.mp4", "later-killed-once.mp4"])
def test_a_video_whose_process_was_killed_is_read_once_more(
    name: str, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a system that is short of memory: it is no fault of the file."""
    bad = make_video(tmp_path / "videos" / name, 1, frames=200)
    monkeypatch.setattr(decoding_process, "WORKER", (str(breaking_worker.__file__),))
    assert library.add([bad]) == AddReport(added=1)
    assert bad.with_suffix(".broke").exists()
    again = make_video(tmp_path / "again.mp4", 1, frames=200)
    with Library.create(tmp_path / "other", tiny_model()) as other:
        other.add([again])
        assert len(other.codes()[1]) == 3
        assert (library.codes()[1].packed == other.codes()[1].packed).all()


@pytest.mark.parametrize(("how", "times"), [("killed", 2), ("crash", 1), ("exit", 1)])
def test_one_whose_process_is_killed_again_is_quarantined(
    how: str, times: int, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = make_video(tmp_path / "videos" / f"{how}.mp4", 1)
    monkeypatch.setattr(decoding_process, "WORKER", (str(breaking_worker.__file__),))
    with decodes_counted(monkeypatch) as read:
        assert list(library.add([bad]).failures) == [bad.resolve()]
    assert read == [bad.resolve()] * times
    assert library.ledger_count(Fate.QUARANTINED) == 1


def test_a_file_that_may_not_be_read_is_skipped_and_tried_each_time(
    library: Library, videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = (videos / "clip_003.mp4").resolve()

    def refuse(_: object, asked: Path, *args: object, **options: object) -> object:
        if asked == path:
            raise VideoError(f"{asked} may not be read: Permission denied.")
        return real(_, asked, *args, **options)  # type: ignore[arg-type]

    real = guarded.GuardedReader.read_segments
    may_read = os.access
    with monkeypatch.context() as patch:
        patch.setattr(guarded.GuardedReader, "read_segments", refuse)
        patch.setattr(os, "access", lambda p, how: Path(p) != path and may_read(p, how))
        assert sync(library, videos).failed == 1
        assert [e.path for e in library.ledger(Fate.SKIPPED)] == [path]
    assert sync(library, videos) == AddReport(added=1, unchanged=3)
    assert library.ledger(Fate.SKIPPED) == []
