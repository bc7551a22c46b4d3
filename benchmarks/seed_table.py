"""The table of the 2017 paper on a labelled set: mAP@10 over bits, with what each loss term brings.

Beside the trained codes, on the same features of the same frames: the cosine of the float
features, random-hyperplane LSH of them, and ITQ (FAISS), which need no labels. Mean and standard
deviation over seeds; nothing is chosen on the queries.

    python benchmarks/seed_table.py [DATA] [--seeds 5] [--bits 64,128,256,512] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.dataset import Dataset, open_dataset
from bitreel.dataset.synthetic import make_actions
from bitreel.evaluation import evaluate_codes
from bitreel.model import Model
from bitreel.training import default_cache, evaluate, labelled_features, train
from bitreel.training.presets import make_config

Floats = NDArray[np.float32]
LOSSES = {"both": (1.0, 1.0), "alpha only": (1.0, 0.0), "beta only": (0.0, 1.0)}


def main() -> None:
    options = parse()
    dataset = open_dataset(options.data or synthetic())
    rows: list[dict[str, Any]] = []
    for row in chain(peers(dataset, options), trained(dataset, options)):
        rows.append(row)
        print(f"| {row['method']} | {row['bits']} | {figure(row)} |", flush=True)
        if options.json:
            options.json.write_text(json.dumps(rows, indent=2) + "\n")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", nargs="?", help="labelled videos  [default: synthetic actions]")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--bits", default="64,128,256,512")
    parser.add_argument("--losses", default=",".join(LOSSES), help=f"of {', '.join(LOSSES)}")
    parser.add_argument("--json", type=Path, help="write the rows here as they come")
    options = parser.parse_args()
    options.bits = [int(bits) for bits in options.bits.split(",")]
    options.losses = options.losses.split(",")
    print("| method | bits | mAP@10 (÷k, expected over ties) |\n|---|---|---|")
    return options


def synthetic() -> Path:
    """What there is on every machine: 240 clips of twelve actions."""
    return make_actions(Path(__file__).parent / "actions", task="both")


def figure(row: dict[str, Any]) -> str:
    spread = f" ± {row['deviation']:.3f}" if len(row["per_seed"]) > 1 else ""
    return f"{row['mAP@10']:.3f}{spread}"


def summary(method: str, bits: int | str, scores: list[float]) -> dict[str, Any]:
    return {
        "method": method,
        "bits": bits,
        "mAP@10": float(np.mean(scores)),
        "deviation": float(np.std(scores, ddof=1)) if len(scores) > 1 else 0.0,
        "per_seed": scores,
    }


def trained(dataset: Dataset, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The seed method: both terms, and each alone."""
    for loss in options.losses:
        alpha, beta = LOSSES[loss]
        for bits in options.bits:
            config = make_config("seed", options={"bits": bits, "alpha": alpha, "beta": beta})
            scores = [
                evaluate(train(dataset, replace(config, seed=seed)), dataset).evaluation.values[
                    "mAP@10"
                ]
                for seed in range(options.seeds)
            ]
            yield summary(f"bitreel, {loss}", bits, scores)


def peers(dataset: Dataset, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """What needs no labels, on the same mean frame features, centred by the database's mean."""
    query, database, names = mean_features(dataset)
    query_labels, database_labels = names
    yield summary(
        "ImageNet features, cosine",
        "floats",
        [cosine(query, database, query_labels, database_labels)],
    )
    for name, fit in (("random-hyperplane LSH", fit_lsh), ("ITQ (FAISS)", fit_itq)):
        for bits in options.bits:
            if fit is fit_itq and bits > min(database.shape):
                continue  # its PCA has no more directions than there are clips
            scores = []
            for seed in range(options.seeds):
                encode = fit(database, bits, seed)
                evaluation = evaluate_codes(
                    BinaryCodes.from_bits(encode(query) >= 0),
                    query_labels,
                    BinaryCodes.from_bits(encode(database) >= 0),
                    database_labels,
                )
                scores.append(evaluation.values["mAP@10"])
            yield summary(name, bits, scores)


def mean_features(dataset: Dataset) -> tuple[Floats, Floats, tuple[list[str], list[str]]]:
    model = Model(make_config("seed").model(dataset.labels))
    model.network.backbones[0].load_pretrained("package")
    cache = default_cache()
    query = labelled_features(model, dataset.query, cache=cache)
    database = labelled_features(model, dataset.database, cache=cache)
    means = [part.streams[0].mean(axis=(1, 2)) for part in (query, database)]
    centre = means[1].mean(axis=0)
    return means[0] - centre, means[1] - centre, (query.labels(), database.labels())


def cosine(
    query: Floats, database: Floats, query_labels: list[str], database_labels: list[str]
) -> float:
    """mAP@10 ÷k of a float ranking, where ties do not come up."""
    similarity = unit(query) @ unit(database).T
    top = np.argsort(-similarity, axis=1, kind="stable")[:, :10]
    hits = np.array(database_labels)[top] == np.array(query_labels)[:, None]
    precision = hits.cumsum(axis=1) / np.arange(1, 11)
    return float((precision * hits).sum(axis=1).mean() / 10)


def unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def fit_lsh(database: Floats, bits: int, seed: int) -> Callable[[Floats], Floats]:
    planes = np.random.default_rng(seed).standard_normal((database.shape[1], bits))
    return lambda rows: np.asarray(rows @ planes, np.float32)


def fit_itq(database: Floats, bits: int, seed: int) -> Callable[[Floats], Floats]:
    transform = faiss.ITQTransform(database.shape[1], bits, True)
    transform.itq.seed = seed
    transform.train(np.ascontiguousarray(database))
    return lambda rows: np.asarray(transform.apply(np.ascontiguousarray(rows)), np.float32)


if __name__ == "__main__":
    main()
