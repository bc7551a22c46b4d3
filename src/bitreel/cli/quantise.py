"""`bitreel quantise`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bitreel.cli.console import Json, out, print_json, show_progress, warn, warn_of_files
from bitreel.cli.data_options import Cache, Fold, Lists
from bitreel.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from bitreel.dataset import Example
    from bitreel.model import Cost, Model
    from bitreel.progress import Progress


def quantise(
    model: Annotated[Path, typer.Argument(help="The model's folder.", show_default=False)],
    videos: Annotated[
        list[str],
        typer.Argument(
            metavar="VIDEOS…",
            help="Videos as those to be indexed: files, folders, or labelled data (manifest.csv, "
            "ucf101:ROOT, hmdb51:ROOT), whose query part is left alone.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The new model's folder.", show_default=False)
    ],
    clips: Annotated[
        int, typer.Option(min=1, help="From how many of the videos ranges are measured.")
    ] = 64,
    measured: Annotated[
        int, typer.Option(min=1, help="On how many of the others the cost is measured.")
    ] = 400,
    most_flipped: Annotated[
        float, typer.Option(min=0, max=100, help="Save nothing if more % of the bits flip.")
    ] = 10.0,
    most_lost: Annotated[
        float, typer.Option(min=0, max=1, help="Save nothing if mAP@10 falls by more.")
    ] = 0.02,
    fold: Fold = 1,
    lists: Lists = None,
    cache: Cache = None,
    json: Json = False,
) -> None:
    """Make a model that indexes faster: its backbones in 8-bit integers, run by OpenVINO.

    Their ranges are measured on frames of your videos. Then codes by both models are compared, and
    mAP@10 where the videos are labelled; on videos that the model was trained on, by heads trained
    without some groups of them. What it costs is printed before anything is saved, and a model that
    costs more than --most-flipped or --most-lost is not saved. Codes by the two models do not mix:
    index anew with the new one.

    Example: `bitreel quantise model videos/ --output model8`
    """
    from bitreel.model import Model, measure_cost
    from bitreel.model import quantise as run
    from bitreel.model.quantisation import evenly

    _check_output(output, model)
    before = Model.load(model)
    examples = _collect(videos, fold, lists)
    calibration = evenly(examples, clips)
    asked = _measured(examples, calibration, measured)
    with show_progress() as progress:
        after = run(before, [e.path for e in calibration], clips=clips, progress=progress)
        cost = _held_out_cost(before, after, examples, asked, cache, progress)
        if cost is None:
            paths = [example.path for example in asked]
            before.use_runtime("auto")
            cost = measure_cost(before, after, paths, _known(asked), progress=progress)
    warn_of_files("Left out", {str(path): why for path, why in cost.unreadable.items()}, {})
    if not json:
        _print(cost)
    _check_cost(cost, most_flipped, most_lost)
    after.training["cost"] = cost.to_json()
    after.save(output)
    if json:
        print_json({"model": str(output), "fingerprint": after.fingerprint, **cost.to_json()})
    else:
        out.print(f"Saved {output}, fingerprint {after.fingerprint[:12]}.", soft_wrap=True)


def _check_output(output: Path, model: Path) -> None:
    """A bad output is to be known before minutes of work."""
    if output.exists():
        same = " itself" if output.resolve() == model.resolve() else ""
        raise ModelError(f"{output} is there already{same}: name another --output.")


def _collect(names: list[str], fold: int, lists: Path | None) -> list[Example]:
    """The videos, but for those of a query part: an evaluation is made on them."""
    from bitreel.dataset import Example, open_dataset
    from bitreel.dataset.unlabelled import NO_LABEL

    found: dict[Path, Example] = {}
    aside = 0
    for name in names:
        path = Path(name)
        if path.is_file() and path.suffix.lower() != ".csv":
            examples: tuple[Example, ...] = (Example(path, NO_LABEL, str(path), "database"),)
        else:
            dataset = open_dataset(name, fold=fold, lists=lists, labelled=False)
            examples, aside = dataset.database, aside + len(dataset.query)
        found |= {example.path: example for example in examples}
    if aside:
        warn("Set aside", f"{aside} videos of the query part, to evaluate with.")
    if not found:
        raise ConfigError("There are no videos to measure on beside those of the query part.")
    return list(found.values())


def _measured(examples: list[Example], calibration: list[Example], count: int) -> list[Example]:
    """Those that ranges were not measured on, as long as they are enough to tell."""
    from bitreel.model.quantisation import evenly

    used = {example.path for example in calibration}
    others = [example for example in examples if example.path not in used]
    return evenly(others if len(others) >= len(calibration) else examples, count)


def _held_out_cost(
    before: Model,
    after: Model,
    examples: list[Example],
    asked: list[Example],
    cache: Path | None,
    progress: Progress,
) -> Cost | None:
    """Where the videos are those that the model was trained on: their codes alone tell little."""
    from bitreel.dataset import Dataset
    from bitreel.training.precision_cost import held_out_cost

    dataset = Dataset("videos", tuple(examples))
    return held_out_cost(before, after, dataset, asked, cache=cache, progress=progress)


def _known(examples: list[Example]) -> list[Any] | None:
    from bitreel.dataset.unlabelled import NO_LABEL
    from bitreel.model import Known

    labels = {example.label for example in examples}
    if NO_LABEL in labels or len(labels) < 2:
        return None
    return [Known(example.label, example.group) for example in examples]


def _print(cost: Cost) -> None:
    out.print(
        f"{cost.flipped_bits:.2f} of {cost.bits} bits flip in a code "
        f"({100 * cost.flipped_share:.1f} %), measured on {cost.clips} clips."
    )
    if cost.map_at_10 is None:
        out.print("Without labels, what that costs in mAP@10 is not known.")
    else:
        before, after = cost.map_at_10
        out.print(f"mAP@10 {before:.4f} before, {after:.4f} after: {_asking(cost)}.")


def _asking(cost: Cost) -> str:
    if cost.held_out:
        return (
            "the model was trained on these clips, so some were held out by groups and asked the "
            "others, by heads that were trained without them"
        )
    return "each clip asks those of other groups (too good, where the model was trained on them)"


def _check_cost(cost: Cost, most_flipped: float, most_lost: float) -> None:
    if 100 * cost.flipped_share > most_flipped:
        raise ModelError(
            f"Nothing was saved: {100 * cost.flipped_share:.1f} % of the bits flip, more than "
            f"{most_flipped:g} %. Give more videos (--clips), or accept it with --most-flipped."
        )
    if cost.lost is not None and cost.lost > most_lost:
        raise ModelError(
            f"Nothing was saved: mAP@10 falls by {cost.lost:.4f}, more than {most_lost:g}. Give "
            f"more videos (--clips), or accept it with --most-lost."
        )
