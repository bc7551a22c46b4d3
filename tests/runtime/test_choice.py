"""Which runtime a word means, and batches."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from needs import make_clip, make_model, needs

from bitreel.errors import ConfigError
from bitreel.runtime import batch_size, choose, choose_runtime, installed, run_in_batches
from bitreel.runtime.protocol import Floats


def test_auto_is_the_fastest_that_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "is_installed", lambda *_: True)
    assert choose_runtime("auto", on_gpu=False) == "openvino"
    assert choose_runtime("auto", on_gpu=True) == "torch"
    monkeypatch.setattr(choose, "is_installed", lambda *_: False)
    assert choose_runtime("auto", on_gpu=False) == "torch"


def test_words_that_do_not_fit() -> None:
    with pytest.raises(ConfigError, match="choose from auto, torch, openvino, onnx"):
        choose_runtime("tensorrt", on_gpu=False)
    with pytest.raises(ConfigError, match="the model is on a GPU: choose the runtime torch"):
        choose_runtime("onnx", on_gpu=True)
    with pytest.raises(ConfigError, match="at least 1 picture, got 0"):
        make_model().use_runtime("torch", pictures_at_once=0)


@pytest.mark.parametrize("runtime", ["openvino", "onnx"])
def test_what_is_not_installed_is_named(runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "is_installed", lambda *_: False)
    model = make_model().use_runtime(runtime)
    with pytest.raises(ConfigError, match=rf"The runtime {runtime} needs .*bitreel\[runtime\]"):
        model.features(make_clip(0))


@needs("int8")
def test_nothing_is_reported_to_anybody() -> None:
    code = (
        "import sys; from bitreel.runtime.installed import import_for;"
        "import_for('a test', 'openvino', 'nncf');"
        "sys.exit('openvino_telemetry' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=120)
    assert done.returncode == 0


@given(st.integers(1, 40), st.integers(1, 9))
def test_batches_are_always_full_and_give_the_rows_in_order(rows: int, batch: int) -> None:
    seen: list[int] = []

    def run(part: Floats) -> Floats:
        seen.append(len(part))
        return part * 2

    given_rows = np.arange(rows, dtype=np.float32)[:, None]
    np.testing.assert_array_equal(run_in_batches(run, given_rows, batch=batch), given_rows * 2)
    assert set(seen) == {batch}
    assert len(seen) == -(-rows // batch)


@given(st.integers(1, 64), st.integers(1, 16))
def test_a_clip_is_cut_in_equal_parts(pictures: int, most: int) -> None:
    size = batch_size(pictures, most)
    assert size == max(n for n in range(1, most + 1) if pictures % n == 0)
