"""From codes and labels to figures: names, sizes, labels, blocks."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray
from tie_twins import average_precision, hit, stored

from bitreel.codes import BinaryCodes, hamming
from bitreel.errors import CodesError, ConfigError, DataError
from bitreel.evaluation import Evaluation, Measure, Recall, evaluate, evaluate_codes
from bitreel.evaluation.evaluate import Labels


def codes_of(seed: int, n: int, bits: int = 16) -> BinaryCodes:
    return BinaryCodes.from_bits(np.random.default_rng(seed).random((n, bits)) < 0.5)


def labels_of(seed: int, n: int, classes: int = 4) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, classes, n)


def small(query_labels: Labels, database_labels: Labels, extra: tuple[str, ...] = ()) -> Evaluation:
    queries, database = codes_of(1, len(query_labels)), codes_of(2, len(database_labels))
    return evaluate_codes(queries, query_labels, database, database_labels, extra=extra)


def test_the_json_has_the_promised_keys_in_order() -> None:
    result = small(labels_of(3, 5), labels_of(4, 30))
    wanted = ["mAP@10", "mAP@10/hits", "recall@1", "recall@10", "mAP"]
    assert list(result.to_json()) == [*wanted, "bits", "queries", "database"]
    assert list(result.values) == list(result.per_query) == wanted
    assert (result.bits, result.queries, result.database) == (16, 5, 30)
    assert json.loads(json.dumps(result.to_json())) == result.to_json()


def test_at_adds_cutoffs_and_keeps_the_usual_ones() -> None:
    codes, labels = codes_of(1, 30), labels_of(3, 30)
    result = evaluate_codes(codes[:5], labels[:5], codes, labels, at=[100, 5, 5])
    assert list(result.values) == [
        "mAP@5",
        "mAP@5/hits",
        "mAP@10",
        "mAP@10/hits",
        "mAP@100",
        "mAP@100/hits",
        "recall@1",
        "recall@5",
        "recall@10",
        "recall@100",
        "mAP",
    ]


def test_extra_measures_come_by_name_or_as_values_and_once() -> None:
    codes, labels = codes_of(1, 30), labels_of(3, 30)
    extra: list[Measure | str] = ["mAP@10,ties=best", Recall(3), "recall@3", "mAP"]
    result = evaluate_codes(codes[:5], labels[:5], codes, labels, extra=extra)
    assert list(result.values)[5:] == ["mAP@10,ties=best", "recall@3"]


def test_each_value_is_the_mean_of_its_queries() -> None:
    result = small(labels_of(3, 9), labels_of(4, 30))
    for name, figures in result.per_query.items():
        assert figures.shape == (9,)
        assert result.values[name] == pytest.approx(figures.mean())


def test_the_figures_are_those_of_sorting_each_query_by_hand() -> None:
    queries, database = codes_of(1, 8, 6), codes_of(2, 40, 6)
    query_labels, database_labels = labels_of(3, 8), labels_of(4, 40)
    result = evaluate_codes(
        queries, query_labels, database, database_labels, extra=["recall@10,ties=stored"]
    )
    by_hits = partial(average_precision, k=10, divide_by="hits")
    rows = list(zip(hamming(queries, database).tolist(), query_labels, strict=True))
    for row, (distances, label) in enumerate(rows):
        relevant = (database_labels == label).tolist()
        assert result.per_query["mAP@10/hits"][row] == pytest.approx(
            stored(by_hits, distances, relevant)
        )
        assert result.per_query["recall@10,ties=stored"][row] == stored(
            partial(hit, k=10), distances, relevant
        )


def test_blocks_of_queries_give_the_figures_of_one_block(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = ("mAP,ties=stored", "mAP@10/hits,ties=expected")
    whole = small(labels_of(3, 23), labels_of(4, 30), extra)
    monkeypatch.setattr(evaluate, "_BLOCK_DISTANCES", 65)
    parts = small(labels_of(3, 23), labels_of(4, 30), extra)
    for name, figures in whole.per_query.items():
        np.testing.assert_allclose(parts.per_query[name], figures, rtol=1e-12)


def test_labels_may_be_strings_integers_of_any_width_lists_and_tuples() -> None:
    numbers, others = labels_of(3, 9), labels_of(4, 30)
    wanted = small(numbers, others).values
    words = np.array(["swim", "run", "a much longer label", "jump"])
    assert small(words[numbers], words[others].tolist()).values == wanted
    assert small(numbers.astype(np.int16), others.astype(np.uint8)).values == wanted
    assert small(list(numbers), others).values == wanted
    pairs = [("a", int(n)) for n in numbers], [("a", int(n)) for n in others]
    assert small(*pairs).values == wanted


def test_a_query_whose_label_the_database_lacks_counts_as_0() -> None:
    database = labels_of(4, 30)
    result = small(np.array([1, 99]), database)
    assert all(figures[1] == 0 for figures in result.per_query.values())
    alone = small(np.array([1]), database)
    assert result.values["mAP@10"] == pytest.approx(alone.values["mAP@10"] / 2)


def test_a_label_that_is_not_known_matches_nothing() -> None:
    result = small([None, "run"], [None, "run", None])
    assert result.per_query["mAP"][0] == 0 < result.per_query["mAP"][1]
    result = small(np.array([np.nan, 1.0]), np.array([np.nan, 1.0, np.nan]))
    assert result.per_query["mAP"][0] == 0 < result.per_query["mAP"][1]


def test_a_cutoff_beyond_the_database_still_divides_by_k() -> None:
    codes = codes_of(1, 4)
    result = evaluate_codes(codes[:1], ["a"], codes, ["a"] * 4, extra=["mAP@10/min(k,R)"])
    assert result.values["mAP@10"] == pytest.approx(0.4)
    assert result.values["mAP@10/hits"] == result.values["mAP@10/min(k,R)"] == 1.0


@pytest.mark.parametrize(("queries", "database"), [(0, 3), (3, 0), (0, 0)])
def test_nothing_to_evaluate_is_refused(queries: int, database: int) -> None:
    with pytest.raises(DataError, match="at least one query"):
        small(["a"] * queries, ["a"] * database)


def test_labels_of_two_types_are_refused_instead_of_scoring_0() -> None:
    with pytest.raises(DataError, match="query labels are int and database labels are str"):
        small(np.array([1, 2]), np.array(["1", "2"]))


def test_labels_that_do_not_fit_the_codes_are_refused() -> None:
    codes = codes_of(1, 3)
    with pytest.raises(DataError, match="each of 3 query codes, got 2"):
        evaluate_codes(codes, ["a"] * 2, codes, ["a"] * 3)
    with pytest.raises(DataError, match=r"database labels \[N\], got \[3, 1\]"):
        evaluate_codes(codes, ["a"] * 3, codes, np.zeros((3, 1)))


def test_bad_options_are_refused() -> None:
    codes, labels = codes_of(1, 3), ["a"] * 3
    with pytest.raises(ConfigError, match="cut-off"):
        evaluate_codes(codes, labels, codes, labels, at=[0])
    with pytest.raises(ConfigError, match="no measure 'P@3'"):
        evaluate_codes(codes, labels, codes, labels, extra=["P@3"])
    with pytest.raises(CodesError, match="16 and of 24 bits"):
        evaluate_codes(codes, labels, codes_of(1, 3, 24), labels)


def test_a_set_of_the_size_of_ucf101_takes_seconds() -> None:
    queries, database = codes_of(1, 3_783, 512), codes_of(2, 9_537, 512)
    start = time.perf_counter()
    evaluate_codes(queries, labels_of(3, 3_783, 101), database, labels_of(4, 9_537, 101))
    assert time.perf_counter() - start < 30  # 2 s on two idle cores; far less than a Python loop


@pytest.mark.parametrize("module", ["bitreel.evaluation", "bitreel.search", "bitreel.codes"])
def test_it_starts_without_torch(module: str) -> None:
    script = f"import sys, {module}; print([m for m in ('torch', 'av') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr, done.returncode) == ("[]", "", 0)
