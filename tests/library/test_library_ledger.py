"""The ledger page by page: what a slow twin finds in the whole of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from library_helpers import put_code, tiny_model

from bitreel.library import Entry, Fate, Library
from bitreel.library.records import FileState, VideoRecord


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Twelve files of each fate, in no order."""
    with Library.create(tmp_path_factory.mktemp("ledger") / "library", tiny_model()) as made:
        for number in (7, 3, 11, 0, 5, 9, 1, 10, 2, 8, 4, 6):
            put_code(made, f"good {number:02}.mp4", bytes(3))
            bad = Path("/nowhere") / f"bad {number:02}.mp4"
            reason = f"{bad.name} has no Video Stream" if number % 2 else f"{bad.name} is empty"
            made._catalogue.put(VideoRecord(bad, FileState(1, 1), reason=reason))
            notes = Path("/nowhere") / f"notes {number:02}.txt"
            made._catalogue.skip({notes: ".txt is not a video's, by its name"})
        yield made


def twin(everything: list[Entry], fate: Fate | None, text: str | None) -> list[Entry]:
    told = (text or "").lower()
    return [
        entry
        for entry in sorted(everything, key=lambda entry: entry.path)
        if fate in (None, entry.fate)
        and (told in str(entry.path).lower() or told in (entry.reason or "").lower())
    ]


@pytest.mark.parametrize("fate", [None, *Fate])
@pytest.mark.parametrize("text", [None, "", "VIDEO stream", "/NOWHERE/g", "0", "is not there", "%"])
def test_pages_together_are_what_the_slow_twin_finds(
    library: Library, fate: Fate | None, text: str | None
) -> None:
    everything = library.ledger()
    assert len(everything) == 36
    expected = twin(everything, fate, text)
    assert library.ledger(fate, text=text) == expected
    assert library.ledger_count(fate, text=text) == len(expected)
    pages = [library.ledger(fate, text=text, offset=at, limit=5) for at in range(0, 40, 5)]
    assert [entry for page in pages for entry in page] == expected
    assert all(len(page) <= 5 for page in pages)
    assert library.ledger(fate, text=text, limit=0) == []
