from __future__ import annotations

from pathlib import Path

import pytest

from bitreel.errors import VideoError
from bitreel.video import find_videos


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "b.mp4",
        "a.AVI",
        "notes.txt",
        ".hidden.mp4",
        "deep/er/c.webm",
        "deep/poster.jpg",
        ".cache/d.mp4",
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return tmp_path


def test_folders_are_searched_to_any_depth(tree: Path) -> None:
    assert find_videos(tree) == [tree / "a.AVI", tree / "b.mp4", tree / "deep/er/c.webm"]
    assert find_videos([str(tree / "deep")]) == [tree / "deep/er/c.webm"]


def test_files_are_taken_as_given_and_none_twice(tree: Path) -> None:
    given = [tree / "notes.txt", tree / ".hidden.mp4", tree / "b.mp4", tree]
    assert find_videos(given) == sorted(
        tree / name for name in (".hidden.mp4", "a.AVI", "b.mp4", "deep/er/c.webm", "notes.txt")
    )


def test_a_linked_folder_is_no_endless_road(tree: Path) -> None:
    (tree / "deep" / "loop").symlink_to(tree)
    assert len(find_videos(tree)) == 3


def test_a_path_that_does_not_exist(tree: Path) -> None:
    with pytest.raises(VideoError, match=r"gone\.mp4 does not exist"):
        find_videos([tree, tree / "gone.mp4"])


def test_a_folder_that_can_not_be_listed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(VideoError, match=r"can not be listed: Permission denied"):
        find_videos(tree)


def test_nothing_found_is_an_empty_list(tmp_path: Path) -> None:
    assert find_videos(tmp_path) == []
