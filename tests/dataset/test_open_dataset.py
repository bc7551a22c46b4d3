"""What a data set may be called on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bitreel.dataset import open_dataset
from bitreel.errors import ConfigError, DataError


@pytest.mark.parametrize("spec", ["nowhere", "kinetics:/data", "/no/such.csv", "", "\0"])
def test_a_spec_that_is_nothing_lists_what_is_understood(spec: str, tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with pytest.raises(DataError) as caught:
        open_dataset(spec or tmp_path / "x")
    for word in ("FOLDER", "manifest.csv", "ucf101:ROOT", "hmdb51:ROOT"):
        assert word in str(caught.value)


def test_a_spec_without_its_folder_is_refused() -> None:
    with pytest.raises(DataError, match="names no folder"):
        open_dataset("ucf101:")
    with pytest.raises(DataError, match="/no/such is not a folder"):
        open_dataset("hmdb51:/no/such")


def test_folds_and_lists_belong_to_the_official_layouts(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="fold and lists"):
        open_dataset(tmp_path, fold=2)
    with pytest.raises(ConfigError, match="fold and lists"):
        open_dataset(tmp_path, lists=tmp_path)
    with pytest.raises(ConfigError, match="1, 2 and 3, got 4"):
        open_dataset(f"ucf101:{tmp_path}", fold=4)
