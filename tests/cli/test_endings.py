"""How the command line ends: a sentence and 1, Ctrl-C and 130, a wrong word and 2."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from bitreel.errors import BitreelError, DataError
from command_line import SCRIPT, TINY, bitreel, bitreel_process


def raise_in_status(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("bitreel.library.Library.open", fail)


@pytest.mark.parametrize("kind", [BitreelError, DataError])
def test_a_known_error_is_its_own_sentence(
    kind: type[BitreelError], monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_in_status(kind("The [bold]library[/] x: is gone. Copy it anew."), monkeypatch)
    for words in (["status", "x"], ["status", "x", "--json"], ["search", "x", "y"]):
        ran = bitreel(*words)
        assert ran.code == 1
        assert ran.out == ""
        assert ran.err == "Error: The [bold]library[/] x: is gone. Copy it anew.\n"


def test_a_long_sentence_stays_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    raise_in_status(BitreelError("word " * 100 + "end."), monkeypatch)
    assert len(bitreel("status", "x").err.splitlines()) == 1


def test_an_unknown_error_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug of ours is to be seen as one."""
    raise_in_status(ZeroDivisionError("a bug"), monkeypatch)
    with pytest.raises(ZeroDivisionError):
        bitreel("status", "x")


def test_ctrl_c_says_that_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    raise_in_status(KeyboardInterrupt(), monkeypatch)
    ran = bitreel("status", "x")
    assert ran.code == 130
    assert "run the same command again to go on" in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    "words", [["serch"], ["search"], ["search", "a", "b", "c"], ["status", "x", "--loud"]], ids=str
)
def test_words_that_do_not_parse_end_with_2(words: list[str]) -> None:
    ran = bitreel(*words)
    assert ran.code == 2
    assert ran.out == ""
    assert "Try 'bitreel" in ran.err


def test_the_installed_script(tmp_path: Path) -> None:
    assert bitreel_process("--version").out.startswith("bitreel ")
    assert "There is no library" in bitreel_process("status", tmp_path).error


def test_a_terminal_of_few_letters(tmp_path: Path) -> None:
    """Nothing that is printed needs more than the terminal has."""
    name = "\u6620\u50cf.npz"
    latin = {"PYTHONIOENCODING": "latin-1"}
    ran = bitreel_process("evaluate", "--codes", name, folder=tmp_path, environment=latin)
    assert ran.code == 1
    assert "is not there" in ran.err
    ran = bitreel_process("train", "--help", environment=latin)
    assert ran.code == 0


def test_a_reader_that_goes_away(tmp_path: Path) -> None:
    """`bitreel … | head -1`"""
    process = subprocess.Popen(
        [SCRIPT, "train", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    _, complaint = process.communicate(timeout=60)
    assert b"Traceback" not in complaint


def test_a_real_ctrl_c_during_a_run(actions: Path, tmp_path: Path) -> None:
    """The terminal sends it while videos are decoded by threads."""
    words = ["train", actions, "--output", tmp_path / "model", "--cache", tmp_path / "cache"]
    process = subprocess.Popen(
        [
            str(SCRIPT),
            *map(
                str, [*words, *TINY, "--loss", "ortho", "--epochs", 100_000, "--patience", 100_000]
            ),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    begun = tmp_path / "model.partial" / "training.safetensors"
    for _ in range(600):
        if begun.exists():
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "Stopped." in said.splitlines()[-1]
