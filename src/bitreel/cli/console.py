"""What every verb shares: where it prints, how it shows progress, how it ends on an error."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.table import Column
from rich.text import Text

from bitreel.progress import Pace, Progress, Step, in_words, silent

SECONDS_BETWEEN_LINES = 10.0

# Progress and errors go elsewhere than answers, so that --json leaves standard output to JSON. The
# name of a file is not markup: "x[/b].mp4" is to be printed, not obeyed.
out = Console(markup=False, emoji=False)
err = Console(markup=False, emoji=False, stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON and nothing else.")]


def print_json(value: Any, *, in_one_line: bool = False) -> None:
    """One JSON document on standard output. in_one_line: where others follow it."""
    indent = None if in_one_line else 2
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # a file name that is no text, or a terminal of few letters
        text = json.dumps(value, indent=indent)
    typer.echo(text)


def warn(heading: str, rest: str) -> None:
    """A line on standard error whose first words stand out."""
    err.print(Text(heading, "yellow"), rest, soft_wrap=True)


def warn_of_files(heading: str, unreadable: Mapping[str, str], damaged: Mapping[str, str]) -> None:
    """A line for each file. Most reasons name it already."""
    for path, reason in unreadable.items():
        warn(heading, reason if path in reason else f"{path}: {reason}")
    for path, what in damaged.items():
        warn("Damaged", f"{path}: {what}. Its code uses what was readable.")


def is_main_process() -> bool:
    """Whether this process is the one of several (`--devices 2`, `--nodes 2`) that speaks for
    them."""
    return all(os.environ.get(rank, "0") == "0" for rank in ("LOCAL_RANK", "NODE_RANK", "RANK"))


@contextmanager
def show_progress() -> Iterator[Progress]:
    """How far long work is, on standard error: bars on a terminal, else a line now and then."""
    if not is_main_process():
        yield silent
    else:
        with _bars() if err.is_terminal else _lines() as progress:
            yield progress


@contextmanager
def _lines() -> Iterator[Progress]:
    """A line when a stage begins or ends, and every ten seconds, with the time left."""
    shown: Step | None = None
    latest: Step | None = None
    last = time.monotonic()
    pace = Pace()

    def say(step: Step, seconds_left: float | None = None) -> None:
        nonlocal shown, last
        shown, last = step, time.monotonic()
        left = "" if seconds_left is None else f" ({in_words(seconds_left)} left)"
        err.print(f"{step.stage} {step.done}/{step.total}{left} {step.note}", soft_wrap=True)

    def show(step: Step) -> None:
        nonlocal latest
        left = pace.seconds_left(step)
        begins = latest is None or latest.stage != step.stage
        if begins and latest and latest is not shown:
            say(latest)  # a stage that ended early
        latest = step
        if begins or step.done == step.total or time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            say(step, left)

    yield show
    if latest and latest is not shown:
        say(latest)


@contextmanager
def _bars() -> Iterator[Progress]:
    """A bar for each stage that reports, with the time left."""
    fixed, rest = Column(no_wrap=True), Column(ratio=1, no_wrap=True, overflow="ellipsis")
    columns = (
        TextColumn("{task.description:>8}", table_column=fixed),
        BarColumn(bar_width=12, table_column=Column(min_width=12)),
        MofNCompleteColumn(table_column=Column(no_wrap=True, min_width=7)),
        TimeRemainingColumn(elapsed_when_finished=True, table_column=Column(min_width=7)),
        TextColumn("{task.fields[note]}", style="dim", markup=False, table_column=rest),
    )
    with Bars(*columns, console=err, expand=True) as bars:
        tasks: dict[str, Any] = {}

        def show(step: Step) -> None:
            if step.stage not in tasks:
                tasks[step.stage] = bars.add_task(step.stage, total=step.total, note="")
            # A stage that ends early (early stopping, another round) shows what was true last.
            bars.update(tasks[step.stage], completed=step.done, total=step.total, note=step.note)

        yield show
