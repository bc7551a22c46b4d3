"""SIGKILL `bitreel index`, run the same command again: every video once, with the same code."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from bitreel.library import Library
from command_line import SCRIPT, Trained, bitreel


def indexed(library: Path) -> int:
    """Videos in a catalogue, 0 where there is none: read as anyone could, without bitreel."""
    path = library / "catalogue.sqlite"
    if not path.is_file():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            return int(connection.execute("SELECT count(*) FROM segments").fetchone()[0])
    except sqlite3.OperationalError:  # its tables are not there yet
        return 0


def codes(library: Path, query: Path) -> dict[str, list[int]]:
    """Path to code, of a library in which no video is twice."""
    with Library.open(library) as opened:
        ids, packed = opened.codes()
        hits = opened.search(query, k=len(ids)).hits  # all of it, to learn the path of each id
    by_id = dict(zip(ids.tolist(), packed.packed.tolist(), strict=True))
    found = {str(hit.path): by_id[hit.segment_id] for hit in hits}
    assert len(found) == len(ids), "a video is there twice"
    return found


@pytest.fixture(scope="module")
def whole(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[int]]:
    """What a run that nobody disturbs leaves behind."""
    library = tmp_path_factory.mktemp("whole") / "library"
    words = ("index", library, trained.manifest, "--model", trained.models / "32")
    assert bitreel(*words, "--json").json["added"] == 72
    found = codes(library, trained.query)
    assert len(set(map(tuple, found.values()))) > 5, "codes this alike would prove little"
    return found


@pytest.mark.parametrize("after", [pytest.param(1, marks=pytest.mark.slow), 20])
def test_a_killed_index_goes_on_where_it_stopped(
    after: int, trained: Trained, whole: dict[str, list[int]], tmp_path: Path
) -> None:
    library = tmp_path / "library"
    words = ("index", library, trained.manifest, "--model", trained.models / "32", "--json")
    process = subprocess.Popen(
        [str(SCRIPT), *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while indexed(library) < after and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    assert process.wait(60) == -signal.SIGKILL
    kept = indexed(library)
    assert after <= kept < 72
    answer = bitreel(*words).json
    assert (answer["added"], answer["unchanged"]) == (72 - kept, kept)  # nothing lost, none again
    assert (answer["videos"], answer["failed"]) == (72, 0)
    assert codes(library, trained.query) == whole
