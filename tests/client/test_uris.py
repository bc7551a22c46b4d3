"""Paths that travel as URIs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitreel.client.answers import _place
from bitreel.client.uris import path_of
from bitreel.errors import ConfigError

NAME = st.binary(min_size=1, max_size=30).filter(
    lambda raw: not {0, ord("/")} & set(raw) and raw not in (b".", b"..")
)


@given(st.lists(NAME, min_size=1, max_size=4))
def test_any_path_comes_back_whatever_bytes_it_is_made_of(names: list[bytes]) -> None:
    path = Path("/", *map(os.fsdecode, names))
    assert path_of(path.as_uri()) == path
    assert path.as_uri().isascii()


@pytest.mark.parametrize(
    "uri",
    [
        *("", "/a", "a", "file:a", "file:", "http://a/b", "file:/a?b", "file:/a#b", "file:/a%00b"),
        *("file:" + "//host/a", "file:" + "//[/a"),
    ],
)
def test_what_is_no_path(uri: str) -> None:
    with pytest.raises(ConfigError, match="URI"):
        path_of(uri)


def test_a_library_at_an_address() -> None:
    assert _place("http://127.0.0.1:19530/clips") == "http://127.0.0.1:19530/clips"
    assert _place(Path("/library").as_uri()) == Path("/library")
