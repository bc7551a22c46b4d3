"""`bitreel index --window --stride --shots` and `bitreel search --start --end` on long videos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bitreel.library import Library
from bitreel.video import WHOLE_VIDEOS, Segmenting, write_video
from command_line import Trained, bitreel


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one video of 12 seconds, a scene of 6 after another."""
    folder = tmp_path_factory.mktemp("long")
    random = np.random.default_rng(0)
    scenes = random.integers(0, 256, (2, 6, 8, 3), dtype=np.uint8)
    pictures = scenes.repeat(16, axis=1).repeat(16, axis=2)
    frames = [np.roll(pictures[t // 60], t % 60 // 4, axis=1) for t in range(120)]
    write_video(folder / "long.mp4", frames, frames_per_second=10)
    return folder


@pytest.mark.parametrize(
    ("words", "segmenting", "segments"),
    [
        ([], Segmenting(), 4),
        (["--window", "5"], Segmenting(5, 2.5), 2),
        (["--window", "2", "--stride", "2"], Segmenting(2, 2), 6),
        (["--no-shots"], Segmenting(4, 2, False), 5),
        (["--window", "0"], WHOLE_VIDEOS, 1),
    ],
    ids=str,
)
def test_videos_are_cut_as_asked(
    words: list[str],
    segmenting: Segmenting,
    segments: int,
    videos: Path,
    trained: Trained,
    tmp_path: Path,
) -> None:
    library = tmp_path / "library"
    index = ("index", library, videos, "--model", trained.model, "--json")
    answer = bitreel(*index, *words).json
    assert (answer["videos"], answer["segments"]) == (1, segments)
    with Library.open(library) as opened:
        assert opened.segmenting == segmenting
    again = bitreel(*index).json
    assert (again["unchanged"], again["segments"]) == (1, segments)
    status = bitreel("status", library, "--json").json
    assert status["segmenting"]["window_seconds"] == segmenting.window_seconds


def test_people_are_told_of_segments(videos: Path, trained: Trained, tmp_path: Path) -> None:
    library = tmp_path / "library"
    printed = bitreel("index", library, videos, "--model", trained.model).out
    assert printed.endswith(f"{library} holds 1 videos in 4 segments.\n")


def test_a_library_is_not_cut_in_two_ways(videos: Path, trained: Trained) -> None:
    error = bitreel("index", trained.library, videos, "--window", 6).error
    assert f"The library {trained.library} is made of windows of 4 s every 2 s" in error
    assert "asked for are windows of 6 s every 3 s" in error
    assert "leave that out, or index the videos into another library" in error


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--window", "-1"], "A window takes 0.5 to 60 seconds, or 0 where each video"),
        (["--window", "nan"], "A window takes 0.5 to 60 seconds"),
        (["--stride", "5"], "A window of 4 seconds takes a stride of 0.1 to 4 seconds"),
        (["--stride", "0"], "so that no part of a video is left out"),
    ],
    ids=str,
)
def test_options_out_of_range(
    words: list[str], message: str, videos: Path, trained: Trained, tmp_path: Path
) -> None:
    error = bitreel("index", tmp_path / "x", videos, "--model", trained.model, *words).error
    assert message in error
    assert not (tmp_path / "x").exists()


def test_a_range_and_a_long_query(videos: Path, trained: Trained, tmp_path: Path) -> None:
    library, video = tmp_path / "library", videos / "long.mp4"
    assert bitreel("index", library, videos, "--model", trained.model).code == 0
    search = ("search", library, video, "--json")
    part = bitreel(*search, "--start", 6, "--end", 10).json
    assert (part["start_seconds"], part["end_seconds"], part["query_segments"]) == (6, 10, 1)
    first = part["hits"][0]
    assert (first["distance_bits"], first["path"]) == (0, str(video))
    assert first["start_seconds"] <= 6 < first["end_seconds"]
    whole = bitreel(*search).json
    assert (whole["query_segments"], whole["hits"][0]["distance_bits"]) == (4, 0)
    assert bitreel(*search, "--exclude-self").json["hits"] == []


def test_help_tells_of_windows_and_ranges() -> None:
    told = " ".join(bitreel("index", "--help").out.replace("│", " ").split())
    for words in ("--window", "--stride", "--no-shots", "0 gives each", "default: half a window"):
        assert words in told, words
    assert "segment" in bitreel("search", "--help").out
