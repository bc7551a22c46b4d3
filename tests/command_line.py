"""Run `bitreel …` as a person would: in this process for speed, or as a process of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import sysconfig
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import typer
from typer.main import get_command

from bitreel.cli import main
from bitreel.cli.app import app
from tiny import BACKBONE

SCRIPT = Path(sysconfig.get_path("scripts")) / "bitreel"
TINY = ("--backbone", BACKBONE, "--weights", "none", "--frames", 4, "--size", 64)


@dataclass(frozen=True)
class Ran:
    """How a command ended. No command may end in a traceback."""

    code: int
    out: str
    err: str

    def __post_init__(self) -> None:
        assert "Traceback" not in self.out + self.err, self.err

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON document and nothing else."""
        assert self.code == 0, self.err
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """What a command that failed says last: why, and what to do."""
        assert self.code == 1, f"ended with {self.code}:\n{self.out}{self.err}"
        assert not self.out
        _, begins, sentence = f"\n{self.err}".rpartition("\nError: ")
        assert begins, self.err
        return sentence.rstrip("\n")


def bitreel(*words: object) -> Ran:
    """`bitreel WORDS…`, through the entry point, in this process."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
    code = 0
    with (
        patch.object(sys, "argv", ["bitreel", *map(str, words)]),
        redirect_stdout(streams[0]),
        redirect_stderr(streams[1]),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    return Ran(code, *(_text(stream) for stream in streams))


def bitreel_process(
    *words: object, folder: Path | None = None, environment: dict[str, str] | None = None
) -> Ran:
    """`bitreel WORDS…`, the installed script, in a process of its own."""
    command = [str(SCRIPT), *map(str, words)]
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | (environment or {}),
        capture_output=True,
        timeout=600,
        text=True,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Trained:
    """What the command line made: models of 16 and 32 bits, and a library of the database part."""

    manifest: Path
    models: Path
    cache: Path
    library: Path
    answer: Any  # of `bitreel train --json`

    @property
    def model(self) -> Path:
        """The library's, of 16 bits."""
        return self.models / "16"

    @property
    def query(self) -> Path:
        """A video that is not in the library."""
        return self.manifest.parent / "striped-disc-left" / "scene0005.mp4"


def train_and_index(manifest: Path, folder: Path) -> Trained:
    """The first half of the road, with two tiny models."""
    models, cache, library = (folder / name for name in ("models", "cache", "library"))
    options = ("--output", models, "--bits", "32,16", *TINY, "--cache", cache)
    answer = bitreel("train", manifest, *options, "--json").json
    model = ("--model", models / "16")
    assert bitreel("index", library, manifest, "--split", "database", *model).code == 0
    return Trained(manifest, models, cache, library, answer)


def check_words(words: list[str]) -> None:
    """Parse `bitreel WORDS…` and run nothing.

    Raises a usage error of Typer's for a verb, an option or an argument that is not there.
    """
    group = get_command(app)
    with redirect_stdout(io.StringIO()), suppress(typer.Exit):  # --help and --version end here
        if not words or words[0].startswith("-"):
            group.make_context("bitreel", list(words))
            return
        context = group.make_context("bitreel", ["doctor"])
        name, verb, rest = group.resolve_command(context, list(words))  # type: ignore[attr-defined]
        verb.make_context(name, rest, parent=context)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    raw = stream.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode("utf-8")
