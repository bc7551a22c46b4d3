"""`bitreel doctor`"""

from __future__ import annotations

from dataclasses import asdict

import typer

from bitreel.cli.console import Json, out, print_json

MARKS = {"ok": "[green]ok  [/]", "note": "[yellow]note[/]", "bad": "[red]bad [/]"}


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
            out.print(f"{MARKS[check.state]} {check.name:12} {check.finding}.{advice}")
    if any(check.state == "bad" for check in checks):
        raise typer.Exit(1)
