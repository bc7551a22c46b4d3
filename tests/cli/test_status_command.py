"""`bitreel status`"""

from __future__ import annotations

from pathlib import Path

from bitreel.model import Model
from command_line import Trained, bitreel


def test_what_a_library_holds(trained: Trained) -> None:
    answer = bitreel("status", trained.library, "--json").json
    assert (answer["videos"], answer["segments"], answer["bits"]) == (48, 48, 16)
    assert (answer["quarantined"], answer["damaged"], answer["failures"]) == (0, 0, {})
    assert answer["model_fingerprint"] == Model.load(trained.model).fingerprint
    assert len(answer["labels"]) == 12
    assert set(answer["labels"].values()) == {4}
    assert answer["folder"] == str(trained.library)
    assert answer["seconds"] > 0
    assert answer["bytes_on_disk"] > 0


def test_in_words(trained: Trained) -> None:
    printed = bitreel("status", trained.library).out
    assert printed.startswith(f"{trained.library}: 48 videos, 48 segments, ")
    assert "codes of 16 bits" in printed
    assert "striped-disc-left" in printed


def test_where_there_is_no_library(tmp_path: Path) -> None:
    expected = f"There is no library at {tmp_path}: make one with `bitreel index {tmp_path} VIDEOS"
    assert bitreel("status", tmp_path).error.startswith(expected)
    assert bitreel("status", tmp_path, "--json").error.startswith(expected)


def test_damage_and_failures_are_told(trained: Trained, tmp_path: Path) -> None:
    from media import damage_bytes, make_video

    whole = make_video(
        tmp_path / "a.mp4", 100, keyframe_interval=10, container_options={"movflags": "faststart"}
    )
    (tmp_path / "videos").mkdir()
    damage_bytes(whole, tmp_path / "videos" / "damaged.mp4", 0.4, 0.6)
    (tmp_path / "videos" / "empty.mp4").touch()
    library = tmp_path / "library"
    ran = bitreel("index", library, tmp_path / "videos", "--model", trained.model)
    assert "Damaged" in ran.err
    answer = bitreel("status", library, "--json").json
    assert (answer["videos"], answer["damaged"], answer["quarantined"]) == (1, 1, 1)
    ((path, reason),) = answer["failures"].items()
    assert path.endswith("empty.mp4")
    assert "is empty (0 bytes)" in reason
    printed = bitreel("status", library).out
    assert "1 of them are damaged in part" in printed
    assert path in reason
    assert f"Quarantined {reason}" in printed
