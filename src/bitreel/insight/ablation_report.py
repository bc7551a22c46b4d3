"""The files of an ablation: table.md, table.csv, table.json and plot.png."""

from __future__ import annotations

from pathlib import Path

from bitreel.evaluation.bootstrap import Interval
from bitreel.evaluation.report import table, to_csv, to_json
from bitreel.insight.plots import COLOURS, DIM, Figure, as_png, figure, spread, style, write_whole
from bitreel.training.ablation import Ablation, AblationRow

FEW_GROUPS = 20  # under which a bootstrap over them is too sure
Cells = dict[str, str | int | float | None]


def write_report(ablation: Ablation, output: Path) -> None:
    """Write the four files to a folder. Raises BitreelError where they can not be."""
    rows = figures(ablation)
    write_whole(output / "table.md", markdown(ablation))
    write_whole(output / "table.csv", to_csv(rows))
    write_whole(output / "table.json", to_json(rows))
    if any(row.scores for row in ablation.rows):
        write_whole(output / "plot.png", as_png(plot(ablation)))


def figures(ablation: Ablation) -> list[Cells]:
    """Every row with its figures in full, for programs."""
    return [_words(row) | _numbers(row) for row in ablation.rows]


def markdown(ablation: Ablation) -> str:
    """The table for people, what its figures are of, and why some are missing."""
    parts = [table([_words(row) | _short(row) for row in ablation.rows]), f"{caption(ablation)}\n"]
    reasons: dict[str, list[str]] = {}
    for row in ablation.rows:
        if row.reason:
            words = f"{row.combination.method} · {row.combination.bits} bits"
            reasons.setdefault(row.reason, []).append(words)
    parts += [f"Not trained ({'; '.join(rows)}): {why}\n" for why, rows in reasons.items()]
    return "\n".join(parts)


def caption(ablation: Ablation) -> str:
    """How the figures were measured."""
    seeds = len(ablation.seeds)
    many = "1 seed" if seeds == 1 else f"{seeds} seeds"
    if ablation.on == "query":
        where = (
            f"official queries of {ablation.dataset}, {many}, each trained on the whole database "
            f"part; not for choosing options"
        )
    else:
        where = (
            f"held-out groups of the database part of {ablation.dataset}, {many}, other groups for "
            f"each; the epoch was chosen on these too"
        )
    return (
        f"mAP@10 (÷k, expected over ties) on {where}. Intervals of 95 % by bootstrap over groups "
        f"of queries, all seeds pooled; ± is the standard deviation over seeds. The difference is "
        f"to the first row, on the same queries.{_few_groups(ablation)}"
    )


def _few_groups(ablation: Ablation) -> str:
    fewest = min((row.groups for row in ablation.rows if row.scores), default=FEW_GROUPS)
    if fewest >= FEW_GROUPS:
        return ""
    return f" There are only {fewest} groups: the intervals are narrower than they should be."


def plot(ablation: Ablation) -> Figure:
    """mAP@10 over bits, a line for each method; a row for each method where there is one width."""
    rows = [row for row in ablation.rows if row.scores]
    widths = sorted({row.combination.bits for row in rows})
    return _over_bits(rows, widths) if len(widths) > 1 else _by_method(rows)


def _over_bits(rows: list[AblationRow], widths: list[int]) -> Figure:
    methods = list(dict.fromkeys(row.combination.method for row in rows))
    made, (axes,) = figure(width=8.5, height=3.6 + 0.24 * len(methods))
    offsets = spread(len(methods), 0.12)
    for number, method in enumerate(methods):
        some = [row for row in rows if row.combination.method == method]
        some.sort(key=lambda row: row.combination.bits)
        places = [row.combination.bits * 2 ** offsets[number] for row in some]
        colour, line = style(number)
        axes.errorbar(
            places,
            [row.mean or 0.0 for row in some],
            _errors(some),
            color=colour,
            ls=line,
            marker="o",
            ms=4,
            capsize=2,
            lw=1.4,
            label=method,
        )
    axes.set_xscale("log", base=2)
    axes.set_xticks(widths, [str(width) for width in widths])
    axes.minorticks_off()
    axes.set_xlabel("bits")
    axes.set_ylabel("mAP@10")
    made.legend(loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    return made


def _by_method(rows: list[AblationRow]) -> Figure:
    """The first row on top."""
    made, (axes,) = figure(width=8.5, height=1.0 + 0.38 * len(rows))
    places = range(len(rows))[::-1]
    means = [row.mean or 0.0 for row in rows]
    axes.axvline(means[0], color=DIM, lw=1, ls=":")
    axes.errorbar(means, places, xerr=_errors(rows), color=COLOURS[0], fmt="o", ms=5, capsize=3)
    for place, row in zip(places, rows, strict=True):
        axes.scatter(row.scores, [place] * len(row.scores), s=9, color=DIM, alpha=0.6, lw=0)
    axes.set_yticks(places, [row.combination.method for row in rows])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(f"mAP@10 at {rows[0].combination.bits} bits")
    return made


def _errors(rows: list[AblationRow]) -> list[list[float]]:
    """How far the interval goes below and above each mean; nothing where there is none."""
    low, high = [], []
    for row in rows:
        mean = row.mean or 0.0
        interval = row.interval or Interval(mean, mean, 0.95)
        low.append(max(0.0, mean - interval.low))
        high.append(max(0.0, interval.high - mean))
    return [low, high]


def _words(row: AblationRow) -> Cells:
    words = row.combination
    return {
        "modality": words.modality,
        "encoder": words.encoder,
        "loss": words.loss,
        "bits": words.bits,
    }


def _short(row: AblationRow) -> Cells:
    if row.mean is None:
        return {"mAP@10": None}
    deviation = "" if row.deviation is None else f"± {row.deviation:.4f}"
    gain = "" if row.difference is None else f"{row.difference:+.4f}"
    cells: Cells = {"mAP@10": row.mean, "95 %": _from_to(row.interval), "seeds": deviation}
    cells |= {"difference": gain, "its 95 %": _from_to(row.difference_interval, sign="+")}
    return cells | {"queries": row.queries}


def _from_to(interval: Interval | None, *, sign: str = "") -> str:
    if interval is None:
        return ""
    return f"{interval.low:{sign}.3f} to {interval.high:{sign}.3f}"


def _numbers(row: AblationRow) -> Cells:
    low, high = _ends(row.interval)
    difference_low, difference_high = _ends(row.difference_interval)
    return {
        "mAP@10": row.mean,
        "low": low,
        "high": high,
        "sd over seeds": row.deviation,
        "difference": row.difference,
        "difference low": difference_low,
        "difference high": difference_high,
        "seeds": len(row.scores),
        "queries": row.queries,
        "groups": row.groups,
        "note": row.reason,
    }


def _ends(interval: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval.low, interval.high)
