"""The small library of `migrating_helpers`, made once and copied for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from migrating_helpers import Small, make_small


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    return make_small(tmp_path_factory.mktemp("small"))


@pytest.fixture
def folder(small: Small, tmp_path: Path) -> Path:
    """Of a library that may be changed."""
    return small.copied(tmp_path)


@pytest.fixture
def videos(small: Small) -> list[Path]:
    return small.videos


@pytest.fixture
def expected(small: Small) -> dict[str, dict[str, bytes]]:
    return small.codes
