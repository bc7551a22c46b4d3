"""`bitreel migrate`: there, back, and what it says on the way."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bitreel.library import Library
from bitreel.model import Model
from bitreel.progress import Step
from command_line import Trained, bitreel


@pytest.fixture
def library(trained: Trained, tmp_path: Path) -> Path:
    """A copy that the test may write to."""
    return Path(shutil.copytree(trained.library, tmp_path / "library"))


@pytest.fixture(scope="module")
def other(trained: Trained) -> Path:
    """A model of 32 bits."""
    return trained.models / "32"


def begin(library: Path, model: Path, *, videos: int) -> None:
    """A migration that is broken off."""

    class Stop(Exception):
        pass

    def stop(step: Step) -> None:
        if step.done == videos:
            raise Stop

    with Library.open(library) as opened, pytest.raises(Stop):
        opened.migrate(Model.load(model), progress=stop)


def test_there_and_back(trained: Trained, library: Path, other: Path) -> None:
    before = bitreel("search", library, trained.query, "--json").json
    answer = bitreel("migrate", library, "--model", other, "--json").json
    assert answer == {
        "library": str(library),
        "changed": True,
        "model_fingerprint": Model.load(other).fingerprint,
        "bits": 32,
        "videos": 48,
        "segments": 48,
        "forgotten": {},
    }
    status = bitreel("status", library, "--json").json
    assert (status["bits"], status["migration"]) == (32, None)
    assert status["kept_model"] == {
        "model_fingerprint": Model.load(trained.model).fingerprint,
        "bits": 16,
        "videos": 48,
        "rolled_back": False,
    }
    assert len(status["labels"]) == 12
    assert bitreel("search", library, trained.query).code == 0
    assert bitreel("migrate", library, "--rollback", "--json").json["bits"] == 16
    assert bitreel("search", library, trained.query, "--json").json == before
    assert bitreel("migrate", library, "--discard-previous", "--json").json == {
        "library": str(library),
        "deleted": True,
    }
    assert bitreel("status", library, "--json").json["kept_model"] is None


def test_in_words(trained: Trained, library: Path, other: Path) -> None:
    old, new = (Model.load(model).fingerprint[:12] for model in (trained.model, other))
    begin(library, other, videos=5)
    told = f"On the way to the model {new} (32 bits): 5 of 48 videos are encoded. `bitreel migrate"
    assert told in bitreel("status", library).out
    ran = bitreel("migrate", library)
    assert ran.out == f"{library} has now the model {new} of 32 bits: 48 videos in 48 segments.\n"
    assert "migrating 48/48" in ran.err
    assert "swapping 48/48" in ran.err
    ran = bitreel("migrate", library, "--model", other)
    assert ran.out.startswith(f"{library} has the model {new} of 32 bits already: ")
    told = f"The model {old} (16 bits, 48 videos) is kept: `bitreel migrate {library} --rollback`"
    assert told in bitreel("status", library).out
    assert bitreel("migrate", library, "--rollback").code == 0
    told = f"The model {new} (32 bits, 48 videos) was rolled back, and is kept: `bitreel migrate"
    assert told in bitreel("status", library).out
    assert "already" in bitreel("migrate", library, "--rollback").out
    assert bitreel("migrate", library, "--abandon").out == "No migration was under way.\n"
    begin(library, other, videos=48)
    assert bitreel("migrate", library, "--abandon").out.startswith("Deleted what ")
    assert bitreel("migrate", library, "--discard-previous").out.startswith("Deleted what ")
    assert bitreel("migrate", library, "--discard-previous").out == "No earlier model was kept.\n"


def test_missing_videos_are_named_each(trained: Trained, other: Path, tmp_path: Path) -> None:
    videos, library = tmp_path / "videos", tmp_path / "library"
    videos.mkdir()
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        shutil.copy(trained.query, videos / name)
        with (videos / name).open("ab") as file:
            file.write(name.encode())  # three files that are not alike
    bitreel("index", library, videos, "--model", trained.model)
    (videos / "a.mp4").unlink()
    (videos / "c.mp4").write_bytes(b"")
    ran = bitreel("migrate", library, "--model", other)
    assert ran.error.startswith(f"2 videos of {library} can not be encoded anew")
    assert "--forget-missing" in ran.error
    for name in ("a.mp4", "c.mp4"):
        assert f"Missing {videos / name}" in ran.err
    assert bitreel("status", library, "--json").json["bits"] == 16
    ran = bitreel("migrate", library, "--forget-missing")
    assert f"Forgotten {videos / 'a.mp4'} is not there" in ran.err
    assert "1 videos in 1 segments" in ran.out
    status = bitreel("status", library, "--json").json
    assert (status["quarantined"], status["skipped"]) == (1, 1)


def test_what_makes_no_sense(trained: Trained, library: Path, other: Path, tmp_path: Path) -> None:
    assert "choose one" in bitreel("migrate", library, "--rollback", "--abandon").error
    for word in ("--abandon", "--discard-previous"):
        error = bitreel("migrate", library, word, "--forget-missing").error
        assert "--forget-missing belongs to a change of model" in error
        assert f"{word} only deletes" in error
    assert "No migration of" in bitreel("migrate", library).error
    assert "nothing to go back to" in bitreel("migrate", library, "--rollback").error
    assert "There is no library at" in bitreel("migrate", tmp_path / "none").error
    assert "No model at" in bitreel("migrate", library, "--model", tmp_path / "none").error
    error = bitreel("index", library, trained.manifest, "--model", other).error
    assert f"`bitreel migrate {library} --model MODEL`" in error
