"""Help that teaches: an example for every verb, a word on every option, and no wait for torch."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from bitreel.cli.app import app
from bitreel.version import __version__
from command_line import bitreel, check_words


def verbs_of(group: Any, *words: str) -> dict[str, Any]:
    """Those of a group too, by their words."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        inner = hasattr(command, "commands")
        path = (*words, name)
        found |= verbs_of(command, *path) if inner else {" ".join(path): command}
    return found


VERBS = verbs_of(get_command(app))
CODES = Path(__file__).parents[3] / "shared" / "data" / "csq" / "ucf101_64bit.npz"

WITHOUT_TORCH = """
import sys
sys.argv = ["bitreel", *sys.argv[1:]]
from bitreel.cli import main
try:
    main()
except SystemExit as end:
    code = end.code or 0
print("imported:", *sorted({"torch", "timm", "torchvision"} & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


def test_the_verbs_are_those_of_the_road() -> None:
    road = "train tune ablate evaluate quantise index search serve status index-report export "
    road += "import migrate"
    assert list(VERBS) == [*road.split(), "demo", "doctor", "store verify"]
    answer = CliRunner().invoke(app, ["--help"])
    assert answer.exit_code == 0
    assert all(verb in answer.output for verb in road)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_shows_an_example_that_parses(verb: str) -> None:
    words = verb.split()
    answer = CliRunner().invoke(app, [*words, "--help"])
    assert answer.exit_code == 0
    assert f"Example: bitreel {verb} " in answer.output + " "
    assert CliRunner().invoke(app, [*words, "-h"]).output == answer.output
    examples = re.findall(r"Example: `bitreel (.+?)`", VERBS[verb].help)
    assert examples
    for example in examples:
        check_words(example.split())


def test_the_examples_of_the_first_page_parse() -> None:
    examples = re.findall(r"`bitreel (.+?)`", get_command(app).help or "")
    assert len(examples) > 4
    for example in examples:
        check_words(example.split())


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_has_a_word_of_help_and_every_verb_speaks_json(verb: str) -> None:
    for parameter in VERBS[verb].params:
        assert parameter.help, f"{verb} {parameter.name} has no help"
    assert "json" in [parameter.name for parameter in VERBS[verb].params]


def test_no_words_show_the_help() -> None:
    answer = CliRunner().invoke(app, [])
    assert "bitreel train actions/ --output model" in answer.output


def test_the_version() -> None:
    assert bitreel("--version").out == f"bitreel {__version__}\n"


def imported(*words: object) -> str:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["--version"]])
def test_help_does_not_wait_for_torch(words: list[str]) -> None:
    assert imported(*words) == "imported:"


def test_an_evaluation_of_given_codes_does_not_wait_for_torch() -> None:
    if not CODES.is_file():
        pytest.skip(f"the published codes are not there: {CODES}")
    assert imported("evaluate", "--codes", CODES) == "imported:"


def test_what_reads_codes_of_a_library_does_not_wait_for_torch(tmp_path: Path) -> None:
    from bitreel.library import Library
    from tiny import tiny_model

    Library.create(tmp_path / "library", tiny_model()).close()
    library, file = tmp_path / "library", tmp_path / "codes.npz"
    for words in (("status", library), ("export", library, file), ("import", library, file)):
        assert imported(*words) == "imported:"


def test_the_package_itself_does_not_wait_for_torch() -> None:
    code = "import sys, bitreel; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
