"""`bitreel index-report`"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from bitreel.cli.console import Json, out, print_json, show_progress
from bitreel.cli.data_options import Place
from bitreel.cli.search import Recall

if TYPE_CHECKING:
    from bitreel.search import Plan


def index_report(
    library: Place,
    recall: Recall = 1.0,
    k: Annotated[int, typer.Option("-k", "--top", min=1, help="Hits that searches want.")] = 10,
    json: Json = False,
) -> None:
    """Measure which index answers soonest on a library's own codes, and take that one.

    exact compares the query with every code; mih (multi-index hashing) finds the same by looking
    up parts of the code; lsh (bit sampling) may miss some, and is tried with a --recall below 1
    only. The index is kept in the library and follows it. `bitreel index` does this by itself for
    100,000 segments and more.

    Example: `bitreel index-report library`

    Example: `bitreel index-report library --recall 0.95`
    """
    from bitreel.library import Library

    with Library.open(library) as opened, show_progress() as progress:
        plan = opened.plan_index(recall=recall, k=k, progress=progress)
    print_json(asdict(plan)) if json else _print(plan)


def _print(plan: Plan) -> None:
    if plan.measured:
        table = Table("index")
        for heading in ("ms a query", "99 %", f"recall@{plan.wish.k}", "made in s", "MB"):
            table.add_column(heading, justify="right")
        for row in plan.measured:
            table.add_row(
                row.kind,
                f"{row.milliseconds:.3f}",
                f"{row.milliseconds_p99:.3f}",
                f"{row.recall:.4f}",
                f"{row.build_seconds:.1f}",
                f"{row.megabytes:.1f}",
            )
        out.print(table)
    out.print(
        f"{plan.codes} codes, {plan.distinct} of them distinct. Taken: {plan.kind}, since "
        f"{plan.reason}.",
        soft_wrap=True,
    )
