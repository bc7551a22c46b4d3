"""A change of model that is broken off, by kills, full disks and damage."""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from bad_luck import PROCESSES, die_at_call, killed, no_right_to_write, start
from library_helpers import (
    decodes_counted,
    tiny_model,
)
from migrating_helpers import (
    COUNT,
    WIDTHS,
    Small,
    Stop,
    check_whole,
    names,
    new_model,
    stop_at,
)

from bitreel.errors import LibraryError
from bitreel.library import (
    Library,
    remodelling,
    remodelling_folders,
)
from bitreel.library.catalogue import Catalogue
from bitreel.library.replacing import Replacing
from bitreel.library.results import UnderWay
from bitreel.model import Model
from bitreel.progress import Step

pytest_plugins = ["migrating_fixtures"]


# Broken off

OWNERS: dict[str, Any] = {
    "catalogue": Catalogue,
    "model": Model,
    "run": remodelling,
    "folders": remodelling_folders,
    "shutil": shutil,
}


def also(*kill: object) -> Any:
    """One that the fast lane leaves out, since another is near to it."""
    return pytest.param(*kill, marks=pytest.mark.slow)


KILLS = [
    ("model", "save", 1),
    ("catalogue", "lay_out", 1),
    also("catalogue", "put", 1),
    ("catalogue", "put", 4),
    also("catalogue", "_put_segments", 6),
    ("run", "place_model", 1),
    ("shutil", "copytree", 2),  # that of the model that is kept
    ("folders", "copy_catalogue", 1),
    also("catalogue", "set_facts", 1),  # of the copy that is kept
    also("catalogue", "_take_videos", 1),
    ("catalogue", "_take_segments", 1),
    ("catalogue", "set_facts", 2),
    ("run", "tidy", 2),  # the codes are exchanged
    also("folders", "delete", 2),
    ("folders", "delete", 3),
]
KILLS_ON_THE_WAY_BACK = [
    ("shutil", "copytree", 1),
    ("folders", "copy_catalogue", 1),
    ("run", "place_model", 1),
    ("folders", "copy_catalogue", 2),
    also("catalogue", "_take_segments", 1),
    ("run", "tidy", 2),
    also("folders", "delete", 3),
    also("folders", "delete", 4),
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


def migrate_slowly(folder: Path, told: Connection) -> None:
    def tell(step: Step) -> None:
        told.send(step.stage)
        time.sleep(0.02)

    with Library.open(folder) as library:
        library.migrate(new_model(44), progress=tell)


def test_kills_at_any_moment(folder: Path, expected: dict[str, dict[str, bytes]]) -> None:
    dice = random.Random(3)
    found, kills = tiny_model().fingerprint, 0
    while found == tiny_model().fingerprint:
        here, there = PROCESSES.Pipe(duplex=False)
        child = start(migrate_slowly, folder, there)
        there.close()
        with here:
            assert here.poll(60)
            here.recv()  # it has encoded one video at least, or is about to swap
            time.sleep(dice.uniform(0, 0.06))
            child.kill()
            child.join(60)
        kills += 1
        found = check_whole(folder, expected)
    assert kills > 1
    with Library.open(folder) as library:
        assert not library.migrate(new_model(44)).changed
        assert library.status().migration is None
        library.roll_back()
    assert check_whole(folder, expected) == tiny_model().fingerprint


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
        assert sorted(decoded) == videos[4:]
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


# Disks


def test_a_folder_that_may_not_be_written(
    small: Small, expected: dict[str, dict[str, bytes]]
) -> None:
    with tempfile.TemporaryDirectory() as public:
        Path(public).chmod(0o755)
        folder = small.copied(Path(public))
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
        with Library.open(folder) as library:
            library.migrate(new_model())
            with pytest.raises(Stop):
                library.migrate(new_model(44), progress=stop_at(2))
        with no_right_to_write(folder), Library.open(folder) as library:
            status = library.status()
            assert status.migration == UnderWay(new_model(44).fingerprint, 44, 2, COUNT)
            assert status.kept_model is not None


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
        with pytest.raises(LibraryError, match=r"of no use: .*damaged.* --model MODEL"):
            library.roll_back()
        assert library.migrate(tiny_model()).changed, "it can be made anew"
    assert check_whole(folder, expected) == tiny_model().fingerprint


def test_a_migration_that_is_damaged_is_abandoned(folder: Path) -> None:
    with Library.open(folder) as library:
        with pytest.raises(Stop):
            library.migrate(new_model(), progress=stop_at(2))
        (folder / "migration" / "catalogue.sqlite").write_bytes(b"no database" * 1000)
        assert library.status().migration is None
        with pytest.raises(LibraryError, match=r"damaged .* --abandon"):
            library.migrate(new_model())
        assert library.abandon_migration()
        assert library.migrate(new_model()).changed
