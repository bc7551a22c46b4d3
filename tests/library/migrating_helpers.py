"""A small library that is to be given another model, and what its codes must be then."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from library_helpers import (
    BITS,
    indexed_codes,
    make_videos,
    rows,
    tiny_model,
)

from bitreel.library import (
    Fate,
    Library,
    Video,
)
from bitreel.model import Model
from bitreel.progress import Step

COUNT = 6
WIDTHS = (BITS, 44)  # the same as before, and another


def new_model(bits: int = BITS) -> Model:
    return tiny_model(bits=bits, seed=1)


@dataclass(frozen=True)
class Small:
    """A closed library of videos. codes: what each model makes of them, by its fingerprint."""

    library: Path
    videos: list[Path]
    codes: dict[str, dict[str, bytes]]

    def copied(self, folder: Path) -> Path:
        """Into a folder, to be changed."""
        return Path(shutil.copytree(self.library, folder / "library"))


def make_small(folder: Path) -> Small:
    videos = make_videos(folder / "videos", COUNT)
    junk = folder / "videos" / "junk.mp4"
    junk.write_bytes(b"junk")
    with Library.create(folder / "library", tiny_model()) as library:
        library.add([Video(videos[0], "first"), *videos[1:], junk])
        library._catalogue.skip({folder / "videos" / "notes.txt": "notes.txt: no video."})
    codes = {}
    for model in (tiny_model(), *map(new_model, WIDTHS)):
        with Library.create(folder / model.fingerprint, model) as anew:
            anew.add(videos)
        codes[model.fingerprint] = indexed_codes(anew.folder)
    assert len({tuple(sorted(each.items())) for each in codes.values()}) == 3
    return Small(folder / "library", videos, codes)


def names(folder: Path) -> list[str]:
    """What lies in a folder, besides what SQLite puts there while a library is open."""
    found = (path.name for path in folder.iterdir())
    return sorted(name for name in found if not name.endswith(("-shm", "-wal")))


def fingerprint_of(folder: Path) -> str:
    ((fingerprint,),) = rows(folder, "SELECT value FROM meta WHERE key = 'fingerprint'")
    return str(fingerprint)


def check_whole(folder: Path, expected: dict[str, dict[str, bytes]]) -> str:
    """That the library answers with the codes of the model that it says it has, and is tidy."""
    with Library.open(folder) as library:
        assert library.model.fingerprint == library.fingerprint
        query = next(iter(library.ledger(Fate.INDEXED))).path
        assert library.search(query).hits[0].distance_bits == 0
        assert library.status().videos == COUNT
        fingerprint = library.fingerprint
    assert indexed_codes(folder) == expected[fingerprint]
    return fingerprint


class Stop(Exception):
    """Ctrl-C, as a test can catch it."""


def stop_at(nth: int) -> Any:
    def progress(step: Step) -> None:
        if step.done == nth:
            raise Stop

    return progress
