"""`bitreel demo`: the whole road in an empty folder, and once more."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from command_line import bitreel, bitreel_process

KEYS = {"clips", "model", "library", "sheet", "query", "hits", "seconds", "mAP@10 of random codes"}
FIGURES = {"mAP@10", "mAP@10/hits", "recall@1", "recall@10", "mAP", "bits", "queries", "database"}


@pytest.mark.slow
def test_the_demo_works_and_a_second_one_uses_what_is_there(tmp_path: Path) -> None:
    words = ("demo", "--clips-per-class", 4)
    first = bitreel_process(*words, "--json", folder=tmp_path).json
    assert set(first) == KEYS | FIGURES
    assert (first["queries"], first["database"], first["bits"]) == (12, 36, 64)
    # Three clips of each class are in the database, so that 0.3 is all that can be had.
    assert first["mAP@10 of random codes"] < 0.04
    assert 0.1 < first["mAP@10"] <= 0.3
    assert first["recall@10"] > 0.7
    assert len(first["hits"]) == 5
    for name in ("clips", "model", "library", "sheet"):
        assert (tmp_path / first[name]).exists()
    with Image.open(tmp_path / first["sheet"]) as sheet:
        assert sheet.height > 6 * 120
    made = (tmp_path / first["model"] / "model.json").stat().st_mtime_ns

    second = bitreel_process(*words, "--json", folder=tmp_path)
    assert "is there from an earlier demo: using it" in second.err
    assert (tmp_path / first["model"] / "model.json").stat().st_mtime_ns == made
    same = set(first) - {"seconds"}
    assert {key: second.json[key] for key in same} == {key: first[key] for key in same}

    told = bitreel_process(*words, folder=tmp_path)
    assert told.code == 0
    assert "What happened in " in told.out
    assert f"mAP@10 {first['mAP@10']:.3f}" in told.out
    suggested = [line.strip() for line in told.out.splitlines() if line.startswith("  bitreel")]
    assert len(suggested) == 3
    for line in suggested[:2]:  # the third is about the reader's own folder
        assert bitreel_process(*line.split()[1:], folder=tmp_path).code == 0


def test_fewer_clips_than_a_split_needs_are_refused() -> None:
    assert bitreel("demo", "--clips-per-class", 3).code == 2
