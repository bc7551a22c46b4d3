"""`bitreel index` of lists and URLs, and with options of Ray's where there is no Ray."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bitreel.library import Library
from command_line import Trained, bitreel


@pytest.fixture
def clips(trained: Trained, tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    source = trained.manifest.parent / "striped-disc-left"
    for name, scene in (("jump/a.mp4", 0), ("run/b.mp4", 1), ("c.mp4", 2)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / f"scene000{scene}.mp4", folder / name)
    return folder


@pytest.fixture
def store(clips: Path) -> Iterator[str]:
    """The clips under a URL of this process."""
    fsspec = pytest.importorskip("fsspec", reason="URLs take fsspec: pip install 'bitreel[ray]'")
    system: Any = fsspec.filesystem("memory")
    system.put(str(clips), "/clips", recursive=True)
    yield "memory://clips"
    system.rm("/clips", recursive=True)


def paths(library: Path) -> dict[str, str | None]:
    with Library.open(library) as opened:
        return {str(entry.path): entry.label for entry in opened.ledger()}


def index(trained: Trained, folder: Path, *words: object) -> Any:
    library = folder / "library"
    return bitreel("index", library, *words, "--model", trained.model, "--json").json


def test_a_list_names_files_and_folders_a_line(
    clips: Path, trained: Trained, tmp_path: Path
) -> None:
    names = tmp_path / "names.txt"
    names.write_text(f"clips/jump/a.mp4\n\n  {clips / 'c.mp4'}\nclips/run\n")
    assert index(trained, tmp_path, names)["added"] == 3
    found = {str(clips / name) for name in ("jump/a.mp4", "run/b.mp4", "c.mp4")}
    assert set(paths(tmp_path / "library")) == found


def test_a_url_is_looked_through_and_labelled_like_a_folder(
    store: str, trained: Trained, tmp_path: Path
) -> None:
    assert index(trained, tmp_path, store)["added"] == 3
    assert paths(tmp_path / "library") == {
        "/memory:/clips/jump/a.mp4": "jump",
        "/memory:/clips/run/b.mp4": "run",
        "/memory:/clips/c.mp4": None,
    }
    assert index(trained, tmp_path, store)["unchanged"] == 3


def test_patterns_choose_under_a_url(store: str, trained: Trained, tmp_path: Path) -> None:
    words = (f"{store}/", "--only", "*.mp4", "--exclude", "run", "--no-labels")
    assert index(trained, tmp_path, *words)["added"] == 2
    assert paths(tmp_path / "library") == {
        "/memory:/clips/jump/a.mp4": None,
        "/memory:/clips/c.mp4": None,
    }


def test_one_video_of_a_store(store: str, trained: Trained, tmp_path: Path) -> None:
    assert index(trained, tmp_path, f"{store}/run/b.mp4")["added"] == 1
    assert paths(tmp_path / "library") == {"/memory:/clips/run/b.mp4": None}


def test_details_of_ray_without_ray(clips: Path, trained: Trained, tmp_path: Path) -> None:
    words = ("index", tmp_path / "library", clips, "--model", trained.model)
    told = bitreel(*words, "--ray-actors", 2).error
    assert told.endswith("add --ray, or leave them out.")
    told = bitreel(*words, "--ray", "--ray-cpus", 0).error
    assert told == "An actor takes more than 0 CPUs, got 0."


def test_ray_that_is_not_installed(
    clips: Path, trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bitreel.library.ray_encoding.find_spec", lambda _: None)
    words = ("index", tmp_path / "library", clips, "--model", trained.model)
    assert bitreel(*words, "--ray").error == (
        "To encode with Ray takes Ray: pip install 'bitreel[ray]'."
    )
