"""Opening: whatever is wrong with the folder ends in one sentence that says what to do."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from bad_luck import no_right_to_write
from library_helpers import indexed_codes, make_video, make_videos, rows, tiny_model

from bitreel.errors import BitreelError, LibraryError, ModelError, ModelMismatch
from bitreel.library import Library


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed library of five videos. Copy it before harming it."""
    folder = tmp_path_factory.mktemp("whole")
    junk = folder / "junk.mp4"
    junk.write_bytes(b"junk")
    with Library.create(folder / "library", tiny_model()) as library:
        library.add([*make_videos(folder / "videos", 5), junk])
    assert sorted(p.name for p in (folder / "library").iterdir()) == ["catalogue.sqlite", "model"]
    return folder / "library"


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "library"))


@pytest.fixture(scope="module")
def query(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("queries") / "query.mp4", 50)


def change(folder: Path, sql: str) -> None:
    with closing(sqlite3.connect(folder / "catalogue.sqlite")) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(sql)
        connection.commit()


def look_at_everything(folder: Path, query: Path) -> None:
    with Library.open(folder) as library:
        library.codes()
        library.ledger()
        library.status()
        library.search(query)


# Making one


def test_made_and_opened_with_its_own_model(tmp_path: Path, query: Path) -> None:
    with Library.open_or_create(tmp_path / "deep" / "library", tiny_model()) as library:
        library.add([query])
        assert repr(library).startswith("Library(")
    assert Library.exists(library.folder)
    with Library.open(str(library.folder)) as again:
        assert again.model is not tiny_model()
        assert again.model.fingerprint == tiny_model().fingerprint
        assert again.search(query).hits[0].distance_bits == 0
    with Library.open_or_create(library.folder, tiny_model()) as third:
        assert third.status().videos == 1


def test_one_that_was_named_from_here_is_found_from_elsewhere(
    copy: Path, tmp_path: Path, query: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model, the index, another model: all of them are looked for later."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    video = make_videos(tmp_path / "more", 1, first=50)[0]
    monkeypatch.chdir(copy.parent)
    with Library.open(copy.name) as library:
        monkeypatch.chdir(elsewhere)
        assert library.search(query).hits
        assert library.add([video]).added == 1
        library.plan_index()
        library.migrate(tiny_model(seed=1))
        assert library.search(query).hits
        library.roll_back()
        assert library.discard_previous()
        assert library.status().bytes_on_disk > 0
        assert library.folder == copy
    assert list(elsewhere.iterdir()) == []
    assert (copy / "index").is_dir()


def test_two_are_not_made_in_one_folder(copy: Path) -> None:
    before = indexed_codes(copy)
    with pytest.raises(LibraryError, match="is a library already"):
        Library.create(copy, tiny_model())
    assert indexed_codes(copy) == before


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    """As when the arguments change places: `bitreel index VIDEOS LIBRARY`."""
    make_videos(tmp_path / "videos", 1)
    with pytest.raises(LibraryError, match=r"clip_000\.mp4.*empty folder"):
        Library.open_or_create(tmp_path / "videos", tiny_model())
    assert [p.name for p in (tmp_path / "videos").iterdir()] == ["clip_000.mp4"]


def test_a_file_in_the_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "library").write_text("a file")
    with pytest.raises(LibraryError, match="Name another folder"):
        Library.create(tmp_path / "library", tiny_model())
    with pytest.raises(LibraryError, match="Name another folder"):
        Library.create(tmp_path / "library" / "deeper", tiny_model())


# What is no library


@pytest.mark.parametrize("kind", ["missing", "empty folder", "file", "other files"])
def test_no_library_says_how_to_make_one(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "place"
    if kind == "file":
        folder.write_text("a file")
    elif kind != "missing":
        folder.mkdir()
    if kind == "other files":
        (folder / "notes.txt").write_text("notes")
    assert not Library.exists(folder)
    with pytest.raises(LibraryError, match=r"place: make one with `bitreel index .*place VIDEOS"):
        Library.open(folder)


def test_a_catalogue_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    change(tmp_path / "library", "CREATE TABLE meta (key, value)")
    with pytest.raises(LibraryError, match="not the catalogue of a bitreel library"):
        Library.open(tmp_path / "library")
    change(tmp_path / "library", "DROP TABLE meta")
    change(tmp_path / "library", "CREATE TABLE other (key, value)")
    with pytest.raises(LibraryError, match="damaged"):
        Library.open(tmp_path / "library")


# Versions


def test_a_later_schema_is_refused_with_both_versions_named(copy: Path) -> None:
    change(copy, "UPDATE meta SET value = '7' WHERE key = 'schema_version'")
    change(copy, "UPDATE meta SET value = '9.8.7' WHERE key = 'bitreel'")
    change(copy, "DROP TABLE segments")  # it may look like anything
    with pytest.raises(LibraryError, match=r"9\.8\.7 with schema 7.*reads schema 2"):
        Library.open(copy)


@pytest.mark.parametrize("key", ["schema_version", "bits", "fingerprint"])
@pytest.mark.parametrize("harm", ["DELETE FROM meta", "UPDATE meta SET value = ''"])
def test_facts_that_are_lost(copy: Path, key: str, harm: str) -> None:
    change(copy, f"{harm} WHERE key = '{key}'")
    with pytest.raises(LibraryError, match=r"catalogue\.sqlite .*from a copy"):
        Library.open(copy)


# Models


def test_a_model_that_is_not_the_librarys_is_refused_in_one_sentence(copy: Path) -> None:
    other = tiny_model(bits=16, seed=1)
    for opening in (Library.open, Library.open_or_create):
        with pytest.raises(ModelMismatch) as caught:
            opening(copy, model=other)
        message = str(caught.value)
        assert str(copy) in message
        assert other.fingerprint[:12] in message
        assert tiny_model().fingerprint[:12] in message
        assert "index the videos into another library" in message
        assert message.count(". ") == 0
    with Library.open(copy, model=tiny_model()) as library:
        assert library.model is tiny_model()


def test_a_model_lost_or_harmed(copy: Path, query: Path) -> None:
    weights = copy / "model" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-5] ^= 1
    weights.write_bytes(content)
    with Library.open(copy) as library:
        assert library.status().videos == 5, "looking needs no model"
        with pytest.raises(ModelError, match="damaged"):
            library.search(query)
    weights.unlink()
    with Library.open(copy) as library, pytest.raises(ModelError, match="damaged or incomplete"):
        library.search(query)
    for harm in ("{", "[]", "{}", None):
        if harm is None:
            shutil.rmtree(copy / "model")
        else:
            (copy / "model" / "model.json").write_text(harm)
        with pytest.raises(LibraryError, match=r"model.*copy the model with the fingerprint"):
            Library.open(copy)


def test_another_model_in_the_models_place(copy: Path) -> None:
    tiny_model(bits=16, seed=1).save(copy / "model")
    with pytest.raises(ModelMismatch, match="copy that model there"):
        Library.open(copy)
    # Also when it goes by the right name.
    manifest = copy / "model" / "model.json"
    forged = json.loads(manifest.read_text()) | {"fingerprint": tiny_model().fingerprint}
    manifest.write_text(json.dumps(forged))
    with Library.open(copy) as library, pytest.raises(ModelError, match="fingerprint"):
        _ = library.model


def test_looking_imports_no_torch(copy: Path) -> None:
    script = (
        "import sys\n"
        "from bitreel.library import Fate, Library\n"
        "with Library.open(sys.argv[1]) as library:\n"
        "    bad = library.ledger(Fate.QUARANTINED)\n"
        "    print(library.status().videos, len(bad), len(library.codes()[0]))\n"
        "print([m for m in ('torch', 'timm', 'av') if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, str(copy)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines() == ["5 1 5", "[]"]


# Damage


def test_a_catalogue_cut_anywhere(copy: Path, query: Path) -> None:
    path = copy / "catalogue.sqlite"
    content = path.read_bytes()
    for size in [0, 1, 15, 16, 99, 100, 512, *range(4095, len(content), 2048), len(content) - 1]:
        path.write_bytes(content[:size])
        with pytest.raises(LibraryError, match="library"):
            look_at_everything(copy, query)


def test_a_catalogue_that_is_junk(copy: Path) -> None:
    (copy / "catalogue.sqlite").write_bytes(b"this is no database " * 1000)
    with pytest.raises(
        LibraryError, match=r"catalogue\.sqlite is damaged .*index the videos again"
    ):
        Library.open(copy)
    with pytest.raises(LibraryError, match="damaged"):
        Library.open_or_create(copy, tiny_model())
    with pytest.raises(LibraryError, match="damaged"):
        Library.create(copy, tiny_model())


def test_a_catalogue_that_is_a_folder(copy: Path) -> None:
    (copy / "catalogue.sqlite").unlink()
    (copy / "catalogue.sqlite").mkdir()
    with pytest.raises(LibraryError):
        Library.open(copy)
    with pytest.raises(LibraryError):
        Library.open_or_create(copy, tiny_model())


@pytest.mark.parametrize(
    ("seed", "times"), [(0, 100), pytest.param(1, 1000, marks=pytest.mark.slow)]
)
def test_bytes_changed_anywhere_end_in_an_answer_or_in_one_of_our_errors(
    copy: Path, query: Path, seed: int, times: int
) -> None:
    path = copy / "catalogue.sqlite"
    content = path.read_bytes()
    dice = random.Random(seed)
    used = [at for at in range(len(content)) if content[at]]
    for _ in range(times):
        harmed = bytearray(content)
        for _ in range(dice.choice([1, 4, 64])):
            harmed[dice.choice(used)] = dice.randrange(256)
        path.write_bytes(harmed)
        with suppress(BitreelError), Library.open(copy, model=tiny_model()) as library:
            library.codes()
            library.ledger()
            library.status()
            library.search(query)
            library.add([query])


@pytest.mark.parametrize("code", ["x'00'", "x'00000000'", "'abc'", "5"])
def test_a_code_of_another_width(copy: Path, code: str) -> None:
    change(copy, f"UPDATE segments SET code = {code} WHERE id = 2")
    with pytest.raises(LibraryError, match="1 codes are not 20 bits wide"):
        Library.open(copy)


def test_padding_bits_that_are_set(copy: Path, query: Path) -> None:
    change(copy, "UPDATE segments SET code = x'000001' WHERE id = 2")
    with Library.open(copy) as library:
        for ask in (library.codes, lambda: library.search(query)):
            with pytest.raises(LibraryError, match="padding"):
                ask()


# Read-only


@pytest.fixture
def public(whole: Path) -> Iterator[Path]:
    """A copy where everyone may look, which is not so of pytest's own folders."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(shutil.copytree(whole, Path(folder) / "library"))


def test_a_read_only_library_answers_and_takes_nothing(public: Path, tmp_path: Path) -> None:
    video = shutil.copy(make_video(tmp_path / "a.mp4", 3), public.parent / "a.mp4")
    expected = indexed_codes(public)
    with no_right_to_write(public):
        with Library.open(public) as library:
            assert library.status().videos == 5
            # Who is asked by a file starts a process, which these tests' user may not.
            hit = library.search(library.model.read(video)).hits[0]
            assert (hit.path.name, hit.distance_bits) == ("clip_003.mp4", 0)
            with pytest.raises(LibraryError, match=r"readonly.*permissions"):
                library.add([video])
        with pytest.raises(LibraryError, match="another folder"):
            Library.create(public / "new", tiny_model())
    assert indexed_codes(public) == expected


def test_a_read_only_library_whose_log_was_not_merged_is_not_half_read(public: Path) -> None:
    """Its newest videos stand in the log. It must not be taken for the whole."""
    with Library.open(public) as library:
        library.add(make_videos(public.parent / "more", 1, first=30))
        aside = Path(shutil.copytree(public, public.parent / "aside"))
    assert (aside / "catalogue.sqlite-wal").stat().st_size
    (aside / "catalogue.sqlite-shm").unlink()
    with no_right_to_write(aside), pytest.raises(LibraryError, match="permissions"):
        Library.open(aside)
    with Library.open(aside) as library:
        assert library.status().videos == 6
    assert len(rows(aside, "SELECT * FROM segments")) == 6
