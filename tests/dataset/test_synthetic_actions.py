"""The synthetic set on disk: the same bytes, nothing twice, completed after a kill, readable."""

from __future__ import annotations

import csv
import hashlib
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from bitreel.dataset import hold_out_groups, open_dataset
from bitreel.dataset.synthetic import HARD, Settings, make_actions
from bitreel.dataset.synthetic.motions import REVERSAL_OF
from bitreel.dataset.synthetic.plan import plan_clips
from bitreel.dataset.synthetic.render import render_clip
from bitreel.errors import ConfigError, DataError
from bitreel.video import read_clip

SEED = 3


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_actions(
        tmp_path_factory.mktemp("made"), task="motion", clips_per_class=4, seed=SEED
    ).parent


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def stamps(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_second_run_gives_the_same_bytes(made: Path, tmp_path: Path) -> None:
    again = make_actions(tmp_path / "again", task="motion", clips_per_class=4, seed=SEED)
    assert digests(again.parent) == digests(made)
    assert len(digests(made)) == 48 + 2


def test_a_call_on_a_finished_set_writes_nothing(made: Path) -> None:
    before = stamps(made)
    seen: list[tuple[int, int]] = []
    make_actions(
        made,
        task="motion",
        clips_per_class=4,
        seed=SEED,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert stamps(made) == before
    assert seen == [(number, 48) for number in range(1, 49)]


KILLED = """
import sys
from bitreel.dataset.synthetic import make_actions
make_actions(sys.argv[1], task="motion", clips_per_class=4, seed=int(sys.argv[2]))
"""


def test_a_killed_run_is_completed_with_the_same_bytes(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(folder), str(SEED)])
    deadline = time.monotonic() + 60
    while len(list(folder.rglob("[!.]*.mp4"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    written = stamps(folder)
    assert 5 <= len(list(folder.rglob("[!.]*.mp4"))) < 48
    assert not (folder / "manifest.csv").exists()
    make_actions(folder, task="motion", clips_per_class=4, seed=SEED)
    assert digests(folder) == digests(made)
    kept = {path: stamp for path, stamp in written.items() if path.suffix == ".mp4"}
    assert {path: stamps(folder)[path] for path in kept} == kept


def test_other_settings_in_the_same_folder_are_refused_by_name(made: Path) -> None:
    before = stamps(made)
    with pytest.raises(DataError, match=r"other settings \(seed 3 there, 4 wanted\)"):
        make_actions(made, task="motion", clips_per_class=4, seed=4)
    with pytest.raises(DataError, match=r"task 'motion' there, 'both' wanted; .*difficulty"):
        make_actions(made, clips_per_class=4, seed=SEED, difficulty=HARD)
    assert stamps(made) == before


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("mine")
    with pytest.raises(DataError, match="no synthetic set"):
        make_actions(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.csv"]
    (tmp_path / "settings.json").write_text("{")
    with pytest.raises(DataError, match=r"settings\.json is not readable"):
        make_actions(tmp_path)
    (tmp_path / "settings.json").write_text("[]")
    with pytest.raises(DataError, match="other settings"):
        make_actions(tmp_path)
    with pytest.raises(DataError, match="can not hold"):
        make_actions(tmp_path / "manifest.csv" / "below")


def test_a_bad_option_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        make_actions(tmp_path / "new", frames=0)
    assert not (tmp_path / "new").exists()


def test_the_manifest_opens_with_groups_sides_and_what_was_drawn(made: Path) -> None:
    dataset = open_dataset(made)
    assert dataset == open_dataset(made / "manifest.csv")
    assert len(dataset.labels) == 12
    assert (len(dataset.database), len(dataset.query)) == (36, 12)
    training, validation = hold_out_groups(dataset.database, fraction=0.3)
    assert (len(training), len(validation)) == (24, 12)
    with (made / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[4:] == ["motion", "texture", "shape", "background"]
    assert all(row["motion"] == row["label"] for row in rows)


def test_decoded_files_show_what_was_drawn(made: Path) -> None:
    options = Settings(task="motion", clips_per_class=4, seed=SEED)
    for clip in plan_clips(options)[::7]:
        drawn = render_clip(clip.motion, clip.look, clip.scene)
        decoded = read_clip(made / clip.place, frames=32)
        assert not decoded.damage
        assert decoded.frames.shape == drawn.shape
        off = np.abs(decoded.frames.astype(int) - drawn).mean(axis=(1, 2, 3))
        assert off.max() < 5  # grey levels
        assert decoded.times_seconds[-1] == pytest.approx(31 / 25)


@pytest.mark.parametrize(("reversal", "motion"), REVERSAL_OF.items())
def test_decoded_pairs_are_reversals_to_the_eye(made: Path, reversal: str, motion: str) -> None:
    forward, backward = (
        read_clip(made / label / "scene0001.mp4", frames=32).frames.astype(int)
        for label in (motion, reversal)
    )
    assert np.abs(forward - backward[::-1]).mean() < 2.5
    assert np.abs(forward.mean(axis=0) - backward.mean(axis=0)).mean() < 1.5
