"""`bitreel doctor`"""

from __future__ import annotations

from dataclasses import asdict

import typer
from rich.text import Text

from bitreel.cli.console import Json, out, print_json

COLOURS = {"ok": "green", "note": "yellow", "bad": "red"}


def doctor(json: Json = False) -> None:
    """Check the machine and the installation. Exit code 1 if something has to be mended.

    Example: `bitreel doctor`
    """
    from bitreel.insight.doctor import examine

    checks = list(examine())
    if json:
        print_json([asdict(check) for check in checks])
    else:
        for check in checks:
            advice = f"  {check.advice}" if check.advice else ""
            mark = Text(f"{check.state:4}", COLOURS[check.state])
            out.print(mark, f"{check.name:12} {check.finding}.{advice}", soft_wrap=True)
    if any(check.state == "bad" for check in checks):
        raise typer.Exit(1)
