"""Is motion seen? Twelve synthetic motions, five pairs of which are exact reversals in time.

Queries show looks that the database has not, so neither what moves nor any single frame tells the
two motions of a pair apart. Each model is trained by `train`, which chooses the epoch on held-out
groups of the database part, and asked by `evaluate`: real files, real codes. Beside them: chance,
and ridge classifiers on the average frame and on a grid of optical flow, which learn no features.

nearest: how often the nearest database code has the query's label, expected over ties. pairs as
one: the same where a motion and its reversal count as one class. within pairs: where only the
query's motion and its reversal are in the database, so that what does not see order has 1/2: which
places a sprite visits is seen without order, and sets the pairs apart from each other. CPU seconds:
of training, decoding included.

    python benchmarks/motion.py [--settings easy,full] [--models …] [--seeds 2] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bitreel.dataset import Dataset, open_dataset
from bitreel.dataset.synthetic import EASY, HARD, Difficulty, make_actions
from bitreel.dataset.synthetic.motions import REVERSAL_OF
from bitreel.modality.opencv import dis_flow
from bitreel.training import evaluate, train
from bitreel.training.presets import make_config
from bitreel.video import read_clip

Floats = NDArray[np.float64]

NEAREST, HEADLINE, PAIRS, WITHIN, SECONDS = COLUMNS = (
    "nearest",
    "mAP@10",
    "pairs as one",
    "within pairs",
    "CPU seconds",
)
GRID = (6, 8)  # cells of the flow grid, down and across
STEPS = 15  # in time


@dataclass(frozen=True)
class Setting:
    """A set of clips: `queries` of `clips_per_class` are queries."""

    difficulty: Difficulty
    clips_per_class: int
    queries: int = 20


SETTINGS = {"easy": Setting(EASY, 80), "full": Setting(HARD, 80)}

# A small network from nothing: what ImageNet knows does not help where looks say nothing.
SMALL: dict[str, Any] = {
    "backbone": "small3d",
    "weights": "none",
    "encoder": "conv3d",
    "finetune": True,
    "loss": "ortho",
    "refit": False,  # what the clips held out would add is not worth the double time
    "learning_rate": 3e-3,
    "backbone_learning_rate": 3e-3,
    "sampling": {"frames": 16, "height": 48, "width": 64, "clips": 2, "spacing_seconds": 0.16},
}
AVERAGE: dict[str, Any] = {"loss": "ortho", "sampling": {"frames": 16, "height": 48, "width": 64}}
MODELS: dict[str, dict[str, Any]] = {
    "frame average (mean)": AVERAGE | {"encoder": "mean"},
    "frame average (weighted)": AVERAGE | {"encoder": "weighted"},
    "small3d on rgb": SMALL | {"modality": "rgb"},
    "small3d on differences": SMALL | {"modality": "difference"},
    "small3d on steady differences": SMALL | {"modality": "difference:camera=steady"},
    "small3d on flow": SMALL | {"modality": "flow:camera=median"},
}
EPOCHS = {"easy": 16, "full": 30}  # where the backbone learns; otherwise the default


def main() -> None:
    options = parse()
    torch.set_num_threads(1)  # CPU seconds are those of one core
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.settings:
            dataset = open_dataset(clips_of(name, options.clips or Path(folder)))
            for row in figures(dataset, name, options, Path(folder)):
                rows.append({"setting": name, **row})
                print(line(rows[-1]), flush=True)
                if options.json:
                    options.json.write_text(json.dumps(rows, indent=2) + "\n")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--settings", default=",".join(SETTINGS))
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--clips", type=Path, help="keep the videos here  [default: nowhere]")
    parser.add_argument("--json", type=Path, help="write the rows here as they come")
    options = parser.parse_args()
    options.settings = options.settings.split(",")
    options.models = options.models.split(",")
    print(f"| setting | model | {' | '.join(COLUMNS)} |\n{'|---' * (2 + len(COLUMNS))}|")
    return options


def clips_of(setting: str, folder: Path) -> Path:
    made = SETTINGS[setting]
    return make_actions(
        folder / setting,
        task="motion",
        clips_per_class=made.clips_per_class,
        query_fraction=made.queries / made.clips_per_class,
        difficulty=made.difficulty,
    )


def figures(
    dataset: Dataset, setting: str, options: argparse.Namespace, folder: Path
) -> Iterator[dict[str, Any]]:
    yield chance(dataset)
    yield ridge("ridge on the average frame", dataset, average_frame)
    yield ridge("ridge on a grid of flow", dataset, flow_grid)
    for name, config in MODELS.items():
        if name in options.models:
            seeds = [score(dataset, config, setting, seed, folder) for seed in range(options.seeds)]
            yield {"model": name, **{column: [s[column] for s in seeds] for column in seeds[0]}}


def chance(dataset: Dataset) -> dict[str, Any]:
    """Of codes that know nothing."""
    paired = {*REVERSAL_OF, *REVERSAL_OF.values()}
    share = np.mean([label in paired for label in dataset.labels])
    one = 1 / len(dataset.labels)
    return {"model": "chance", NEAREST: [one], PAIRS: [one * (1 + share)], WITHIN: [1 / 2]}


def score(
    dataset: Dataset, changes: dict[str, Any], setting: str, seed: int, folder: Path
) -> dict[str, float]:
    """The columns of one trained model."""
    epochs = {"epochs": EPOCHS[setting]} if changes.get("finetune") else {}
    config = make_config("seed", options=changes | epochs | {"seed": seed})
    with tempfile.TemporaryDirectory(dir=folder) as place:
        cache = Path(place)
        start = time.process_time()
        model = train(dataset, config, cache=cache)
        seconds = time.process_time() - start

        def nearest(asked: Dataset, measure: str = "mAP@1") -> float:
            return evaluate(model, asked, at=(1,), cache=cache).evaluation.values[measure]

        return {
            NEAREST: nearest(dataset),
            HEADLINE: nearest(dataset, "mAP@10"),
            PAIRS: nearest(pairs_as_one(dataset)),
            WITHIN: float(np.mean([nearest(pair) for pair in each_pair(dataset)])),
            SECONDS: seconds,
        }


def each_pair(dataset: Dataset) -> Iterator[Dataset]:
    """The clips of a motion and its reversal, by themselves."""
    for pair in REVERSAL_OF.items():
        kept = tuple(example for example in dataset.examples if example.label in pair)
        yield replace(dataset, examples=kept)


def pairs_as_one(dataset: Dataset) -> Dataset:
    """The same clips, a motion and its reversal under one label."""
    one = (replace(e, label=REVERSAL_OF.get(e.label, e.label)) for e in dataset.examples)
    return replace(dataset, examples=tuple(one))


def ridge(name: str, dataset: Dataset, describe: Callable[[Path], Floats]) -> dict[str, Any]:
    """A linear classifier in closed form: no codes, so its answer stands for the nearest one's."""
    start = time.process_time()
    query, database = (
        np.stack([describe(example.path) for example in part])
        for part in (dataset.query, dataset.database)
    )
    labels = np.array(dataset.labels)
    targets = np.array([e.label for e in dataset.database])[:, None] == labels
    centre, spread = database.mean(axis=0), database.std()
    query, database = (query - centre) / spread, (database - centre) / spread
    kernel = database @ database.T + len(database) * np.eye(len(database))  # a penalty of 1 a clip
    answers = query @ database.T @ np.linalg.solve(kernel, targets - targets.mean(axis=0))
    seconds = time.process_time() - start
    wanted = [example.label for example in dataset.query]
    return {"model": name, **answered(answers, labels.tolist(), wanted), SECONDS: [seconds]}


def answered(answers: Floats, labels: list[str], wanted: list[str]) -> dict[str, list[float]]:
    """The columns of a classifier's answers [Q,classes]."""
    found = [labels[column] for column in answers.argmax(axis=1)]
    merged = [
        REVERSAL_OF.get(a, a) == REVERSAL_OF.get(b, b) for a, b in zip(found, wanted, strict=True)
    ]
    other = {**REVERSAL_OF, **{b: a for a, b in REVERSAL_OF.items()}}
    told = [
        scores[labels.index(label)] > scores[labels.index(other[label])]
        for scores, label in zip(answers, wanted, strict=True)
        if label in other
    ]
    return {
        NEAREST: [float(np.mean([a == b for a, b in zip(found, wanted, strict=True)]))],
        PAIRS: [float(np.mean(merged))],
        WITHIN: [float(np.mean(told))],
    }


def average_frame(path: Path) -> Floats:
    """15x20 pixels of the mean of all frames: the place and the look of things, without order."""
    frames = read_clip(path, frames=2 * STEPS + 2, size=(60, 80)).frames
    pixels = frames.reshape(-1, 15, 4, 20, 4, 3).mean(axis=(0, 2, 4))
    return np.asarray(pixels, np.float64).ravel()


def flow_grid(path: Path) -> Floats:
    """The mean flow in each cell of a grid, without the camera's."""
    frames = read_clip(path, frames=2 * STEPS + 2, size=(60, 80)).frames
    fields = dis_flow(frames[:-2:2], frames[2::2])
    fields = fields - np.median(fields, axis=(1, 2), keepdims=True)
    down, across = GRID
    cells = fields.reshape(STEPS, down, 60 // down, across, 80 // across, 2).mean(axis=(2, 4))
    return np.asarray(cells, np.float64).ravel()


def line(found: dict[str, Any]) -> str:
    cells = [mean_and_spread(found.get(key, [])) for key in (NEAREST, HEADLINE, PAIRS, WITHIN)]
    seconds = f"{np.mean(found[SECONDS]):.0f}" if SECONDS in found else ""
    return f"| {found['setting']} | {found['model']} | {' | '.join(cells)} | {seconds} |"


def mean_and_spread(values: list[float]) -> str:
    if not values:
        return ""
    spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"


if __name__ == "__main__":
    main()
