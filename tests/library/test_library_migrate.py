"""Another model for a library: what changes, what stays, and the way back."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from library_helpers import (
    BITS,
    decodes_counted,
    indexed_codes,
    make_video,
    make_videos,
    put_code,
    rows,
    tiny_model,
)
from migrating_helpers import COUNT, WIDTHS, Stop, check_whole, names, new_model, stop_at

from bitreel.errors import LibraryError
from bitreel.library import (
    Fate,
    Library,
    Video,
    VideosMissing,
    re_encoding,
)
from bitreel.library.folder import is_library
from bitreel.library.results import KeptModel
from bitreel.progress import Step, silent
from bitreel.video import Segmenting

pytest_plugins = ["migrating_fixtures"]


# There, and back


@pytest.mark.parametrize("bits", WIDTHS)
def test_all_codes_are_exchanged_and_the_rest_stays(
    folder: Path, expected: dict[str, dict[str, bytes]], bits: int
) -> None:
    before = rows(folder, "SELECT path, label, reason, skipped, added_at FROM videos")
    steps: list[Step] = []
    with Library.open(folder) as library:
        old = library.ledger()
        report = library.migrate(new_model(bits), progress=steps.append)
        assert (report.changed, report.bits, report.forgotten) == (True, bits, {})
        assert (report.videos, report.segments) == (COUNT, COUNT)
        assert report.model_fingerprint == new_model(bits).fingerprint == library.fingerprint
        assert (library.bits, library.model) == (bits, new_model(bits))
        assert library.codes()[1].bits == bits
        assert library.ledger() == old
        assert library.ledger(Fate.QUARANTINED)
        assert library.status().labels == {"first": 1}
        assert library.status().kept_model == KeptModel(
            tiny_model().fingerprint, BITS, COUNT, False
        )
    assert rows(folder, "SELECT path, label, reason, skipped, added_at FROM videos") == before
    assert [step.done for step in steps if step.stage == "migrating"] == list(range(1, COUNT + 1))
    assert steps[-1] == Step("swapping", COUNT, COUNT)
    assert check_whole(folder, expected) == new_model(bits).fingerprint
    assert names(folder) == ["catalogue.sqlite", "models", "previous"]
    width = (bits + 7) // 8
    with closing(sqlite3.connect(folder / "catalogue.sqlite")) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
            connection.execute("UPDATE segments SET code = ?", (bytes(width + 1),))
        connection.execute("UPDATE segments SET code = ?", (bytes(width),))


def test_a_library_that_has_the_model_is_left_alone(folder: Path) -> None:
    before = rows(folder, "SELECT * FROM segments")
    with Library.open(folder) as library:
        report = library.migrate(tiny_model())
    assert not report.changed
    assert rows(folder, "SELECT * FROM segments") == before
    assert names(folder) == ["catalogue.sqlite", "model"]


@pytest.mark.parametrize("bits", WIDTHS)
def test_no_id_is_given_twice(folder: Path, videos: list[Path], bits: int) -> None:
    with Library.open(folder) as library:
        seen = library.codes()[0].tolist()
        library._catalogue.remove([videos[-1]])  # the last id is free, and stays so
        library.migrate(new_model(bits))
        second = library.codes()[0].tolist()
        assert second == list(range(COUNT + 1, 2 * COUNT))
        library.roll_back()
        library.add(videos)
        third = library.codes()[0].tolist()
    assert len({*seen, *second, *third}) == COUNT + (COUNT - 1) + COUNT


def test_ids_of_an_emptied_library_rise_too(folder: Path, videos: list[Path]) -> None:
    with Library.open(folder) as library:
        library._catalogue.remove(library._catalogue.paths())
        library.migrate(new_model())
        library.add(videos[:1])
        assert library.codes()[0].tolist() == [COUNT + 1]


@pytest.mark.parametrize("bits", WIDTHS)
def test_the_way_back_takes_what_was_added_since(
    folder: Path,
    videos: list[Path],
    tmp_path: Path,
    expected: dict[str, dict[str, bytes]],
    bits: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    added = make_video(tmp_path / "added.mp4", 40)
    with Library.open(folder) as library:
        library.migrate(new_model(bits))
        library.add([Video(added, "second"), Video(videos[1], "first")])
        library._catalogue.remove([videos[2]])
        newer = indexed_codes(folder)
        with decodes_counted(monkeypatch) as decoded:
            report = library.roll_back()
        assert decoded == [added]
        assert (report.changed, report.videos, library.bits) == (True, COUNT, BITS)
        codes = indexed_codes(folder)
        assert {"clip_002.mp4": expected[tiny_model().fingerprint]["clip_002.mp4"]} | {
            name: code for name, code in codes.items() if name != "added.mp4"
        } == expected[tiny_model().fingerprint]
        assert library.search(added).hits[0].path == added
        assert library.status().labels == {"first": 2, "second": 1}
        kept = KeptModel(new_model(bits).fingerprint, bits, COUNT, True)
        assert library.status().kept_model == kept
        # Asked for again, as after a kill that came too late, it stays.
        assert not library.roll_back().changed
        # What was rolled back is not lost: nothing is decoded to have it again.
        with decodes_counted(monkeypatch) as decoded:
            assert library.migrate(new_model(bits)).changed
        assert decoded == []
        assert indexed_codes(folder) == newer
        kept = KeptModel(tiny_model().fingerprint, BITS, COUNT, False)
        assert library.status().kept_model == kept
    assert names(folder / "previous") == [tiny_model().fingerprint[:12]]
    assert names(folder / "models") == [new_model(bits).fingerprint[:12]]


def test_what_is_kept_is_a_library_until_it_is_discarded(
    folder: Path, expected: dict[str, dict[str, bytes]]
) -> None:
    with Library.open(folder) as library:
        assert not library.discard_previous()
        with pytest.raises(LibraryError, match="nothing to go back to"):
            library.roll_back()
        library.migrate(new_model())
        (kept,) = (folder / "previous").iterdir()
        assert check_whole(kept, expected) == tiny_model().fingerprint
        library.migrate(new_model(44))
        (kept,) = (folder / "previous").iterdir()
        assert check_whole(kept, expected) == new_model().fingerprint
        assert library.discard_previous()
        assert library.status().kept_model is None
        with pytest.raises(LibraryError, match="nothing to go back to"):
            library.roll_back()
    assert names(folder) == ["catalogue.sqlite", "models"]
    assert check_whole(folder, expected) == new_model(44).fingerprint


def test_a_library_of_the_first_schema(folder: Path, expected: dict[str, dict[str, bytes]]) -> None:
    with Library.open(folder) as library:
        library._catalogue.execute("UPDATE meta SET value = '1' WHERE key = 'schema_version'")
        library._catalogue.execute("DELETE FROM meta WHERE key = 'segmenting'")
        library._catalogue.execute("DROP INDEX videos_of_content")
        library._catalogue.execute("ALTER TABLE videos DROP COLUMN content")
        library._catalogue.execute("DELETE FROM videos WHERE skipped")
        library._catalogue.execute("ALTER TABLE videos DROP COLUMN skipped")
    with Library.open(folder) as library:
        assert library.segmenting == Segmenting(window_seconds=0)
        library.migrate(new_model())
        assert check_whole(folder, expected) == new_model().fingerprint
        library.roll_back()
    assert check_whole(folder, expected) == tiny_model().fingerprint
    assert (folder / "catalogue.backup-1.sqlite").is_file()


# Files that can not be read any more


def test_missing_files_stop_the_swap_unless_they_are_to_be_forgotten(
    folder: Path, tmp_path: Path
) -> None:
    gone, broken, back = make_videos(tmp_path / "more", 3, first=50)
    with Library.open(folder) as library:
        library.add([Video(gone, "here"), broken, back])
        content = back.read_bytes()
        gone.unlink()
        back.unlink()
        broken.write_bytes(b"junk")
        with pytest.raises(VideosMissing, match=r"3 videos of .* --forget-missing") as caught:
            library.migrate(new_model(44))
        assert caught.value.reasons.keys() == {gone, broken, back}
        assert library.status().videos == COUNT + 3, "nothing changed"
        assert library.bits == BITS
        back.write_bytes(content)
        report = library.migrate(forget_missing=True)
        assert report.forgotten.keys() == {gone, broken}
        assert "is not there" in report.forgotten[gone]
        assert library.status().videos == COUNT + 1
        fates = {entry.path: entry for entry in library.ledger()}
        assert (fates[gone].fate, fates[gone].label) == (Fate.SKIPPED, "here")
        assert fates[broken].fate is Fate.QUARANTINED
        assert "is not there" in str(fates[gone].reason)
        # The way back needs no file to have their codes again.
        assert library.roll_back().videos == COUNT + 3
        assert {gone, broken} <= {entry.path for entry in library.ledger(Fate.INDEXED)}


def test_a_file_that_comes_back_is_indexed_as_any_other(folder: Path, tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.mp4", 50)
    aside = tmp_path / "aside.mp4"
    with Library.open(folder) as library:
        library.add([video])
        video.rename(aside)
        library.migrate(new_model(), forget_missing=True)
        aside.rename(video)
        assert library.add([video]).added == 1


def test_a_file_that_never_stays_the_same(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link put in the place of a file is the other file, wherever it is indexed."""
    video = make_video(tmp_path / "a.mp4", 50)
    with Library.open(folder) as library:
        library.add([video])
        video.rename(tmp_path / "aside.mp4")
        video.symlink_to(tmp_path / "aside.mp4")
        with pytest.raises(VideosMissing, match="is a link to another file now"):
            library.migrate(new_model())
    assert re_encoding._MOST_TRIES > 1


def test_a_file_with_an_older_time_was_put_in_the_place_of_one_that_is_encoded(
    folder: Path, tmp_path: Path
) -> None:
    """As from a backup: the time of a file does not tell which came last."""
    one, other = make_videos(tmp_path / "more", 2, first=50)
    with Library.open(folder) as library:
        library.add([one, other])
        with pytest.raises(Stop):
            library.migrate(new_model(44), progress=stop_at(COUNT + 2))
        make_video(one, 70)
        os.utime(one, ns=(10**18, 10**18))
        assert library.add([one]).replaced == 1
        library.migrate(new_model(44))
    with Library.create(tmp_path / "anew", new_model(44)) as anew:
        anew.add([one, other])
    codes = indexed_codes(folder)
    assert {name: codes[name] for name in (one.name, other.name)} == indexed_codes(anew.folder)


def test_the_earlier_state_of_a_file_that_is_away_is_not_taken_for_the_later(
    folder: Path, tmp_path: Path
) -> None:
    """Where no file is there to look at, the later of two states is the one that was read last."""
    video = make_video(tmp_path / "a.mp4", 50)
    os.utime(video, ns=(2 * 10**18, 2 * 10**18))
    with Library.open(folder) as library:
        library.add([video])
        with pytest.raises(Stop):
            library.migrate(new_model(44), progress=stop_at(COUNT + 1))
        make_video(video, 70)
        os.utime(video, ns=(3 * 10**18, 3 * 10**18))
        library.add([video])
        video.unlink()
        with pytest.raises(VideosMissing, match="1 videos of"):
            library.migrate()


def test_many_videos(tmp_path: Path) -> None:
    """More than one lot of rows, some of them with names that are no text."""
    with Library.create(tmp_path / "library", tiny_model()) as library:
        for number in range(30):
            put_code(library, f"{number}.mp4", bytes([number, 0, 0]), label="a")
        put_code(library, "\udcff.mp4", bytes([99, 0, 0]))
        with Library.create(tmp_path / "other", new_model()) as other:
            for number in reversed(range(31)):
                name = f"{number}.mp4" if number < 30 else "\udcff.mp4"
                put_code(other, name, bytes([number + 100, 0, 0]))
            put_code(other, "more.mp4", bytes(3))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("bitreel.library.replacing._ROWS_AT_ONCE", 7)
                library._catalogue.replace_codes(
                    other._catalogue, bits=BITS, facts={}, lost={}, progress=silent
                )
        ids, codes = library.codes()
        assert ids.tolist() == list(range(32, 63))
        np.testing.assert_array_equal(codes.packed[:, 0], np.arange(130, 99, -1))
        assert library.status().labels == {"a": 30}
    assert is_library(tmp_path / "library")
