"""The scans against numpy, on their own: groups, chunks, slices, any width, memory maps."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import bitreel.search.compiled as compiled
from bitreel.codes import BinaryCodes, hamming_words
from bitreel.progress import Step
from bitreel.search import report_compiling
from bitreel.search.best import Best, fixed, rows_in_one_piece
from bitreel.search.code_table import NOT_ALLOWED, CodeTable
from bitreel.search.kernels import GROUP, measure
from bitreel.search.scan import Scan
from bitreel.search.scan_kernels import scan_nearest, scan_within

WIDTHS = [1, 2, 3, 4, 5, 8, 9]
# Around the borders of groups (256), blocks (up to 2,048 codes) and chunks (262,144).
SIZES = [1, 15, GROUP, GROUP + 1, 2_047, 2_500]

Words = NDArray[np.uint64]
Ids = NDArray[np.int64]


def words_of(seed: int, width: int, n: int) -> Words:
    return np.random.default_rng(seed).integers(0, 2**64, (width, n), np.uint64)


def nearest(
    words: Words, keys: Ids, queries: Words, k: int, start: int = 0, stop: int | None = None
) -> tuple[Ids, NDArray[np.int32]]:
    """Positions and distances, both [Q,k'], of a scan of the codes from start to stop."""
    best = Best.room(queries.shape[1], k)
    stop = words.shape[1] if stop is None else stop
    held = scan_nearest(
        rows_in_one_piece(words),
        fixed(np.arange(words.shape[1])),
        fixed(keys),
        fixed(queries.T),
        bool(np.all(keys != NOT_ALLOWED)),
        start,
        stop,
        best.distances,
        best.keys,
        best.positions,
    )
    return best.positions[:, :held], best.distances[:, :held]


def twin(words: Words, keys: Ids, queries: Words, k: int) -> Ids:
    distances = hamming_words(queries, words)
    allowed = np.flatnonzero(keys != NOT_ALLOWED)
    rows = [allowed[np.lexsort((keys[allowed], row[allowed]))][:k] for row in distances]
    return np.array(rows, np.int64).reshape(queries.shape[1], -1)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("n", SIZES)
def test_the_nearest_are_those_of_numpy(width: int, n: int) -> None:
    words, queries = words_of(1, width, n), words_of(2, width, 3)
    keys = np.arange(n)
    some = np.where(np.random.default_rng(3).random(n) < 0.7, keys, NOT_ALLOWED)
    for allowed in (keys, some, np.where(keys % 300 == 7, keys, NOT_ALLOWED)):
        for k in (1, 10, 300):
            k = min(k, n)
            positions, distances = nearest(words, allowed, queries, k)
            np.testing.assert_array_equal(positions, twin(words, allowed, queries, k))
            expected = np.take_along_axis(hamming_words(queries, words), positions, axis=1)
            np.testing.assert_array_equal(distances, expected)


@pytest.mark.parametrize("bits", [3, 9])
def test_ties_go_to_the_least_key_also_where_keys_do_not_rise(bits: int) -> None:
    """As after the first id of some codes was removed: each key is its first id or a later one."""
    n = 1_500
    words = words_of(1, 1, n) & np.uint64((1 << bits) - 1)
    keys = np.arange(n) + np.random.default_rng(2).integers(0, 2, n) * np.arange(n, 2 * n)
    queries = words_of(3, 1, 20) & np.uint64((1 << bits) - 1)
    positions, _ = nearest(words, keys, queries, 40)
    np.testing.assert_array_equal(positions, twin(words, keys, queries, 40))


@pytest.mark.parametrize("order", ["nearing", "receding"])
def test_codes_sorted_by_their_distance_are_answered_as_any(order: str) -> None:
    n = 600_000
    words, query = words_of(1, 1, n), words_of(2, 1, 1)
    away = np.argsort(hamming_words(query, words)[0], kind="stable")
    words = words[:, away[::-1] if order == "nearing" else away]
    positions, _ = nearest(words, np.arange(n), query, 10)
    np.testing.assert_array_equal(positions, twin(words, np.arange(n), query, 10))


def test_a_slice_of_the_codes_and_more_queries_than_a_tile() -> None:
    words, queries = words_of(1, 2, 3_000), words_of(2, 2, 300)
    keys = np.arange(3_000)
    inside = np.where((keys >= 256) & (keys < 1_111), keys, NOT_ALLOWED)
    positions, _ = nearest(words, keys, queries, 10, 256, 1_111)
    np.testing.assert_array_equal(positions, twin(words, inside, queries, 10))


@pytest.mark.parametrize("width", WIDTHS)
def test_all_within_a_radius_are_those_of_numpy(width: int) -> None:
    words, queries = words_of(1, width, 2_500), words_of(2, width, 150)
    keys = np.where(np.random.default_rng(3).random(2_500) < 0.7, np.arange(2_500), NOT_ALLOWED)
    for radius_bits in (0, 30 * width, 64 * width):
        args = rows_in_one_piece(words), fixed(keys), fixed(queries.T), radius_bits, 0, 2_500
        found = scan_within(*args)
        distances = hamming_words(queries, words)
        expected = np.argwhere((distances <= radius_bits) & (keys != NOT_ALLOWED))
        order = np.lexsort((found[1], found[0]))
        np.testing.assert_array_equal(found[:2, order].T, expected)
        np.testing.assert_array_equal(found[2], distances[found[0], found[1]])


@pytest.mark.parametrize("width", WIDTHS)
def test_distances_are_those_of_numpy(width: int) -> None:
    words, query, room = words_of(1, width, 500), words_of(2, width, 1), np.full(256, -1)
    measure(fixed(words), fixed(query[:, 0]), 100, 300, room)
    np.testing.assert_array_equal(room[:200], hamming_words(query, words)[0, 100:300])
    assert np.all(room[200:] == -1)


def test_a_memory_map_is_searched_where_it_lies(tmp_path: Path) -> None:
    table = CodeTable.of(
        BinaryCodes(words_of(1, 4, 999).T.copy().view(np.uint8), 256), np.arange(999)
    )
    np.save(tmp_path / "words.npy", rows_in_one_piece(table.words))
    mapped = np.load(tmp_path / "words.npy", mmap_mode="r")
    assert rows_in_one_piece(mapped[:, :999]).ctypes.data == mapped.ctypes.data
    scan = Scan(CodeTable(256, mapped[:, :999], table.offsets, table.ids))
    for one, other in zip(
        scan.nearest(words_of(2, 4, 5), 7, table.view.keys, None, 1),
        Scan(table).nearest(words_of(2, 4, 5), 7, table.view.keys, None, 1),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


COMPILE = """
import numpy as np
from bitreel.codes import BinaryCodes
from bitreel.search import ExactIndex
codes = BinaryCodes(np.arange(8, dtype=np.uint8)[:, None], 8)
print(ExactIndex(codes).search(codes[:1], 3).ids)
"""


@pytest.mark.slow
def test_a_line_says_that_kernels_compile_and_only_then(tmp_path: Path) -> None:
    def run() -> str:
        return subprocess.run(
            [sys.executable, "-c", COMPILE],
            check=True,
            capture_output=True,
            text=True,
            env={"NUMBA_CACHE_DIR": str(tmp_path)},
        ).stderr

    assert run().splitlines() == [
        "Compiling the search kernels (once for this machine, half a minute)..."
    ]
    assert run() == ""


ASSEMBLE = """
from numba import int32, int64, types, uint64
from bitreel.search.kernels import least_of_groups
words = types.Array(uint64, 2, "C", readonly=True)
signature = words, words, int64, int64, types.Array(int32, 2, "C")
least_of_groups.compile(signature)
print(least_of_groups.inspect_asm(least_of_groups.signatures[0]))
"""


@pytest.mark.slow
@pytest.mark.skipif(
    platform.machine() != "x86_64", reason="it is x86's popcount that is looked for"
)
@pytest.mark.parametrize("processor", ["emeraldrapids", "znver4"])
def test_the_popcount_is_that_of_whole_vectors(processor: str, tmp_path: Path) -> None:
    """Eight codes an instruction, also where LLVM would rather take four."""
    env = {"NUMBA_CACHE_DIR": str(tmp_path), "NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": ""}
    assembled = subprocess.run(
        [sys.executable, "-c", ASSEMBLE], check=True, capture_output=True, text=True, env=env
    ).stdout
    assert len(re.findall("vpopcntq.*zmm", assembled)) > 15  # words of 4 widths, at least once each


def test_the_caller_may_show_it_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[Step] = []
    fresh = compiled._FirstCompilation(compiled.to_stderr)
    monkeypatch.setattr(compiled, "_first_compilation", fresh)
    report_compiling(steps.append)
    assert fresh.report == steps.append


RUN_A_KERNEL = """
import numpy as np
from bitreel.search import postings
from bitreel.search.best import Best, fixed

best, row = Best.room(1, 2), np.zeros((1, 1), np.int64)
lists = fixed(np.array([0, 2])), fixed(np.array([7, 8]))
fields = best.distances, best.keys, best.positions
print(postings._expand(fixed(row), fixed(row.astype(np.int32)), *lists, *fields))
"""


def test_a_kernel_that_calls_an_edited_one_is_compiled_anew(tmp_path: Path) -> None:
    """numba itself looks at the file of the kernel that is called first, and not at what it calls
    in another."""
    package = Path(compiled.__file__).parents[1]
    shutil.copytree(package, tmp_path / "bitreel", ignore=shutil.ignore_patterns("__pycache__"))
    told = {"PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}

    def run() -> tuple[str, str]:
        words = [sys.executable, "-c", RUN_A_KERNEL]
        ran = subprocess.run(words, env=os.environ | told, capture_output=True, text=True)
        return ran.stdout.strip(), ran.stderr

    assert run()[0] == "2"
    assert run() == ("2", "")  # nothing was compiled
    edited = tmp_path / "bitreel" / "search" / "top_k.py"
    edited.write_text(edited.read_text().replace("return held + 1", "return held"))
    assert run()[0] == "0"
