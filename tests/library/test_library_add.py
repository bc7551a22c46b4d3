"""Adding: every file once, unchanged ones left alone, bad ones noted and passed over."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from library_helpers import (
    before_reading,
    decodes_counted,
    indexed_codes,
    make_video,
    make_videos,
    rows,
    tiny_model,
)
from numpy.typing import NDArray

from bitreel.clip import Clip
from bitreel.errors import DataError
from bitreel.library import AddReport, Fate, Library, Video
from bitreel.progress import Step


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.create(tmp_path / "library", tiny_model()) as made:
        yield made


def failures(library: Library) -> dict[Path, str]:
    return {entry.path: entry.reason or "" for entry in library.ledger(Fate.QUARANTINED)}


def rewrite(path: Path, number: int) -> None:
    """Other content, and a time that differs however coarse the clock of the file system is."""
    before = path.stat().st_mtime_ns
    make_video(path, number)
    os.utime(path, ns=(before + 10**9, before + 10**9))


def test_the_code_of_a_video_is_what_the_model_gives(library: Library, tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "videos", 3)
    assert library.add(videos) == AddReport(added=3)
    model = tiny_model()
    expected = {v.name: model.encode(model.read(v)).packed[0].tobytes() for v in videos}
    assert indexed_codes(library.folder) == expected
    assert len(set(expected.values())) == 3, "the codes tell the videos apart"
    found = rows(
        library.folder,
        "SELECT path, start_seconds, end_seconds, duration_seconds "
        "FROM videos JOIN segments ON video_id = videos.id",
    )
    assert found == [(str(v.resolve()), 0.0, 8 / 25, 8 / 25) for v in videos]


def test_adding_twice_adds_and_decodes_nothing(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    videos = make_videos(tmp_path / "videos", 3)
    with decodes_counted(monkeypatch) as read:
        library.add(videos)
        assert sorted(read) == [v.resolve() for v in videos]
        before = rows(library.folder, "SELECT * FROM segments JOIN videos ON video_id = videos.id")
        read.clear()
        assert library.add(videos) == AddReport(unchanged=3)
        assert read == []
    after = rows(library.folder, "SELECT * FROM segments JOIN videos ON video_id = videos.id")
    assert after == before


def test_nothing_to_do_loads_no_model(library: Library, tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "videos", 1)
    library.add(videos)
    (library.folder / "model" / "model.safetensors").unlink()
    with Library.open(library.folder) as again:
        assert again.add(videos) == AddReport(unchanged=1)


def test_one_file_by_many_names_counts_once(library: Library, tmp_path: Path) -> None:
    video = make_video(tmp_path / "videos" / "a.mp4")
    link = tmp_path / "link.mp4"
    link.symlink_to(video)
    relative = Path(os.path.relpath(video))
    assert library.add([video, str(relative), link, Video(video, "run")]) == AddReport(added=1)
    assert rows(library.folder, "SELECT path, label FROM videos") == [(str(video.resolve()), "run")]


def test_of_two_labels_for_one_file_the_first_holds(library: Library, tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.mp4")
    library.add([Video(video), Video(video, "run"), Video(video, "jump")])
    assert library.status().labels == {"run": 1}


def test_a_changed_file_is_indexed_again(library: Library, tmp_path: Path) -> None:
    one, other = make_videos(tmp_path / "videos", 2)
    library.add([other, Video(one, "run")])
    before = indexed_codes(library.folder)
    old_id = rows(library.folder, "SELECT max(id) FROM segments")[0]
    rewrite(one, 7)
    assert library.add([one, other]) == AddReport(replaced=1, unchanged=1)
    after = indexed_codes(library.folder)
    model = tiny_model()
    assert after[one.name] == model.encode(model.read(one)).packed[0].tobytes()
    assert after[one.name] != before[one.name]
    assert after[other.name] == before[other.name]
    assert old_id not in rows(library.folder, "SELECT id FROM segments"), "ids are not used again"
    assert library.status().labels == {"run": 1}, "no label given leaves the one that is there"


def test_a_file_that_was_only_touched_is_not_decoded(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = make_video(tmp_path / "a.mp4")
    library.add([video])
    os.utime(video, ns=(1, 1))
    with decodes_counted(monkeypatch) as read:
        assert library.add([Video(video, "run")]) == AddReport(unchanged=1)
    assert read == []
    assert library.status().labels == {"run": 1}
    assert library.add([video]) == AddReport(unchanged=1)
    assert rows(library.folder, "SELECT mtime_ns FROM videos") == [(1,)]


def test_the_same_size_and_another_content_is_a_changed_file(
    library: Library, tmp_path: Path
) -> None:
    video = make_video(tmp_path / "a.ts")
    library.add([video])
    content = bytearray(video.read_bytes())
    content[-1] ^= 1
    video.write_bytes(content)
    os.utime(video, ns=(1, 1))
    assert library.add([video]).replaced == 1


def test_another_label_is_taken_without_decoding(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = make_videos(tmp_path / "videos", 2)
    library.add([Video(one, "run"), Video(other, "run")])
    before = indexed_codes(library.folder)
    with decodes_counted(monkeypatch) as read:
        report = library.add([Video(one, "jump"), Video(other, "run")])
    assert read == []
    assert report == AddReport(unchanged=2, relabelled=1)
    assert library.status().labels == {"jump": 1, "run": 1}
    assert indexed_codes(library.folder) == before
    library.add([one, other])
    assert library.status().labels == {"jump": 1, "run": 1}


def test_bad_files_are_noted_and_stop_nothing(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = make_videos(tmp_path / "videos", 3)
    junk, empty = tmp_path / "junk.mp4", tmp_path / "empty.mp4"
    junk.write_bytes(b"this is no video" * 100)
    empty.touch()
    missing, folder = tmp_path / "missing.mp4", tmp_path / "videos"
    report = library.add([junk, good[0], missing, good[1], empty, folder, good[2]])
    assert (report.added, report.failed) == (3, 4)
    assert set(report.failures) == {p.resolve() for p in (junk, empty, missing, folder)}
    for path, reason in report.failures.items():
        assert str(path) in reason
    assert set(indexed_codes(library.folder)) == {v.name for v in good}
    # What is no file has no place in the catalogue: a slip of the pen would stay there for good.
    assert failures(library) == {p.resolve(): report.failures[p.resolve()] for p in (empty, junk)}
    assert library.status().quarantined == 2

    with decodes_counted(monkeypatch) as read:
        again = library.add([junk, *good, empty])
    assert read == [], "a failed file is tried again only when it changed"
    assert (again.added, again.unchanged) == (0, 3)
    assert again.failures == failures(library)


def test_a_failed_file_that_was_repaired_is_added(library: Library, tmp_path: Path) -> None:
    video = tmp_path / "a.mp4"
    video.write_bytes(b"junk")
    library.add([video])
    make_video(video)
    assert library.add([video]) == AddReport(added=1)
    assert failures(library) == {}
    assert set(indexed_codes(library.folder)) == {"a.mp4"}


def test_an_indexed_file_that_broke_is_no_longer_found(library: Library, tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.mp4")
    library.add([video])
    video.write_bytes(b"junk")
    assert library.add([video]).failed == 1
    assert indexed_codes(library.folder) == {}
    assert library.status().videos == 0
    assert library.search(make_video(tmp_path / "query.mp4")).hits == ()


def test_a_file_that_vanishes_while_it_is_read_is_not_held_against_it(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a disk is unplugged: plugged in again, its files are what they were."""
    video = make_video(tmp_path / "a.mp4")
    aside = tmp_path / "aside"
    with before_reading(monkeypatch, lambda path: path.rename(aside)):
        assert library.add([video]).failed == 1
    assert failures(library) == {}
    aside.rename(video)
    assert library.add([video]) == AddReport(added=1)


def test_a_file_written_to_while_it_is_read_is_read_again_by_the_next_run(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = make_video(tmp_path / "a.mp4")
    model = tiny_model()
    with before_reading(monkeypatch, lambda path: rewrite(path, 5)):
        library.add([video])
    assert library.add([video]) == AddReport(replaced=1)
    assert indexed_codes(library.folder) == {
        "a.mp4": model.encode(model.read(video)).packed[0].tobytes()
    }


def test_a_damaged_video_is_indexed_and_the_damage_told(library: Library, tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.ts", frames=60)
    content = bytearray(video.read_bytes())
    middle = slice(len(content) // 3, len(content) // 2)
    content[middle] = bytes(len(content[middle]))
    video.write_bytes(content)
    report = library.add([video])
    assert report.added == 1
    assert list(report.damaged) == [video.resolve()]
    assert library.status().damaged == 1
    assert rows(library.folder, "SELECT damage FROM videos") == [(report.damaged[video.resolve()],)]
    assert library.search(video).damage == report.damaged[video.resolve()]


def test_names_of_any_bytes_and_labels_of_any_language(library: Library, tmp_path: Path) -> None:
    latin = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 \xff.mp4"))
    others = [tmp_path / "日本 🎬?#%41.mp4", tmp_path / "new\nline 'quote\".mp4"]
    for number, path in enumerate([latin, *others]):
        make_video(tmp_path / "plain.mp4", number).rename(path)
    report = library.add(
        [Video(latin, os.fsdecode(b"caf\xe9")), *(Video(p, "走る") for p in others)]
    )
    assert report == AddReport(added=3)
    assert library.add([latin, *others]) == AddReport(unchanged=3)
    assert {hit.path for hit in library.search(latin).hits} == {
        p.resolve() for p in (latin, *others)
    }
    assert library.search(latin, k=1).hits[0].label == os.fsdecode(b"caf\xe9")
    assert library.status().labels == {"走る": 2, os.fsdecode(b"caf\xe9"): 1}


def test_a_bad_file_with_a_strange_name_has_a_reason_that_prints(
    library: Library, tmp_path: Path
) -> None:
    latin = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4"))
    latin.write_bytes(b"junk")
    report = library.add([latin, Path("zero\0byte.mp4"), tmp_path / "half \ud800.mp4"])
    assert report.failed == 3
    for reason in [*failures(library).values(), report.failures[latin.resolve()]]:
        reason.encode("utf-8")


@pytest.mark.parametrize("label", ["", "  ", "\ud800"])
def test_a_label_that_is_none_is_refused(label: str) -> None:
    with pytest.raises(DataError, match=r"a\.mp4"):
        Video(Path("a.mp4"), label)


def test_progress_tells_each_video_that_is_worked_on(library: Library, tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "videos", 3)
    library.add(videos[:1])
    steps: list[Step] = []
    library.add(videos, progress=steps.append)
    assert [(step.stage, step.done, step.total) for step in steps] == [
        ("indexing", n, 2) for n in (1, 2)
    ]
    for n, step in enumerate(steps, start=1):
        assert step.note.startswith(f"{n} segments, ")
        assert step.note.endswith(f" s of video a second, {videos[n].name}")


def test_status_counts_what_is_there(library: Library, tmp_path: Path) -> None:
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"junk")
    videos = make_videos(tmp_path / "videos", 3)
    library.add([Video(videos[0], "run"), Video(videos[1], "run"), videos[2], Video(junk, "jump")])
    status = library.status()
    assert (status.videos, status.segments, status.quarantined, status.damaged) == (3, 3, 1, 0)
    assert status.labels == {"run": 2}
    assert status.seconds == pytest.approx(3 * 8 / 25)
    assert (status.bits, status.model_fingerprint) == (20, tiny_model().fingerprint)
    on_disk = sum(p.stat().st_size for p in library.folder.rglob("*") if p.is_file())
    assert status.bytes_on_disk == on_disk
    assert status.to_json()["labels"] == {"run": 2}


def test_a_fault_of_the_program_ends_the_run_and_keeps_what_was_done(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    videos = make_videos(tmp_path / "videos", 4)
    model = tiny_model()
    original = model.features_of

    def features_of(clips: Sequence[Clip]) -> list[list[NDArray[np.float32]]]:
        if clips[0].segment.path.name == videos[2].name:
            raise KeyboardInterrupt
        return original(clips)

    with monkeypatch.context() as patch:
        patch.setattr(model, "features_of", features_of)
        with pytest.raises(KeyboardInterrupt):
            library.add(videos)
    assert set(indexed_codes(library.folder)) == {v.name for v in videos[:2]}
    assert library.add(videos) == AddReport(added=2, unchanged=2)
