"""The page of a search: HTML that needs nothing but itself, figures and all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from statistics import stdev
from typing import Any

from bitreel.insight.plots import as_svg
from bitreel.insight.tuning_figures import (
    curve_figure,
    front_figure,
    importance_figure,
    slices_figure,
    surface_figure,
)
from bitreel.training.search_space import Range
from bitreel.training.tuning import Finalist, Tuning, options_file

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1f24; background: #fff; margin: 2rem auto;
  max-width: 62rem; padding: 0 1.2rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem; }
p { max-width: 46rem; } .dim { color: #59616b; font-size: .9rem; }
.verdict { border-left: 4px solid #0072b2; padding: .2rem 0 .2rem 1rem; font-size: 1.1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid #e5e7eb; }
th { font-weight: 600; } th:first-child, td:first-child, td.text { text-align: left; }
tr.chosen td { background: #eaf4fb; font-weight: 600; }
svg { max-width: 100%; height: auto; } pre { background: #f6f7f9; padding: .8rem; }
"""


def page(tuning: Tuning) -> str:
    """The whole page."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">'
        f"<title>bitreel tune: {escape(tuning.dataset)}</title><style>{STYLE}</style></head>\n"
        f"<body>{''.join(_parts(tuning))}</body></html>\n"
    )


def verdict(tuning: Tuning, width: int) -> str:
    """What the fresh seeds say of one width, in a sentence that claims no more than they do."""
    chosen, default = tuning.chosen(width), tuning.default(width)
    what = f"{width} bits: "
    if chosen.difference is None:
        return (
            f"{what}no point of the search beats the defaults ({default.mean:.3f}) on fresh seeds, "
            f"so the defaults are kept."
        )
    interval = chosen.difference.interval
    figures = (
        f"{chosen.mean:.3f} against {default.mean:.3f}, difference {chosen.difference.mean:+.3f} "
        f"({100 * interval.level:.3g} % interval {interval.low:+.3f} to {interval.high:+.3f}, "
        f"{chosen.difference.seeds} fresh seeds)"
    )
    if chosen.difference.is_within_the_spread:
        return (
            f"{what}the best point's difference to the defaults is within the spread of seeds: "
            f"{figures}. It may be no better."
        )
    return f"{what}the best point beats the defaults: {figures}."


def _parts(tuning: Tuning) -> Iterator[str]:
    asked, pruned = tuning.options, sum(tried.pruned for tried in tuning.tried)
    yield f"<h1>Options for {escape(tuning.dataset)}</h1>"
    for width in sorted(tuning.finalists):
        yield f'<p class="verdict">{escape(verdict(tuning, width))}</p>'
    yield (
        f'<p class="dim">{len(tuning.tried)} points over {tuning.clips} clips, loss '
        f"{escape(tuning.space.base.loss)}, {asked.seeds} seeds each; {pruned} were given up "
        f"when their mean fell below the median. A seed stands for a split of the database part by "
        f"whole groups and for the start of a training. Scores are mAP@10 (÷k, expected over ties) "
        f"of the groups held out, with the epoch chosen on these too, so they are higher than on "
        f"clips that played no part. The query part was not touched.</p>"
    )
    yield "<h2>The best points, on fresh seeds</h2>"
    yield _table(tuning)
    yield (
        '<p class="dim">The search and the fresh seeds have other splits: compare within a column. '
        "± is the standard deviation over seeds, most of which all rows share; the interval is of "
        "the difference to the defaults, split by split, widened for splits that share clips and "
        "for the number of points compared.</p>"
    )
    options = json.dumps(options_file(tuning.best.config, tuning.space), indent=2)
    yield f"<pre>{escape(options)}</pre>"
    if tuning.curve:
        yield "<h2>mAP@10 over beta/alpha</h2>"
        yield _figure(
            curve_figure(tuning),
            f"All other options as in the defaults. A thin line for each of {asked.final_seeds} "
            f"splits; their mean, and the standard deviation of what is left when each split's own "
            f"level is taken out. At the ends one term alone.",
        )
    if len(tuning.finalists) > 1:
        yield "<h2>mAP@10 over bits</h2>"
        caption = "Mean and standard deviation of the fresh seeds. The line joins the front."
        yield _figure(front_figure(tuning), caption)
    if tuning.tried:
        yield from _of_the_search(tuning)


def _of_the_search(tuning: Tuning) -> Iterator[str]:
    yield "<h2>Where the search looked</h2>"
    caption = (
        "Every point, its colour the mean over its seeds (the worst quarter in one); a cross: "
        "given up early. The ring marks the defaults."
    )
    if sum(isinstance(d, Range) for d in tuning.space.dimensions.values()) > 2:
        yield _figure(surface_figure(tuning), caption)
    caption = "Over each option, all others as they came. Grey: given up early."
    yield _figure(slices_figure(tuning), caption)
    yield "<h2>What matters</h2>"
    if tuning.importance:
        caption = "How far each option parts the best quarter of the points from all of them."
        yield _figure(importance_figure(tuning), caption)
    else:
        yield "<p>Too few points to tell what matters: try 10 or more.</p>"
    yield f"<details><summary>All points</summary>{_all_points(tuning)}</details>"


def _table(tuning: Tuning) -> str:
    names = [n for n in _names(tuning) if n != "bits"]
    heading = ["bits", "", *names, "search", "fresh seeds", "difference", "interval"]
    lines = [
        _finalist_line(tuning, width, finalist, names)
        for width, finalists in sorted(tuning.finalists.items())
        for finalist in finalists
    ]
    lines.insert(0, _line(heading, tag="th"))
    return f'<div class="scroll"><table>{"".join(lines)}</table></div>'


def _finalist_line(tuning: Tuning, width: int, finalist: Finalist, names: list[str]) -> str:
    chosen = finalist is tuning.chosen(width)
    what = "defaults" if finalist.is_default else ""
    point = tuning.space.point(finalist.config)
    cells = [str(width), f"{what}{' ' if what and chosen else ''}{'chosen' if chosen else ''}"]
    cells += [_shown(point[name]) for name in names]
    cells.append("" if finalist.searched is None else f"{finalist.searched:.3f}")
    cells.append(f"{finalist.mean:.3f} ± {stdev(finalist.scores):.3f}")
    if difference := finalist.difference:
        low, high = difference.interval.low, difference.interval.high
        cells += [f"{difference.mean:+.3f}", f"{low:+.3f} to {high:+.3f}"]
    else:
        cells += ["", ""]
    return _line(cells, kind="chosen" if chosen else "")


def _all_points(tuning: Tuning) -> str:
    names = _names(tuning)
    lines = [_line(["point", *names, "mAP@10", ""], tag="th")]
    for number, tried in enumerate(tuning.tried, start=1):
        values = [_shown(tried.point[name]) for name in names]
        pruned = "given up" if tried.pruned else ""
        lines.append(_line([str(number), *values, f"{tried.mean:.3f}", pruned]))
    return f'<div class="scroll"><table>{"".join(lines)}</table></div>'


def _names(tuning: Tuning) -> list[str]:
    """The dimensions, without those of one choice."""
    dimensions = tuning.space.dimensions
    return [n for n, d in dimensions.items() if isinstance(d, Range) or len(d.values) > 1]


def _line(cells: list[str], *, tag: str = "td", kind: str = "") -> str:
    inner = "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells)
    return f'<tr class="{kind}">{inner}</tr>' if kind else f"<tr>{inner}</tr>"


def _figure(made: Any, caption: str) -> str:
    return f'{as_svg(made)}<p class="dim">{escape(caption)}</p>'


def _shown(value: float | int | str) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
