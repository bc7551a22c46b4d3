"""`bitreel index --watch` as others read it: folders that are away, and JSON line by line."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from pathlib import Path

from command_line import SCRIPT, Trained
from running import PATIENCE_SECONDS, names, until


def test_one_json_document_a_line_though_a_folder_is_away(trained: Trained, tmp_path: Path) -> None:
    one, other, library = (tmp_path / name for name in ("one", "other", "library"))
    for folder in (one, other):
        folder.mkdir()
    clips = [trained.query.with_name(f"scene000{number}.mp4") for number in range(4)]
    shutil.copy(clips[0], one / "0.mp4")
    shutil.copy(clips[1], other / "1.mp4")
    words = ["index", library, one, other, "--model", trained.model, "--runtime", "torch"]
    printed = tmp_path / "printed"
    with printed.open("w") as file:
        command = [str(SCRIPT), *map(str, words), "--watch", "--json"]
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.PIPE, text=True)

    until(lambda: sum(answered(printed)) == 2, process)
    one.rename(tmp_path / "away")
    shutil.copy(clips[2], other / "2.mp4")
    until(lambda: sum(answered(printed)) == 3, process)
    assert names(library) == {"0.mp4", "1.mp4", "2.mp4"}, "what is away is not forgotten"
    shutil.copy(clips[3], tmp_path / "away" / "3.mp4")
    (tmp_path / "away").rename(one)
    until(lambda: sum(answered(printed)) == 4, process)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert "Traceback" not in told
    assert len(answered(printed)) >= 3
    assert json.loads(printed.read_text().splitlines()[-1])["videos"] == 4


def answered(printed: Path) -> list[int]:
    """How many videos each document says were added; a line that is being written is none yet."""
    lines = printed.read_text().splitlines(keepends=True)
    return [json.loads(line)["added"] for line in lines if line.endswith("\n")]
