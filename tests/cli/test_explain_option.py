"""`bitreel search --explain`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bitreel.cli.explanation import frames_in_words, shared_label_in_words
from bitreel.evaluation.bootstrap import Interval
from bitreel.insight.distance_calibration import SharedLabel, Unknown
from bitreel.insight.explanation import explain
from bitreel.insight.frame_weights import FrameWeights
from bitreel.library import Library
from command_line import Trained, bitreel


def test_the_explanation_is_that_of_the_library(trained: Trained) -> None:
    answer = bitreel("search", trained.library, trained.query, "--explain", 3, "--json").json
    told = answer["explanation"]
    with Library.open(trained.library) as library:
        hit = library.search(trained.query, k=3).hits[2]
        found = explain(library, trained.query, hit)
    assert told["distance_bits"] == hit.distance_bits == answer["hits"][2]["distance_bits"]
    assert told["path"] == str(hit.path)
    assert told["query_bits"] == found.bits.query.astype(int).tolist()
    assert sum(a != b for a, b in zip(told["query_bits"], told["hit_bits"], strict=True)) == (
        hit.distance_bits
    )
    assert all(
        (r >= 0.5) == bool(q) for q, r in zip(told["query_bits"], told["relaxed_bits"], strict=True)
    )
    assert isinstance(found.shared_label, SharedLabel)
    assert told["shared_label"]["share"] == found.shared_label.share
    assert told["shared_label_unknown"] is told["frames_unknown"] is None
    assert len(told["frames"]) == 4


def test_people_read_a_few_lines(trained: Trained) -> None:
    shown = bitreel("search", trained.library, trained.query, "--explain", 2, "-k", 2)
    assert shown.code == 0
    _, _, told = shown.out.partition("Why hit 2, ")
    lines = told.splitlines()
    assert lines[0].startswith("scene")
    assert " of 16 bits agree (=)" in lines[1]
    assert set(lines[2].strip()) <= {"=", "x"}
    assert len(lines[2].strip()) == 16
    assert "share the label; among all pairs 6 %." in lines[3]


def test_a_rank_that_no_hit_has(trained: Trained) -> None:
    ran = bitreel("search", trained.library, trained.query, "--explain", 4, "-k", 3)
    assert ran.error == (
        "There is no hit 4 to explain, the search has 3: name one of them, or ask for more with "
        "--top."
    )


def test_nothing_found_is_nothing_to_explain(trained: Trained) -> None:
    words = ("search", trained.library, trained.query, "--text", "nowhere", "--explain", 1)
    ran = bitreel(*words)
    assert ran.code == 0
    assert "Why" not in ran.out
    assert "explanation" not in bitreel(*words, "--json").json


def test_a_range_is_explained(trained: Trained, tmp_path: Path) -> None:
    words = ("search", trained.library, trained.query, "--start", 0.1, "--end", 0.3)
    told = bitreel(*words, "--explain", 1, "--json").json["explanation"]
    assert told["query_start_seconds"] == pytest.approx(0.1)
    assert all(0.05 <= frame["time_seconds"] <= 0.35 for frame in told["frames"])


def test_the_sentences() -> None:
    shared = SharedLabel(0.712, Interval(0.624, 0.79, 0.95), 12, 12, 400, 90, 0.0612, 9000)
    assert shared_label_in_words(shared) == (
        "Of clips 12 bits apart, 71 % (62 to 79 %) share the label; among all pairs 6 %."
    )
    wide = SharedLabel(0.5, Interval(0.4, 0.6, 0.95), 10, 14, 400, 90, 0.06, 9000)
    assert shared_label_in_words(wide).startswith("Of clips 10 to 14 bits apart, 50 % (40 to 60 %)")
    assert shared_label_in_words(Unknown("so it is")) == (
        "How often clips that far apart share the label is not known: so it is."
    )
    weights = FrameWeights(np.array([0.1, 0.5, 1.0]), np.array([0.3, 2.04, -1.0]))
    assert frames_in_words(weights) == (
        "The query's frames that bring it nearest: 0.50 s (2.0 bits), 0.10 s (0.3 bits)."
    )
    assert frames_in_words(FrameWeights(np.zeros(1), np.zeros(1))).startswith("No frame")
    assert frames_in_words(Unknown("it is gone")).endswith("is not known: it is gone.")
