"""`bitreel store`"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from bitreel.cli.console import Json, err, out, print_json, show_progress
from bitreel.errors import ConfigError

if TYPE_CHECKING:
    from bitreel.library.store.store import Store
    from bitreel.library.store.verifying import Check

store = typer.Typer(no_args_is_help=True, help="What keeps the codes of libraries.")


@store.callback()
def _store() -> None:
    """What keeps the codes of libraries."""


@store.command()
def verify(
    address: Annotated[
        str,
        typer.Argument(
            help="An address in Milvus, http://HOST:19530/NAME or milvus:FILE.db.",
            show_default=False,
        ),
    ],
    segments: Annotated[
        int, typer.Option(min=400, help="Segments to fill it with, in videos of four.")
    ] = 20_000,
    bits: Annotated[int, typer.Option(min=8, max=4096, help="Of a code.")] = 256,
    seed: Annotated[int, typer.Option(help="Other seeds make other codes.")] = 0,
    json: Json = False,
) -> None:
    """Whether a server answers as bitreel's own store does.

    The same made segments go into both: an empty store beside the library of that name, which is
    deleted again, and one in a folder. Then both are asked the same: the nearest, all within a
    radius, by filters, more than there are, after several writers at once, deletions and rewriting.
    Ends with 1 where one answer differs.

    Example: `bitreel store verify http://127.0.0.1:19530/clips`
    """
    from bitreel.library.store.address import parse_address

    checks = _checks(address, segments, bits, seed, json=json)
    wrong = sum(check.wrong is not None for check in checks)
    if json:
        print_json(
            {
                "address": str(parse_address(address)),
                "segments": segments,
                "bits": bits,
                "wrong": wrong,
                "checks": [{"name": check.name, "wrong": check.wrong} for check in checks],
            }
        )
    else:
        out.print(
            f"{len(checks) - wrong} of {len(checks)} answers are those of the embedded store."
        )
    if wrong:
        raise typer.Exit(1)


def _checks(address: str, segments: int, bits: int, seed: int, *, json: bool) -> list[Check]:
    from bitreel.library.store.verifying import verify as verified

    checks = []
    with ExitStack() as stack:
        scratch = _scratch(address, bits, stack)
        progress = stack.enter_context(show_progress())
        for check in verified(scratch, segments=segments, seed=seed, progress=progress):
            checks.append(check)
            if not json:
                told = "same" if check.wrong is None else f"DIFFERS ({check.wrong})"
                err.print(f"{told}: {check.name}", soft_wrap=True, highlight=False)
    return checks


def _scratch(address: str, bits: int, stack: ExitStack) -> Store:
    from bitreel.library.store.address import is_address, parse_address
    from bitreel.library.store.milvus_store import scratch_store

    if not is_address(address):
        raise ConfigError(
            "This is no address in Milvus: write http://HOST:19530/NAME or milvus:FILE.db."
        )
    return stack.enter_context(scratch_store(parse_address(address), bits))
