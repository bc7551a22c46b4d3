"""`bitreel status`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from bitreel.cli.console import Json, out, print_json
from bitreel.cli.data_options import Place
from bitreel.library.records import Entry, Fate

if TYPE_CHECKING:
    from bitreel.library import Status


def status(
    library: Place,
    ledger: Annotated[
        bool, typer.Option("--ledger", help="A line for every file: what became of it, and why.")
    ] = False,
    json: Json = False,
) -> None:
    """What a library holds: videos, labels, model, and the files that could not be read.

    Example: `bitreel status library`
    """
    from bitreel.library import Library

    with Library.open(library) as opened:
        facts = opened.status()
        entries = opened.ledger(None if ledger else Fate.QUARANTINED)
    bad = {str(e.path): e.reason or "" for e in entries if e.fate is Fate.QUARANTINED}
    if json:
        lines = [_plain(entry) for entry in entries]
        print_json(facts.to_json() | {"failures": bad} | ({"ledger": lines} if ledger else {}))
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
    if facts.skipped:
        out.print(f"{facts.skipped} files were skipped.")
    _print_models(facts)
    for entry in entries:
        _print(entry)
    if bad:
        out.print(f"`bitreel index {facts.folder} FOLDER --retry` tries them again as they are.")


def _print_models(facts: Status) -> None:
    if facts.migration is not None:
        way = facts.migration
        out.print(
            f"On the way to the model {way.model_fingerprint[:12]} ({way.bits} bits): {way.done} "
            f"of {way.total} videos are encoded. `bitreel migrate {facts.folder}` goes on.",
            soft_wrap=True,
        )
    if facts.kept_model is not None:
        kept = facts.kept_model
        told = (
            f"was rolled back, and is kept: `bitreel migrate {facts.folder} --model MODEL` with "
            f"that model takes it up again"
            if kept.rolled_back
            else f"is kept: `bitreel migrate {facts.folder} --rollback` goes back to it"
        )
        out.print(
            f"The model {kept.model_fingerprint[:12]} ({kept.bits} bits, {kept.videos} videos) "
            f"{told}.",
            soft_wrap=True,
        )


def _print(entry: Entry) -> None:
    heading = Text(str(entry.fate).capitalize(), "green" if entry.reason is None else "yellow")
    reason = entry.reason or (entry.damage and f"damaged: {entry.damage}")
    path = str(entry.path)
    told = path if reason is None else reason if path in reason else f"{path}: {reason}"
    out.print(heading, told, soft_wrap=True)


def _plain(entry: Entry) -> dict[str, Any]:
    """As plain JSON values."""
    return {
        "path": str(entry.path),
        "fate": str(entry.fate),
        "label": entry.label,
        "reason": entry.reason,
        "damage": entry.damage,
        "size_bytes": entry.state.size_bytes,
    }
