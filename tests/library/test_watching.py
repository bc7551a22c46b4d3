"""Following folders, also those that are away for a while."""

from __future__ import annotations

import queue
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bitreel.library import watching

PATIENCE_SECONDS = 60.0


class Following:
    """What is told of folders while a test changes them."""

    def __init__(self, folders: list[Path], besides: Path) -> None:
        self.told: queue.Queue[None] = queue.Queue()
        self.ended = False
        self.folders, self.besides = folders, besides
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self) -> None:
        for _ in watching.changes(self.folders, besides=self.besides):
            if self.ended:
                return
            self.told.put(None)

    def hears(self) -> None:
        """Something, and then nothing more for a while."""
        self.told.get(timeout=PATIENCE_SECONDS)
        self.calms_down()

    def calms_down(self) -> None:
        while True:
            try:
                self.told.get(timeout=0.5)
            except queue.Empty:
                return

    def end(self) -> None:
        self.ended = True
        for number, folder in enumerate(self.folders):
            folder.mkdir(exist_ok=True)
            (folder / f"end {number}").touch()
        self.thread.join(PATIENCE_SECONDS)
        assert not self.thread.is_alive()


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    made = [tmp_path / "one", tmp_path / "other"]
    for folder in made:
        folder.mkdir()
    return made


@pytest.fixture
def following(
    folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Following]:
    monkeypatch.setattr(watching, "_CALM_MS", 60)
    monkeypatch.setattr(watching, "_LOOK_MS", 60)
    listening = Following(folders, folders[0] / "library")
    listening.hears()  # what may have changed before
    yield listening
    listening.end()


def test_a_change_is_told(following: Following, folders: list[Path]) -> None:
    (folders[0] / "new.mp4").touch()
    following.hears()


def test_the_librarys_own_changes_are_not(following: Following, folders: list[Path]) -> None:
    (folders[0] / "library").mkdir()
    following.calms_down()
    (folders[0] / "library" / "catalogue.sqlite").touch()
    with pytest.raises(queue.Empty):
        following.told.get(timeout=0.5)


def test_a_folder_that_was_away_is_followed_again(
    following: Following, folders: list[Path], tmp_path: Path
) -> None:
    away = folders[0].rename(tmp_path / "away")
    following.calms_down()
    (folders[1] / "meanwhile.mp4").touch()
    following.hears()
    away.rename(folders[0])
    following.hears()
    (folders[0] / "new.mp4").touch()
    following.hears()


def test_all_folders_may_be_away(following: Following, folders: list[Path], tmp_path: Path) -> None:
    for folder in folders:
        folder.rename(tmp_path / f"{folder.name} away")
    following.calms_down()
    with pytest.raises(queue.Empty):
        following.told.get(timeout=0.5)
    folders[1].mkdir()
    following.hears()
    (folders[1] / "new.mp4").touch()
    following.hears()


def test_another_folder_in_its_place_is_followed(
    following: Following, folders: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "next").mkdir()
    folders[0].rename(tmp_path / "away")
    (tmp_path / "next").rename(folders[0])
    following.hears()
    (folders[0] / "new.mp4").touch()
    following.hears()


def test_a_folder_that_is_made_anew_at_once_is_followed(
    following: Following, folders: list[Path]
) -> None:
    """On many disks it has the number of the one before."""
    shutil.rmtree(folders[0])
    folders[0].mkdir()
    following.hears()
    (folders[0] / "new.mp4").touch()
    following.hears()
