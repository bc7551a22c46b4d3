"""What the README and the pages say works: their Python runs, their commands parse and run."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitreel.codes import BinaryCodes
from bitreel.dataset.synthetic import make_actions
from bitreel.evaluation import CodeFile
from command_line import bitreel, check_words
from live_server import live_server

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
README = PAGES[0]
SERVED_AT = "http://127.0.0.1:8000"  # a page says the default; tests take what is free
MEASURED_ON = "actions16/"  # data of the figures, which a reader does not have
SHELLS = {"console", "bash", "sh", "shell"}

FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:\$ )?(?:[A-Z_]+=\S* )*((?:bitreel|make)\b.*)")
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    def commands(self) -> Iterator[list[str]]:
        """Its `bitreel …` and `make …` as words, without prompts, comments and settings in front.
        What else stands there, such as what a command prints, is left alone."""
        for line in self.text.replace("\\\n", " ").splitlines():
            if found := COMMAND.fullmatch(line):
                yield shlex.split(found[1], comments=True)


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text[: found.start()].count("\n") + 1, found[1], found[2])
        for found in FENCE.finditer(text)
    ]


BLOCKS = [block for page in PAGES for block in blocks(page)]
SHELL_BLOCKS = [block for block in BLOCKS if block.language in SHELLS]
PROSE = {page: FENCE.sub("", page.read_text(encoding="utf-8")) for page in PAGES}
SPANS = [(page, span) for page, text in PROSE.items() for span in INLINE.findall(text)]


def test_the_pages_have_what_these_tests_look_for() -> None:
    """A convention that nobody follows would make every test here pass."""
    assert [block for block in blocks(README) if block.language == "python"]
    commands = [words for block in SHELL_BLOCKS for words in block.commands()]
    verbs = {words[1] for words in commands if words[0] == "bitreel"}
    assert {"train", "evaluate", "index", "search"} <= verbs
    assert {"demo", "test"} <= {words[1] for words in commands if words[0] == "make"}


@pytest.mark.parametrize("block", SHELL_BLOCKS, ids=str)
def test_every_command_parses(block: Block) -> None:
    for words in block.commands():
        if words[0] == "bitreel":
            check_words(words[1:])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_in_a_sentence_has_a_verb_and_options_that_exist(page: Path) -> None:
    for place, span in SPANS:
        if place == page and span.startswith("bitreel "):
            try:
                check_words(shlex.split(span)[1:])
            except Exception as error:  # a sentence may leave the arguments out
                if type(error).__name__ != "MissingParameter":
                    raise


def test_every_target_of_make_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    texts = [block.text for block in SHELL_BLOCKS] + [span for _, span in SPANS]
    asked = {target for text in texts for target in re.findall(r"\bmake ([a-z][\w-]*)", text)}
    assert asked
    assert asked <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" not in link:
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the README speaks of: actions/CLASS/*.mp4, videos/*.mp4, query.mp4, codes."""
    folder = tmp_path_factory.mktemp("readme")
    bits = np.random.default_rng(0).random((60, 64)) < 0.5
    codes, labels = BinaryCodes.from_bits(bits), np.arange(60) % 4
    file = CodeFile(codes[:20], labels[:20], codes[20:], labels[20:])
    file.save(folder / "ucf101_64bit.npz")
    made = make_actions(folder / "made", clips_per_class=6, frames=8, size=(96, 128)).parent
    for label in ("striped-disc-left", "dotted-heart-rot_ccw"):
        (folder / "actions").mkdir(exist_ok=True)
        (made / label).rename(folder / "actions" / label)
    (folder / "videos").mkdir()
    left = sorted(made.glob("*/*.mp4"))
    for number, clip in enumerate(left[1:60:12]):
        clip.rename(folder / "videos" / f"video{number}.mp4")
    left[0].rename(folder / "query.mp4")
    shutil.rmtree(made)
    return folder


@pytest.fixture
def readers_folder(videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own copy of those files to stand in, and a cache that is not this user's."""
    shutil.copytree(videos, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(videos / "cache"))
    return tmp_path


def export_a_library(folder: Path) -> None:
    """What the commands at the top of the page on exports leave."""
    from bitreel import Library
    from tiny import tiny_model

    with Library.create(folder / "library", tiny_model()) as library:
        library.add([folder / "query.mp4", *sorted((folder / "videos").iterdir())])
        for suffix in ("npz", "parquet", "faiss"):
            library.export(folder / f"codes.{suffix}")


@contextmanager
def served_where(wanted: bool, folder: Path) -> Iterator[str]:
    """The address of the library in `folder`, served on a port that was free."""
    if not wanted:
        yield SERVED_AT
        return
    with live_server(folder / "library", folders=(folder / "videos",)) as address:
        yield address


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_python_of_a_page_runs(
    page: Path, readers_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Block after block in one namespace, truly: with the default network and its weights."""
    python = [block for block in blocks(page) if block.language == "python"]
    if page.name in ("exchange.md", "page.md", "server.md"):
        export_a_library(readers_folder)
    names: dict[str, Any] = {"__name__": "__main__"}
    with served_where(page.name == "server.md", readers_folder) as address:
        for block in python:
            code = block.text.replace(SERVED_AT, address)
            exec(compile(code, str(block), "exec"), names)
    if page == README:
        assert "Hit(rank=1, " in capsys.readouterr().out
        assert (readers_folder / "model" / "model.json").is_file()


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl here")
def test_the_requests_of_the_page_on_the_server_are_answered(readers_folder: Path) -> None:
    export_a_library(readers_folder)
    page = next(page for page in PAGES if page.name == "server.md")
    lines = [line for block in blocks(page) for line in block.text.splitlines()]
    asked = [line for line in lines if line.startswith("curl ")]
    assert len(asked) > 5
    with served_where(True, readers_folder) as address:
        for line in asked:
            words = shlex.split(line.replace(SERVED_AT, address))
            ended = subprocess.run([*words, "--fail-with-body"], capture_output=True, check=False)
            assert ended.returncode == 0, f"{line}\n{ended.stdout.decode()}"
    assert (readers_folder / "preview.mp4").stat().st_size > 1000


@pytest.mark.slow
def test_the_commands_of_the_readme_run_one_after_the_other(readers_folder: Path) -> None:
    run: list[str] = []
    for block in blocks(README):
        for words in block.commands() if block.language in SHELLS else ():
            if words[0] == "bitreel" and MEASURED_ON not in words:
                ended = bitreel(*words[1:])
                assert ended.code == 0, f"{block}: {shlex.join(words)}\n{ended.err}"
                run.append(words[1])
    assert run[:4] == ["train", "evaluate", "index", "search"]


def test_the_five_lines_of_the_package_are_those_of_the_readme() -> None:
    import bitreel as package

    first = next(block for block in blocks(README) if block.language == "python")
    lines = [line for line in first.text.splitlines() if line and not line.startswith("import ")]
    said = (package.__doc__ or "").splitlines()
    for line in lines[:3]:
        assert line in said
