"""What the package says of itself: its names, its version, nothing of the machine it grew on."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from importlib import import_module, metadata
from pathlib import Path

import pytest

import bitreel
from bitreel.version import __version__

ROOT = Path(__file__).parents[2]


def test_the_version_is_that_of_the_newest_entry_of_the_changelog() -> None:
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings
    assert headings[0] == __version__ == bitreel.__version__


def test_the_installed_version_is_that_of_the_code() -> None:
    assert metadata.version("bitreel") == __version__


def test_all_names_what_can_be_imported_and_nothing_else() -> None:
    assert bitreel.__all__ == sorted(bitreel.__all__)
    assert dir(bitreel) == bitreel.__all__
    assert set(bitreel.__all__) == {*bitreel._HOMES, "__version__"}
    for name, home in bitreel._HOMES.items():
        assert getattr(bitreel, name) is getattr(import_module(f"bitreel.{home}"), name)
    with pytest.raises(AttributeError, match="no attribute 'Libary'"):
        bitreel.Libary  # noqa: B018


def test_type_checkers_see_the_names_that_python_finds() -> None:
    """The names load when they are used; what a type checker reads stands apart."""
    tree = ast.parse(Path(str(bitreel.__file__)).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {
        alias.name: str(node.module).removeprefix("bitreel.")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == bitreel._HOMES


def tracked_files() -> list[Path]:
    if not shutil.which("git"):
        pytest.skip("there is no git here to list the tracked files")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no git checkout, so there is no list of tracked files")
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_no_tracked_file_names_a_path_of_the_machine_it_was_made_on() -> None:
    # Put together here, so that this file does not find itself.
    needles = ["/work" + "/", "file:" + "//", "/home" + "/", "/root" + "/"]
    found: list[str] = []
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):  # no text; deleted and not committed yet
            continue
        found += [f"{path.relative_to(ROOT)}: {needle}" for needle in needles if needle in text]
    assert found == []
