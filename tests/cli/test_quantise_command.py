"""`bitreel quantise`"""

from __future__ import annotations

from pathlib import Path

import pytest

from bitreel import model as bitreel_model
from bitreel.model import Cost, Model
from bitreel.runtime import installed, is_installed
from command_line import Trained, bitreel

needs_nncf = pytest.mark.skipif(
    not is_installed("openvino", "nncf"),
    reason="openvino and nncf not installed: pip install 'bitreel[runtime]'",
)


@needs_nncf
def test_a_model_that_costs_little_is_saved_and_used(trained: Trained, tmp_path: Path) -> None:
    output = tmp_path / "model8"
    words = ("quantise", trained.model, trained.manifest, "--output", output)
    cache = ("--cache", trained.cache)
    accept = (*cache, "--clips", 8, "--most-flipped", 100, "--most-lost", 1)
    answer = bitreel(*words, *accept, "--json").json
    model = Model.load(output)
    assert model.config.precision == "int8"
    assert answer["fingerprint"] == model.fingerprint != Model.load(trained.model).fingerprint
    assert (answer["bits"], answer["clips"], answer["held_out"]) == (16, 40, True)
    assert 0 <= answer["flipped_bits"] <= 16
    assert len(answer["map_at_10"]) == 2
    assert model.training["cost"]["flipped_bits"] == answer["flipped_bits"]

    library = tmp_path / "library"
    assert bitreel("index", library, trained.query, "--model", output).code == 0
    assert bitreel("search", library, trained.query, "--json").json["hits"][0]["distance_bits"] == 0

    again = bitreel(*words, *accept)
    assert again.error == f"{output} is there already: name another --output."


@needs_nncf
@pytest.mark.parametrize(
    ("cost", "printed", "error"),
    [
        (Cost(9, 16, 4.0), "4.00 of 16 bits flip in a code (25.0 %)", "25.0 % of the bits flip"),
        (Cost(9, 16, 1.0, (0.8, 0.6)), "mAP@10 0.8000 before, 0.6000", "mAP@10 falls by 0.2000"),
    ],
)
def test_a_model_that_costs_too_much_is_not_saved(
    cost: Cost,
    printed: str,
    error: str,
    trained: Trained,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bitreel_model, "measure_cost", lambda *_, **__: cost)
    output = tmp_path / "model8"
    ran = bitreel("quantise", trained.model, trained.query, "--output", output)
    assert ran.code == 1
    assert printed in ran.out
    assert f"Error: Nothing was saved: {error}" in ran.err
    assert not output.exists()


def test_where_nncf_is_missing(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "is_installed", lambda *_: False)
    words = ("quantise", trained.model, trained.manifest, "--output", tmp_path / "model8")
    assert bitreel(*words, "--json").error == (
        "Quantising needs openvino and nncf: pip install 'bitreel[runtime]'."
    )


def test_the_model_itself_is_no_output(trained: Trained) -> None:
    words = ("quantise", trained.model, trained.manifest, "--output", trained.model)
    assert bitreel(*words).error.startswith(
        f"{trained.model} is there already itself: name another"
    )
