"""What every verb shares: progress beside the answer, and JSON that any terminal can print."""

from __future__ import annotations

import io
import json

import pytest

from bitreel.cli.console import print_json, progress_bars
from bitreel.progress import Step


def test_progress_goes_to_standard_error_and_shows_names_as_they_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with progress_bars() as progress:
        progress(Step("features", 3, 4, "first"))
        progress(Step("features", 4, 4, "clip[bold]:fire:.mp4"))
        progress(Step("training", 1, 9, "loss 1.5"))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "4/4" in printed.err
    assert "clip[bold]:fire:.mp4" in printed.err
    assert "training" in printed.err


def test_a_stage_that_ends_early_shows_how_far_it_came(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress_bars() as progress:
        progress(Step("training", 12, 60))
    assert "12/60" in capsys.readouterr().err


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
