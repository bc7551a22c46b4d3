"""What every verb shares: progress beside the answer, and JSON that any terminal can print."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from bitreel.cli.console import print_json, show_progress
from bitreel.progress import Pace, Step


def test_progress_goes_to_standard_error_and_shows_names_as_they_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with show_progress() as progress:
        progress(Step("features", 3, 4, "first"))
        progress(Step("features", 4, 4, "clip[bold]:fire:.mp4"))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "features 3/4 first\nfeatures 4/4 clip[bold]:fire:.mp4\n"


@pytest.mark.parametrize(("between", "lines"), [(3600.0, [1, 5]), (0.0, [1, 2, 3, 4, 5])])
def test_a_log_gets_a_line_now_and_then(
    between: float,
    lines: list[int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And one when a stage begins and where it ends, early or not."""
    monkeypatch.setattr("bitreel.cli.console.SECONDS_BETWEEN_LINES", between)
    with show_progress() as progress:
        for done in range(1, 6):
            progress(Step("training", done, 60, f"loss {done}"))
        progress(Step("refit", 1, 1))
    printed = [line.strip() for line in capsys.readouterr().err.splitlines()]
    assert printed == [*(f"training {n}/60 loss {n}" for n in lines), "refit 1/1"]


def test_a_log_says_how_long_the_rest_takes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 1000, 15))
    monkeypatch.setattr("bitreel.cli.console.Pace", lambda: Pace(lambda: float(next(clock))))
    monkeypatch.setattr("bitreel.cli.console.SECONDS_BETWEEN_LINES", 0.0)
    with show_progress() as progress:
        for done in (0, 1, 30, 60):
            progress(Step("indexing", done, 60, "a.mp4"))
    printed = capsys.readouterr().err.splitlines()
    assert printed == [
        "indexing 0/60 a.mp4",
        "indexing 1/60 (15 min left) a.mp4",
        "indexing 30/60 (30 s left) a.mp4",
        "indexing 60/60 a.mp4",
    ]


def test_a_terminal_gets_a_bar_for_each_stage(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that ends early shows how far it came."""
    plain = {"markup": False, "emoji": False, "stderr": True, "color_system": None}
    terminal = Console(**plain, force_terminal=True, width=100)  # type: ignore[arg-type]
    monkeypatch.setattr("bitreel.cli.console.err", terminal)
    with show_progress() as progress:
        progress(Step("features", 4, 4, "clip[bold]:fire:.mp4"))
        progress(Step("training", 12, 60, "loss 1.5"))
    printed = capsys.readouterr()
    assert printed.out == ""
    *_, features, training = [line for line in printed.err.splitlines() if "/" in line]
    assert "4/4" in features
    assert "clip[bold]:fire:.mp4" in features
    assert "12/60" in training
    assert "loss 1.5" in training


@pytest.mark.parametrize("rank", ["LOCAL_RANK", "NODE_RANK", "RANK"])
def test_one_process_of_several_speaks(
    rank: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(rank, "1")
    with show_progress() as progress:
        progress(Step("features", 4, 4))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
@pytest.mark.parametrize("name", ["plain.mp4", "\u6620\u50cf.mp4", "half\udcff.mp4", "ü[red].mp4"])
def test_json_survives_every_terminal(
    name: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding=encoding, write_through=True))
    print_json({"path": name})
    assert json.loads(raw.getvalue().decode(encoding)) == {"path": name}


def test_json_is_readable_where_the_terminal_can_show_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_json({"label": "\u6620\u50cf"})
    assert '"\u6620\u50cf"' in capsys.readouterr().out
