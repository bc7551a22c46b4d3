"""Modalities in words."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitreel.errors import ConfigError
from bitreel.modality import (
    MODALITIES,
    Difference,
    Dynamic,
    Flow,
    Modality,
    Rgb,
    find_modalities,
    find_modality,
)

lengths = st.integers(1, 64)
raft_files = st.text(st.characters(exclude_characters=":,="), min_size=1).filter(
    lambda path: path == path.strip()
)
modalities: st.SearchStrategy[Modality] = st.one_of(
    st.builds(Rgb, focus=st.sampled_from(["none", "motion"])),
    st.builds(
        Difference,
        length=lengths,
        gain=st.floats(0.001, 255),
        camera=st.sampled_from(["keep", "steady"]),
        focus=st.sampled_from(["none", "motion"]),
    ),
    st.builds(
        Flow,
        length=lengths,
        method=st.sampled_from(["dis", "tvl1"]),
        camera=st.sampled_from(["keep", "median"]),
    ),
    st.builds(Flow, method=st.just("raft"), weights=raft_files),
    st.builds(Dynamic, window=st.just(0) | st.integers(2, 99)),
)


@given(modality=modalities)
def test_a_spec_reads_as_what_wrote_it(modality: Modality) -> None:
    assert find_modality(str(modality)) == modality


@given(several=st.lists(modalities, min_size=1, max_size=4, unique=True))
def test_a_list_reads_as_what_wrote_it(several: list[Modality]) -> None:
    assert find_modalities(",".join(map(str, several))) == tuple(several)


@pytest.mark.parametrize(
    ("spec", "canonical"),
    [
        ("rgb", "rgb"),
        ("difference:length=1:gain=2.0", "difference"),
        ("difference:gain=1.0:length=5", "difference:length=5:gain=1"),
        (" flow : camera = median ", "flow:camera=median"),
        ("dynamic:window=0", "dynamic"),
    ],
)
def test_the_canonical_spec_leaves_defaults_out(spec: str, canonical: str) -> None:
    assert str(find_modality(spec)) == canonical


def test_several_keep_their_order_and_may_share_a_name() -> None:
    found = find_modalities("flow, rgb,difference,difference:length=5")
    assert found == (Flow(), Rgb(), Difference(), Difference(length=5))


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        ("smell", f"'smell': choose from {', '.join(MODALITIES)}"),
        ("", "Unknown modality ''"),
        ("rgb,", "Unknown modality ''"),
        ("rgb:size=3", "unknown option 'size': choose from focus"),
        ("difference:len=3", "unknown option 'len': choose from length, gain, camera, focus"),
        ("difference:camera=median", "'keep' or 'steady'"),
        ("difference:name=x", "unknown option 'name'"),
        ("difference:length", "'length' no value: write length=VALUE"),
        ("difference:length=", "'length' no value"),
        ("difference:length=2:length=3", "'length' twice"),
        ("difference:length=two", "'length' does not hold: .*valid integer"),
        ("difference:length=1.5", "'length' does not hold"),
        ("difference:length=0", "got length=0"),
        ("difference:gain=nan", "got gain=nan"),
        ("difference:gain=inf", "got gain=inf"),
        ("flow:method=magic", "'dis', 'tvl1' or 'raft'"),
        ("flow:camera=tripod", "'keep' or 'median'"),
        ("flow:length=65", "got length=65"),
        ("flow:method=raft", "takes weights=FILE"),
        ("flow:weights=raft.pth", "the others take none"),
        ("dynamic:window=1", "window=1"),
        ("rgb,rgb", "name rgb twice"),
        ("difference,rgb,difference:length=1", "name difference twice"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(specs: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        find_modalities(specs)


def test_a_path_that_no_spec_can_hold_is_refused() -> None:
    for path in ("a,b.pth", "c:raft.pth", "a=b", " raft.pth"):
        with pytest.raises(ConfigError, match="Copy or link the file"):
            Flow(method="raft", weights=path)


def test_modalities_start_without_torch_and_opencv() -> None:
    code = (
        "import sys; from bitreel.modality import find_modalities;"
        "find_modalities('rgb,difference,flow,dynamic');"
        "sys.exit(any(name in sys.modules for name in ('torch', 'cv2')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
