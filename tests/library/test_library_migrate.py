"""Another model for a library: complete or not at all, whoever uses it, and back again."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bad_luck import die_at_call, killed, no_right_to_write, start
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

from bitreel.errors import LibraryError, ModelChanged, ModelMismatch
from bitreel.library import (
    Fate,
    Library,
    Video,
    VideosMissing,
    query,
    re_encoding,
    remodelling,
    remodelling_folders,
    searched_codes,
)
from bitreel.library.catalogue import Catalogue
from bitreel.library.folder import is_library
from bitreel.library.re_encoding import ReEncoding
from bitreel.library.replacing import Replacing
from bitreel.library.results import KeptModel, UnderWay
from bitreel.model import Model
from bitreel.progress import Step, silent
from bitreel.video import Segmenting

COUNT = 6
WIDTHS = (BITS, 44)  # the same as before, and another


def new_model(bits: int = BITS) -> Model:
    return tiny_model(bits=bits, seed=1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with videos and a closed library of them. Copy the library before changing it."""
    folder = tmp_path_factory.mktemp("made")
    videos = make_videos(folder / "videos", COUNT)
    junk = folder / "videos" / "junk.mp4"
    junk.write_bytes(b"junk")
    with Library.create(folder / "library", tiny_model()) as library:
        library.add([Video(videos[0], "first"), *videos[1:], junk])
        library._catalogue.skip({folder / "videos" / "notes.txt": "notes.txt: no video."})
    return folder


@pytest.fixture(scope="module")
def videos(made: Path) -> list[Path]:
    return sorted((made / "videos").glob("clip*.mp4"))


@pytest.fixture(scope="module")
def expected(
    videos: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, bytes]]:
    """The codes that each model makes of the videos, by its fingerprint."""
    codes = {}
    for model in (tiny_model(), *map(new_model, WIDTHS)):
        with Library.create(tmp_path_factory.mktemp("expected") / "library", model) as library:
            library.add(videos)
        codes[model.fingerprint] = indexed_codes(library.folder)
    assert len({tuple(sorted(each.items())) for each in codes.values()}) == 3
    return codes


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "library", tmp_path / "library"))


def names(folder: Path) -> list[str]:
    """What lies in a folder, besides what SQLite puts there while a library is open."""
    found = (path.name for path in folder.iterdir())
    return sorted(name for name in found if not name.endswith(("-shm", "-wal")))


def fingerprint_of(folder: Path) -> str:
    ((fingerprint,),) = rows(folder, "SELECT value FROM meta WHERE key = 'fingerprint'")
    return str(fingerprint)


def check_whole(folder: Path, expected: dict[str, dict[str, bytes]]) -> str:
    """That the library answers with the codes of the model that it says it has, and is tidy."""
    with Library.open(folder) as library:
        assert library.model.fingerprint == library.fingerprint
        query = next(iter(library.ledger(Fate.INDEXED))).path
        assert library.search(query).hits[0].distance_bits == 0
        assert library.status().videos == COUNT
        fingerprint = library.fingerprint
    assert indexed_codes(folder) == expected[fingerprint]
    return fingerprint


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


# Broken off

OWNERS: dict[str, Any] = {
    "catalogue": Catalogue,
    "model": Model,
    "run": remodelling,
    "folders": remodelling_folders,
    "shutil": shutil,
}
KILLS = [
    ("model", "save", 1),
    ("catalogue", "lay_out", 1),
    ("catalogue", "put", 1),
    ("catalogue", "put", 4),
    ("catalogue", "_put_segments", 6),
    ("run", "place_model", 1),
    ("shutil", "copytree", 2),  # that of the model that is kept
    ("folders", "copy_catalogue", 1),
    ("catalogue", "set_facts", 1),  # of the copy that is kept
    ("catalogue", "_take_videos", 1),
    ("catalogue", "_take_segments", 1),
    ("catalogue", "set_facts", 2),
    ("run", "tidy", 2),  # the codes are exchanged
    ("folders", "delete", 2),
    ("folders", "delete", 3),
]
KILLS_ON_THE_WAY_BACK = [
    ("shutil", "copytree", 1),
    ("folders", "copy_catalogue", 1),
    ("run", "place_model", 1),
    ("folders", "copy_catalogue", 2),
    ("catalogue", "_take_segments", 1),
    ("run", "tidy", 2),
    ("folders", "delete", 3),
    ("folders", "delete", 4),
    ("folders", "delete", 6),
]


def migrate_and_die(folder: Path, bits: int, owner: str, name: str, nth: int) -> None:
    model = new_model(bits)
    die_at_call(OWNERS[owner], name, nth)
    with Library.open(folder) as library:
        library.migrate(model)


def roll_back_and_die(folder: Path, owner: str, name: str, nth: int) -> None:
    die_at_call(OWNERS[owner], name, nth)
    with Library.open(folder) as library:
        library.roll_back()


@pytest.mark.parametrize(("owner", "name", "nth"), KILLS)
def test_a_kill_leaves_one_model_or_the_other_and_the_same_call_goes_on(
    folder: Path, expected: dict[str, dict[str, bytes]], owner: str, name: str, nth: int
) -> None:
    bits = WIDTHS[nth % 2]
    killed(start(migrate_and_die, folder, bits, owner, name, nth))
    is_late = name in ("tidy", "delete")
    found = new_model(bits) if is_late else tiny_model()
    assert check_whole(folder, expected) == found.fingerprint
    with Library.open(folder) as library:
        assert library.migrate(new_model(bits)).changed != is_late
        assert check_whole(folder, expected) == new_model(bits).fingerprint
        assert names(folder) == ["catalogue.sqlite", "models", "previous"]
        assert names(folder / "models") == [new_model(bits).fingerprint[:12]]
        library.roll_back()
        assert check_whole(folder, expected) == tiny_model().fingerprint
    assert not list(folder.rglob("*.writing"))


@pytest.mark.parametrize(("owner", "name", "nth"), KILLS_ON_THE_WAY_BACK)
def test_a_kill_on_the_way_back(
    folder: Path, expected: dict[str, dict[str, bytes]], owner: str, name: str, nth: int
) -> None:
    with Library.open(folder) as library:
        library.migrate(new_model(44))
    killed(start(roll_back_and_die, folder, owner, name, nth))
    is_late = name in ("tidy", "delete")
    found = tiny_model() if is_late else new_model(44)
    assert check_whole(folder, expected) == found.fingerprint
    with Library.open(folder) as library:
        assert library.roll_back().changed != is_late
    assert check_whole(folder, expected) == tiny_model().fingerprint
    assert names(folder) == ["catalogue.sqlite", "models", "previous"]
    assert names(folder / "models") == [tiny_model().fingerprint[:12]]
    assert names(folder / "previous") == [new_model(44).fingerprint[:12]]


class Stop(Exception):
    """Ctrl-C, as a test can catch it."""


def stop_at(nth: int) -> Any:
    def progress(step: Step) -> None:
        if step.done == nth:
            raise Stop

    return progress


def test_status_tells_how_far_it_is_and_what_is_done_is_not_done_again(
    folder: Path, videos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Library.open(folder) as library:
        assert library.status().migration is None
        with pytest.raises(Stop):
            library.migrate(new_model(44), progress=stop_at(4))
        expected = UnderWay(new_model(44).fingerprint, 44, 4, COUNT)
        assert library.status().migration == expected
        assert library.status().to_json()["migration"]["done"] == 4
        assert library.search(videos[0]).hits[0].distance_bits == 0, "it answers"
        with decodes_counted(monkeypatch) as decoded:
            assert library.migrate().changed, "no need to name the model again"
        assert decoded == videos[4:]
        assert library.status().migration is None


def test_one_that_was_begun_is_not_mixed_with_another(folder: Path) -> None:
    with Library.open(folder) as library:
        with pytest.raises(LibraryError, match=r"No migration of .* --model MODEL"):
            library.migrate()
        assert not library.abandon_migration()
        with pytest.raises(Stop):
            library.migrate(new_model(44), progress=stop_at(2))
        with pytest.raises(LibraryError, match=r"on the way to the model .* --abandon"):
            library.migrate(new_model())
        assert library.abandon_migration()
        assert names(folder) == ["catalogue.sqlite", "model"]
        library.migrate(new_model())
        with pytest.raises(Stop):
            library.migrate(new_model(44), progress=stop_at(2))
        with pytest.raises(LibraryError, match=r"on the way to the model .* --abandon"):
            library.roll_back()


def test_one_at_a_time(folder: Path) -> None:
    refused: list[str] = []

    def another(step: Step) -> None:
        with Library.open(folder) as other, pytest.raises(LibraryError) as caught:
            other.migrate(new_model())
        refused.append(str(caught.value))

    with Library.open(folder) as library:
        library.migrate(new_model(), progress=another)
    assert "Another process is changing the model" in refused[0]


# Others who use the library


def test_whoever_has_it_open_goes_on_with_the_new_model(
    folder: Path, videos: list[Path], tmp_path: Path
) -> None:
    video = make_video(tmp_path / "a.mp4", 60)
    with (
        Library.open(folder) as mover,
        Library.open(folder) as reader,
        Library.open(folder) as writer,
        Library.open(folder) as looker,
    ):
        assert reader.search(videos[0]).hits[0].similarity == 1
        mover.migrate(new_model(44))
        assert reader.search(videos[0]).hits[0].similarity == 1
        assert reader.bits == 44
        assert reader.model.fingerprint == new_model(44).fingerprint
        assert writer.add([video]).added == 1
        assert looker.codes()[1].bits == 44
        assert looker.status().bits == 44
        assert looker.export(tmp_path / "codes.npz").bits == 44
        mover.roll_back()
        assert reader.search(video).hits[0].path == video
        assert len(looker.codes()[0]) == COUNT + 1


def test_a_model_in_memory_is_not_changed_behind_ones_back(
    folder: Path, videos: list[Path]
) -> None:
    with Library.open(folder, model=tiny_model()) as opened, Library.open(folder) as mover:
        mover.migrate(new_model())
        for ask in (
            lambda: opened.search(videos[0]),
            lambda: opened.add(videos),
            opened.codes,
            opened.status,
        ):
            with pytest.raises(ModelMismatch, match="open it again") as caught:
                ask()
            assert str(caught.value).count(". ") == 0
    with Library.open(folder, model=new_model()) as opened:
        assert opened.search(videos[0]).hits[0].similarity == 1
        opened.roll_back()
        assert opened.search(videos[0]).hits[0].similarity == 1, "one's own doing is no surprise"
        assert opened.fingerprint == tiny_model().fingerprint


def test_a_query_that_was_encoded_before_the_swap_is_encoded_anew(
    folder: Path, videos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    original, models = query.query_of, []
    with Library.open(folder) as reader, Library.open(folder) as mover:

        def query_of(model: Model, *rest: Any) -> Any:
            asked = original(model, *rest)
            models.append(model.fingerprint)
            mover.migrate(new_model())  # the second time there is nothing to do
            return asked

        monkeypatch.setattr("bitreel.library.library.query_of", query_of)
        hit = reader.search(videos[2]).hits[0]
    assert models == [tiny_model().fingerprint, new_model().fingerprint]
    assert (hit.path, hit.distance_bits) == (videos[2], 0)


@pytest.mark.parametrize("bits", WIDTHS)
def test_a_writer_with_the_old_model_puts_no_code_among_the_new(
    folder: Path, tmp_path: Path, expected: dict[str, dict[str, bytes]], bits: int
) -> None:
    more = make_videos(tmp_path / "more", 6, first=50)

    def swap(step: Step) -> None:
        if step.done == 2:
            with Library.open(folder) as mover:
                mover.migrate(new_model(bits))

    with Library.open(folder) as writer:
        with pytest.raises(ModelChanged, match=r"what was done before is kept\. Do the same again"):
            writer.add(more, progress=swap)
        assert {p.name for p in more[:2]} == indexed_codes(folder).keys() - expected[
            new_model().fingerprint
        ].keys(), "what was committed is there, by the new model"
        report = writer.add(more)
        assert (report.unchanged, report.added) == (2, 4)
    with Library.create(tmp_path / "anew", new_model(bits)) as anew:
        anew.add(more)
    codes = expected[new_model(bits).fingerprint] | indexed_codes(anew.folder)
    assert indexed_codes(folder) == codes


def test_a_thread_that_adds_while_another_moves_one_library_object(
    folder: Path, tmp_path: Path
) -> None:
    more = make_videos(tmp_path / "more", 4, first=50)
    with Library.open(folder) as library:

        def swap(step: Step) -> None:
            if step.done == 1:
                library.migrate(new_model())

        with pytest.raises(ModelChanged):
            library.add(more, progress=swap)
        assert library.add(more).added == 3
        assert library.search(more[3]).hits[0].path == more[3]


def test_videos_that_are_added_meanwhile_are_encoded_too(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    early, late = make_videos(tmp_path / "more", 2, first=50)
    original = ReEncoding.encode_missing
    rounds: list[int] = []

    def encode_missing(self: ReEncoding) -> None:
        original(self)
        rounds.append(1)
        if len(rounds) == 1:  # right before the last look
            with Library.open(folder, model=tiny_model()) as other:
                other.add([late])

    def add_early(step: Step) -> None:
        if step.done == 3:
            with Library.open(folder, model=tiny_model()) as other:
                other.add([early])

    monkeypatch.setattr(ReEncoding, "encode_missing", encode_missing)
    with Library.open(folder) as library:
        assert library.migrate(new_model(), progress=add_early).videos == COUNT + 2
        for video in (early, late):
            hit = library.search(video).hits[0]
            assert (hit.path, hit.distance_bits) == (video, 0)
    assert len(rounds) == 2


def test_a_file_that_changed_or_was_taken_out_meanwhile(folder: Path, tmp_path: Path) -> None:
    changing, leaving = make_videos(tmp_path / "more", 2, first=50)
    with Library.open(folder) as library, Library.open(folder) as other:
        library.add([changing, leaving])
        with pytest.raises(Stop):
            library.migrate(new_model(44), progress=stop_at(COUNT + 2))
        make_video(changing, 70)
        assert other.add([changing]).replaced == 1
        other._catalogue.remove([leaving])
        assert library.migrate(new_model(44)).videos == COUNT + 1
        hit = library.search(make_video(tmp_path / "same.mp4", 70)).hits[0]
        assert (hit.path, hit.distance_bits) == (changing, 0)


def test_an_index_that_was_planned_is_planned_for_the_new_codes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searched_codes, "PLANNED_FROM", 0)
    with Library.open(folder) as library:
        library.plan_index(recall=0.9, k=3)
        library.migrate(new_model(44))
        planned = library._searched.planned()
        assert planned is not None
        assert (planned["fingerprint"], planned["plan"]["wish"]) == (
            new_model(44).fingerprint,
            {"recall": 0.9, "k": 3},
        )
    with Library.open(folder) as library:
        assert library._searched.index(0.9).bits == 44


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


# Disks


def test_a_folder_that_may_not_be_written(
    made: Path, expected: dict[str, dict[str, bytes]]
) -> None:
    with tempfile.TemporaryDirectory() as public:
        Path(public).chmod(0o755)
        folder = Path(shutil.copytree(made / "library", Path(public) / "library"))
        with no_right_to_write(folder), Library.open(folder) as library:
            for change in (
                lambda: library.migrate(new_model()),
                library.roll_back,
                library.abandon_migration,
                library.discard_previous,
            ):
                with pytest.raises(LibraryError, match="permissions"):
                    change()
        assert names(folder) == ["catalogue.sqlite", "model"]
        assert check_whole(folder, expected) == tiny_model().fingerprint


def test_a_disk_that_is_full_in_the_middle_of_the_swap(
    folder: Path, expected: dict[str, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Replacing._take_segments

    def take_segments(self: Replacing, *rest: Any) -> None:
        pages = self._value("PRAGMA page_count")
        self._execute(f"PRAGMA max_page_count = {pages}")
        original(self, *rest)

    with Library.open(folder) as library:
        with monkeypatch.context() as patch:
            patch.setattr(Replacing, "_take_segments", take_segments)
            with pytest.raises(LibraryError, match=r"disk .* is full: make room"):
                library.migrate(new_model())
        assert check_whole(folder, expected) == tiny_model().fingerprint
        assert library.migrate().changed
    assert check_whole(folder, expected) == new_model().fingerprint


@pytest.mark.parametrize("nth", [1, 2])
def test_a_disk_that_is_full_when_a_model_is_copied(
    folder: Path,
    expected: dict[str, dict[str, bytes]],
    monkeypatch: pytest.MonkeyPatch,
    nth: int,
) -> None:
    original, calls = shutil.copytree, iter(range(1, 100))

    def copytree(source: Path, target: Path) -> Path:
        if next(calls) == nth:
            raise OSError(28, "No space left on device")
        return Path(original(source, target))

    with Library.open(folder) as library:
        with monkeypatch.context() as patch:
            patch.setattr(shutil, "copytree", copytree)
            with pytest.raises(LibraryError, match=r"No space left .*make room"):
                library.migrate(new_model())
        assert check_whole(folder, expected) == tiny_model().fingerprint
        assert library.migrate().changed
    assert check_whole(folder, expected) == new_model().fingerprint


def test_what_is_kept_may_be_damaged(folder: Path, expected: dict[str, dict[str, bytes]]) -> None:
    with Library.open(folder) as library:
        library.migrate(new_model())
        (kept,) = (folder / "previous").iterdir()
        (kept / "catalogue.sqlite").write_bytes(b"no database" * 1000)
        assert library.status().kept_model is None
        with pytest.raises(LibraryError, match="damaged"):
            library.roll_back()
        assert library.migrate(tiny_model()).changed, "it can be made anew"
    assert check_whole(folder, expected) == tiny_model().fingerprint


def test_a_migration_that_is_damaged_is_abandoned(folder: Path) -> None:
    with Library.open(folder) as library:
        with pytest.raises(Stop):
            library.migrate(new_model(), progress=stop_at(2))
        (folder / "migration" / "catalogue.sqlite").write_bytes(b"no database" * 1000)
        assert library.status().migration is None
        with pytest.raises(LibraryError, match="damaged"):
            library.migrate(new_model())
        assert library.abandon_migration()
        assert library.migrate(new_model()).changed


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
