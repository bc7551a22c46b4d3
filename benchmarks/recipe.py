"""What each step from the seed method to the preset `best` brings, on labelled videos.

Validation: groups held out of the database part, where every choice was made; a seed is a split.
The query part is for the last column alone, after the choice. Ties count as expected.

    python benchmarks/recipe.py DATA [--seeds 5] [--bits 64] [--only WORD] [--query] [--json FILE]
        [--tuned FILE]  a row more, of the options that `bitreel tune DATA --output …` chose
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bitreel.dataset import open_dataset
from bitreel.training import default_cache, evaluate, train
from bitreel.training.presets import make_config
from bitreel.training.trial import Validator

LADDER: dict[str, dict[str, Any]] = {
    "seed: rgb, weighted average, classification + triplet": {},
    "classification alone": {"beta": 0.0},
    "OrthoHash in their place": {"loss": "ortho"},
    "convolution over time": {"loss": "ortho", "encoder": "temporal"},
    "rgb and differences, convolution, OrthoHash": {
        "loss": "ortho",
        "encoder": "temporal",
        "modality": "rgb,difference",
    },
    "closed form in place of training: rgb, mean": {"loss": "ridge", "encoder": "mean"},
    "four segments of time in place of the mean": {"loss": "ridge", "encoder": "segments"},
    "differences in place of rgb": {
        "loss": "ridge",
        "encoder": "segments",
        "modality": "difference",
    },
    "rgb and differences": {
        "loss": "ridge",
        "encoder": "segments",
        "modality": "rgb,difference",
    },
    "without the camera's shake": {
        "loss": "ridge",
        "encoder": "segments",
        "modality": "rgb,difference:camera=steady",
    },
    "looking at what moves": {
        "loss": "ridge",
        "encoder": "segments",
        "modality": "rgb:focus=motion,difference:camera=steady:focus=motion",
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--bits", type=int, default=64)
    parser.add_argument("--only", default="", help="steps whose name has this in it")
    parser.add_argument("--tuned", type=Path, help="best.json of bitreel tune: a row more")
    parser.add_argument("--query", action="store_true", help="score the query part too")
    parser.add_argument("--json", type=Path, help="write the rows here as they come")
    options = parser.parse_args()
    dataset = open_dataset(options.data)
    validator = Validator(dataset, cache=default_cache(), accelerator="cpu")
    steps = {name: make_config("seed", options=changes) for name, changes in LADDER.items()}
    if options.tuned:
        steps["tuned"] = make_config("seed", options.tuned)
    rows: list[dict[str, Any]] = []
    print(f"{dataset!r}, {options.bits} bits, mAP@10 (÷k, expected over ties)\n")
    print("| | validation | query |\n|---|---|---|")
    for name, config in steps.items():
        if options.only not in name:
            continue
        seeded = [replace(config, bits=options.bits, seed=s) for s in range(options.seeds)]
        row: dict[str, Any] = {"step": name, "validation": [validator(c).mean for c in seeded]}
        if options.query:
            row["query"] = [
                evaluate(train(dataset, c), dataset).evaluation.values["mAP@10"] for c in seeded
            ]
        rows.append(row)
        print(f"| {name} | {figure(row['validation'])} | {figure(row.get('query'))} |", flush=True)
        if options.json:
            options.json.write_text(json.dumps(rows, indent=2) + "\n")


def figure(scores: list[float] | None) -> str:
    if not scores:
        return ""
    return f"{np.mean(scores):.3f} ± {np.std(scores, ddof=1) if len(scores) > 1 else 0.0:.3f}"


if __name__ == "__main__":
    main()
