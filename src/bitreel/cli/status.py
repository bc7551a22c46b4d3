"""`bitreel status`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from bitreel.cli.console import Json, out, print_json


def status(
    library: Annotated[Path, typer.Argument(help="The library's folder.", show_default=False)],
    json: Json = False,
) -> None:
    """What a library holds: videos, labels, model, and the files that could not be read.

    Example: `bitreel status library`
    """
    from bitreel.library import Library

    with Library.open(library) as opened:
        facts = opened.status()
        failures = {str(path): reason for path, reason in opened.failures().items()}
    if json:
        print_json(facts.to_json() | {"failures": failures})
        return
    out.print(
        f"{facts.folder}: {facts.videos} videos, {facts.segments} segments, "
        f"{facts.seconds / 60:.1f} minutes, codes of {facts.bits} bits, "
        f"{facts.bytes_on_disk / 1e6:.1f} MB, model {facts.model_fingerprint[:12]}.",
        soft_wrap=True,
    )
    if facts.damaged:
        out.print(
            f"{facts.damaged} of them are damaged in part; their codes use what was readable."
        )
    if facts.labels:
        table = Table("label", "videos")
        for label, count in sorted(facts.labels.items()):
            table.add_row(label, str(count))
        out.print(table)
    for path, reason in failures.items():
        told = reason if path in reason else f"{path}: {reason}"
        out.print(Text("Not indexed", "yellow"), told, soft_wrap=True)
