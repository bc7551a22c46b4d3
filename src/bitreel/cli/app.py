"""The command line: one verb a file, put together here."""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer
from rich.text import Text

from bitreel.cli.ablate import ablate
from bitreel.cli.console import err
from bitreel.cli.demo import demo
from bitreel.cli.doctor import doctor
from bitreel.cli.evaluate import evaluate
from bitreel.cli.export import export
from bitreel.cli.import_codes import import_codes
from bitreel.cli.index import index
from bitreel.cli.index_report import index_report
from bitreel.cli.migrate import migrate
from bitreel.cli.quantise import quantise
from bitreel.cli.search import search
from bitreel.cli.serve import serve
from bitreel.cli.status import status
from bitreel.cli.store import store
from bitreel.cli.train import train
from bitreel.cli.tune import tune
from bitreel.errors import BitreelError
from bitreel.version import __version__

STOPPED = 130  # what Typer makes of Ctrl-C, without a word

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
VERBS = (
    train,
    tune,
    ablate,
    evaluate,
    quantise,
    index,
    search,
    serve,
    status,
    index_report,
    export,
    import_codes,
    migrate,
    demo,
    doctor,
)
for verb in VERBS:
    app.command("import" if verb is import_codes else None)(verb)  # Python's own word


app.add_typer(store, name="store")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bitreel {__version__}")
        raise typer.Exit


@app.callback()
def bitreel(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Find video clips that show the same action.

    bitreel learns to turn a clip into a short binary code and answers "what looks like this?" by
    XOR and popcount. From labelled clips to a ranked answer:

    - `bitreel train actions/ --output model`   learn from a folder for each action

    - `bitreel evaluate model actions/`         how good is it? mAP@10 on clips it never saw

    - `bitreel index library videos/ --model model`   give every video its code

    - `bitreel search library query.mp4`        the most similar clips first

    `bitreel demo` does all of it on clips that it draws itself. `bitreel doctor` checks the
    machine.
    """


def main() -> None:
    """Run the command line. A known error is one sentence on standard error and exit code 1."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # to print the names of files that are no text
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app()
    except BitreelError as error:
        err.print(Text("Error:", "bold red"), str(error), soft_wrap=True, highlight=False)
        sys.exit(1)
    except OSError as error:  # a name too long for the disk, a disk that is full
        err.print(Text("Error:", "bold red"), str(error), soft_wrap=True, highlight=False)
        sys.exit(1)
    except SystemExit as end:
        if end.code == STOPPED:
            err.print("Stopped. What was done is kept: run the same command again to go on.")
        raise
