"""The figures of a search: mAP@10 over beta/alpha, over each dimension, over bits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, quantiles, stdev
from typing import Any

from bitreel.insight.plots import ACCENT, COLOURS, DIM, INK, Axes, Figure, figure
from bitreel.training.search_space import MARGIN, RATIO, Choice, Range, ratio_of
from bitreel.training.tuning import CurvePoint, Finalist, Tuning

HEADLINE = "validation mAP@10"
_ENDS = 1.5  # how far from the grid the points with one term alone stand
SCORED, CUT = "all seeds", "given up early"


def curve_figure(tuning: Tuning) -> Figure:
    """mAP@10 over log2(beta/alpha): the mean, its spread within splits, a thin line each split."""
    made, (axes,) = figure(height=4.2)
    points = tuning.curve
    grid = [point for point in points if math.isfinite(point.log2_ratio)]
    places = [point.log2_ratio for point in grid]
    spreads = dict(zip(points, within_splits(points), strict=True))
    for scores in zip(*(point.scores for point in grid), strict=True):
        axes.plot(places, scores, color=DIM, lw=0.6, alpha=0.5)
    means = [point.mean for point in grid]
    low = [point.mean - spreads[point] for point in grid]
    high = [point.mean + spreads[point] for point in grid]
    axes.fill_between(places, low, high, color=ACCENT, alpha=0.18, lw=0)
    axes.plot(places, means, color=ACCENT, lw=2, marker="o", ms=4)
    ends = {-math.inf: min(places) - _ENDS, math.inf: max(places) + _ENDS}
    for point in points:
        if place := ends.get(point.log2_ratio):
            axes.scatter([place] * len(point.scores), point.scores, s=7, color=DIM, alpha=0.5, lw=0)
            axes.errorbar(place, point.mean, spreads[point], color=COLOURS[1], fmt="o", capsize=3)
    base = ratio_of(tuning.space.base)
    if math.isfinite(base):
        axes.axvline(base, color=DIM, lw=1, ls=":")
        axes.annotate(
            "defaults", (base, 1), xycoords=("data", "axes fraction"), xytext=(3, -10),
            textcoords="offset points", fontsize=8, color=DIM,
        )  # fmt: skip
    ticks = {ends[-math.inf]: "β = 0", **{p: f"{p:g}" for p in places}, ends[math.inf]: "α = 0"}
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.set_xlabel("log₂(β / α)")
    axes.set_ylabel(HEADLINE)
    return made


def within_splits(points: Sequence[CurvePoint]) -> list[float]:
    """Of each point the standard deviation over seeds, each split's own level taken out.

    A split whose clips are hard lowers all points alike, which says nothing of their order.
    """
    levels = [fmean(scores) for scores in zip(*(point.scores for point in points), strict=True)]
    return [
        stdev(score - level for score, level in zip(point.scores, levels, strict=True))
        for point in points
    ]


def surface_figure(tuning: Tuning) -> Figure:
    """The points over the first number and each of the next two, mAP@10 as colour."""
    names = [n for n, d in tuning.space.dimensions.items() if isinstance(d, Range)]
    first = names[0]
    made, panels = figure(1, 2, width=9.5, height=4.0)
    tried = tuning.tried
    # A few points that are far off would leave one colour for all the rest.
    low, _, _ = quantiles([t.mean for t in tried] * 2, n=4)
    high = max(t.mean for t in tried)
    marks: Any = None
    for axes, second in zip(panels, names[1:3], strict=False):
        for pruned, marker in ((True, "X"), (False, "o")):
            some = [t for t in tried if t.pruned == pruned]
            marks = axes.scatter(
                [float(t.point[first]) for t in some],
                [float(t.point[second]) for t in some],
                c=[t.mean for t in some],
                vmin=low,
                vmax=high,
                cmap="viridis",
                marker=marker,
                s=55,
                edgecolors="white",
                linewidths=0.7,
                label=CUT if pruned else SCORED,
            )
        _scale(axes.set_xscale, tuning.space.dimensions[first])
        _scale(axes.set_yscale, tuning.space.dimensions[second])
        _mark_default(axes, tuning, first, second)
        axes.set_xlabel(_label(first))
        axes.set_ylabel(_label(second))
    panels[0].legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)
    made.colorbar(marks, ax=panels, label=HEADLINE, shrink=0.9, extend="min")
    return made


def slices_figure(tuning: Tuning) -> Figure:
    """mAP@10 over each dimension that varies, all others as they came."""
    names = [n for n, d in tuning.space.dimensions.items() if not _is_single(d)]
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    made, panels = figure(rows, columns, width=3.3 * columns, height=2.7 * rows)
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    for place, (axes, name) in enumerate(zip(panels, names, strict=False)):
        dimension = tuning.space.dimensions[name]
        for pruned, colour in ((True, "#b9c0ca"), (False, ACCENT)):
            some = [t for t in tuning.tried if t.pruned == pruned]
            values = _places(dimension, [t.point[name] for t in some])
            axes.scatter(values, [t.mean for t in some], s=22, color=colour, alpha=0.85, lw=0)
        if isinstance(dimension, Choice):
            words = [str(value) for value in dimension.values]
            axes.set_xticks(range(len(words)), words, rotation=20 if len(words) > 3 else 0)
            axes.set_xlim(-0.5, len(words) - 0.5)
        _scale(axes.set_xscale, dimension)
        axes.set_xlabel(_label(name))
        if place % columns == 0:
            axes.set_ylabel("mAP@10")
    return made


def importance_figure(tuning: Tuning) -> Figure:
    """The share of each dimension in what makes a point good."""
    names = list(tuning.importance)[::-1]
    made, (axes,) = figure(height=0.6 + 0.4 * len(names))
    shares = [tuning.importance[name] for name in names]
    bars = axes.barh([_label(name) for name in names], shares, color=ACCENT, height=0.6)
    axes.bar_label(bars, [f"{share:.2f}" for share in shares], padding=4, fontsize=9, color=INK)
    axes.grid(visible=False)
    axes.set_xlim(0, max(shares) * 1.15)
    axes.set_xlabel("importance (PED-ANOVA; sums to 1)")
    return made


def front_figure(tuning: Tuning) -> Figure:
    """mAP@10 on fresh seeds over bits: the chosen points, the front among them, the defaults."""
    made, (axes,) = figure(height=4.0)
    widths = sorted(tuning.finalists)
    series = {
        "defaults": ([tuning.default(width) for width in widths], DIM),
        "chosen": ([tuning.chosen(width) for width in widths], ACCENT),
    }
    for number, (name, (finalists, colour)) in enumerate(series.items()):
        means, deviations = zip(*(_mean_and_deviation(f.scores) for f in finalists), strict=True)
        places = [width * (0.985 if number == 0 else 1.015) for width in widths]
        axes.errorbar(places, means, deviations, color=colour, fmt="o", capsize=3, label=name)
    front = pareto_front({width: tuning.chosen(width) for width in widths})
    axes.plot(
        [width * 1.015 for width in front], [f.mean for f in front.values()], color=ACCENT, lw=1.5,
        label="front",
    )  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set_xticks(widths, [str(width) for width in widths])
    axes.minorticks_off()
    axes.set_xlabel("bits")
    axes.set_ylabel(f"{HEADLINE}, fresh seeds")
    axes.legend(frameon=False)
    return made


def pareto_front(by_width: dict[int, Finalist]) -> dict[int, Finalist]:
    """The widths that no narrower one matches."""
    best, front = -math.inf, {}
    for width, finalist in sorted(by_width.items()):
        if finalist.mean > best:
            best, front[width] = finalist.mean, finalist
    return front


def _mean_and_deviation(scores: Sequence[float]) -> tuple[float, float]:
    return fmean(scores), stdev(scores) if len(scores) > 1 else 0.0


def _mark_default(axes: Axes, tuning: Tuning, first: str, second: str) -> None:
    point = tuning.space.default(tuning.space.widths[0])
    if tuning.space.holds(point):
        axes.scatter(
            [float(point[first])], [float(point[second])], s=150, facecolors="none",
            edgecolors=COLOURS[1], linewidths=1.8, label="defaults",
        )  # fmt: skip


def _places(dimension: Range | Choice, values: list[Any]) -> list[float]:
    if isinstance(dimension, Range):
        return [float(value) for value in values]
    places = [float(dimension.values.index(value)) for value in values]
    # Marks of one word are set apart, in the order in which they were tried.
    seen: dict[float, int] = {}
    for number, place in enumerate(places):
        count = seen[place] = seen.get(place, -1) + 1
        places[number] = place + 0.3 * ((count * 0.618) % 1 - 0.5)
    return places


def _scale(set_scale: Any, dimension: Range | Choice) -> None:
    if isinstance(dimension, Range) and dimension.log:
        set_scale("log")


def _is_single(dimension: Range | Choice) -> bool:
    return isinstance(dimension, Choice) and len(dimension.values) == 1


def _label(name: str) -> str:
    words = {RATIO: "log₂(β / α)", MARGIN: "margin / bits"}
    return words.get(name, name.replace("_", " "))
