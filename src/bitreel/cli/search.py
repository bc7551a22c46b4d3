"""`bitreel search`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from bitreel.cli.console import Json, err, out, print_json, warn
from bitreel.cli.data_options import Place
from bitreel.cli.explanation import print_explanation, to_json
from bitreel.errors import ConfigError
from bitreel.library.records import resolved

if TYPE_CHECKING:
    from bitreel.insight.explanation import Explanation
    from bitreel.library import Library, SearchResults


Recall = Annotated[
    float,
    typer.Option(
        min=0.01,
        max=1.0,
        help="Share of the nearest that must be found. 1.0 is exact; less lets an index that "
        "`bitreel index-report` planned for it leave some out, and answers sooner.",
    ),
]


def search(
    library: Place,
    video: Annotated[Path, typer.Argument(help="The video to compare.", show_default=False)],
    k: Annotated[int, typer.Option("-k", "--top", min=1, help="Hits to show.")] = 10,
    start: Annotated[
        float,
        typer.Option(min=0, metavar="SECONDS", help="Take the query from here, in seconds."),
    ] = 0.0,
    end: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Take the query up to here, in seconds."),
    ] = None,
    exclude_self: Annotated[
        bool, typer.Option("--exclude-self", help="Leave the query's own file out of the hits.")
    ] = False,
    rerank: Annotated[
        bool,
        typer.Option(
            "--rerank",
            help="Order the nearest by how sure each bit of the query is: better answers from the "
            "same codes.",
        ),
    ] = False,
    recall: Recall = 1.0,
    label: Annotated[
        str | None, typer.Option(help="Answer only videos with this label.", show_default=False)
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Answer only videos below this folder.", show_default=False)
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            help="Answer only videos with this in their path, in any case.", show_default=False
        ),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Write a contact sheet: the query's frames over those of the hits."),
    ] = None,
    explain: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="RANK",
            help="Say why the hit of this rank was found: bits that agree, how often clips that "
            "far apart share the label, the frames that weigh most.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """The most similar places in the videos of a library, nearest first.

    The distance is the number of bits in which two codes differ. Segments that follow each other
    and are about as near are one hit. A query longer than a window and a half is compared segment
    by segment, and the distance is the mean over its segments.

    Example: `bitreel search library query.mp4 --start 3 --end 6 -k 5 --sheet hits.png`

    Example: `bitreel search library query.mp4 --label jump --folder videos/2024`

    Example: `bitreel search library query.mp4 --explain 1`
    """
    from bitreel.library import Library, VideoFilter

    wanted = VideoFilter(text, label, folder and resolved(folder))
    with Library.open(library) as opened:
        results = opened.search(
            video,
            k=k,
            start_seconds=start,
            end_seconds=end,
            exclude_self=exclude_self,
            rerank=rerank,
            recall=recall,
            wanted=wanted,
        )
        bits = opened.bits
        explanation = None if explain is None else _explain(opened, video, results, explain)
    if json:
        why = {} if explanation is None else {"explanation": to_json(explanation)}
        print_json(_answer(results) | why)
    else:
        _print(results, bits, chosen=wanted != VideoFilter())
        if explain is not None and explanation is not None:
            print_explanation(explanation, explain)
    if sheet is not None:
        from bitreel.insight.contact_sheet import write_contact_sheet

        write_contact_sheet(results, sheet)
        err.print(f"Contact sheet: {sheet}", soft_wrap=True)


def _explain(
    library: Library, video: Path, results: SearchResults, rank: int
) -> Explanation | None:
    if not results.hits:
        return None  # which is said already
    if rank > len(results.hits):
        raise ConfigError(
            f"There is no hit {rank} to explain, the search has {len(results.hits)}: name one of "
            f"them, or ask for more with --top."
        )
    from bitreel.insight.explanation import Explainer

    return Explainer(library).explain(
        video,
        results.hits[rank - 1],
        start_seconds=results.start_seconds,
        end_seconds=results.end_seconds,
    )


def _answer(results: SearchResults) -> dict[str, Any]:
    hits = [
        {
            "path": str(hit.path),
            "start_seconds": hit.start_seconds,
            "end_seconds": hit.end_seconds,
            "distance_bits": hit.distance_bits,
            "asymmetric_bits": hit.asymmetric_bits,
            "similarity": hit.similarity,
            "label": hit.label,
        }
        for hit in results.hits
    ]
    return {
        "query": str(results.query),
        "start_seconds": results.start_seconds,
        "end_seconds": results.end_seconds,
        "query_segments": results.query_segments,
        "damage": results.damage,
        "hits": hits,
    }


def _print(results: SearchResults, bits: int, *, chosen: bool) -> None:
    if results.damage:
        warn("The query is damaged:", f"{results.damage}.")
    if not results.hits:
        if chosen:
            out.print("No other video of the library fits --label, --folder and --text together.")
        else:
            out.print("The library holds no other videos yet: add some with `bitreel index`.")
        return
    reranked = results.hits[0].asymmetric_bits is not None
    heading = f"{'re-ranked distance' if reranked else 'distance'}\n(of {bits} bits)"
    table = Table("", heading, "label", "seconds")
    table.add_column("video", overflow="fold")
    for rank, hit in enumerate(results.hits, start=1):
        span = f"{hit.start_seconds:.1f}–{hit.end_seconds:.1f}"
        asymmetric = hit.asymmetric_bits
        distance = str(hit.distance_bits) if asymmetric is None else f"{asymmetric:.1f}"
        table.add_row(str(rank), distance, hit.label or "", span, str(hit.path))
    out.print(table)
