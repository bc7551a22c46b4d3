"""Results on disk: kept once, whole, and shared with whoever works on the same folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bitreel.errors import ConfigError
from bitreel.training.claims import Claims
from bitreel.training.results import Facts, NoResult, Results, key_of


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results", Claims(tmp_path / "claims"))


def test_what_is_kept_is_found_and_worked_out_once(results: Results) -> None:
    calls: list[int] = []

    def work() -> Facts:
        calls.append(1)
        return {"score": 0.25}

    assert results.get("a") is None
    assert [results.once("a", work) for _ in range(3)] == [{"score": 0.25}] * 3
    assert calls == [1]
    assert [path.name for path in results.folder.iterdir()] == ["a.json"]


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"score": 0.'])
def test_what_is_damaged_is_worked_out_again(results: Results, content: str) -> None:
    (results.folder / "a.json").write_text(content)
    assert results.once("a", lambda: {"score": 1}) == {"score": 1}
    assert results.get("a") == {"score": 1}


def test_nothing_is_kept_of_work_that_fails(results: Results) -> None:
    def fail() -> Facts:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        results.once("a", fail)
    assert results.get("a") is None
    assert results.once("a", lambda: {"score": 1}) == {"score": 1}


def test_what_another_is_at_comes_last_and_is_not_done_twice(results: Results) -> None:
    done: list[str] = []
    told: list[int] = []

    def work(key: str) -> Facts:
        if key == "b":  # by now another process has taken `a` up, and finishes it
            results.put("a", {"by": "another"})
        done.append(key)
        return {"by": "us"}

    read, write = os.pipe()
    child = os.fork()
    if not child:
        with results.claims.take("a"):
            os.write(write, b"1")
            while results.get("a") is None:
                pass
        os._exit(0)
    os.read(read, 1)
    results.fill(["a", "b", "c"], work, told.append)
    os.waitpid(child, 0)
    assert done == ["b", "c"]
    assert told == [1, 2, 3]
    assert results.get("a") == {"by": "another"}


def test_work_without_a_result_does_not_stop_the_rest(results: Results) -> None:
    def work(key: str) -> Facts:
        if key == "b":
            raise NoResult
        return {"key": key}

    told: list[int] = []
    results.fill(["a", "b", "c"], work, told.append)
    assert [results.get(key) for key in "abc"] == [{"key": "a"}, None, {"key": "c"}]
    assert told == [1, 2, 3]


def test_a_key_says_all_that_decides(results: Results) -> None:
    key = key_of(config={"bits": 64, "seed": 0}, data="d")
    assert key == key_of(data="d", config={"seed": 0, "bits": 64})
    assert key != key_of(config={"bits": 64, "seed": 1}, data="d")
    assert key != key_of(config={"bits": 64, "seed": 0}, data="e")


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "results").touch()
    with pytest.raises(ConfigError, match="can not be made"):
        Results(tmp_path / "results", Claims(tmp_path / "claims"))
