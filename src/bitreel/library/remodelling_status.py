"""How far a change of a library's model is, and what is kept of the model before."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path

from bitreel.errors import LibraryError
from bitreel.library.catalogue import Catalogue
from bitreel.library.facts import Facts
from bitreel.library.folder import open_library
from bitreel.library.remodelling_folders import MIGRATION, fingerprint_under_way
from bitreel.library.results import KeptModel, UnderWay


def under_way(folder: Path, catalogue: Catalogue, facts: Facts) -> UnderWay | None:
    """A migration that is damaged is told of by those who go on with it."""
    with suppress(LibraryError):
        if fingerprint_under_way(folder) in (None, facts.fingerprint):
            return None
        new, new_facts = open_library(folder / MIGRATION)
        with closing(new):
            total, left = catalogue.counts().videos, len(catalogue.not_in(new))
            return UnderWay(new_facts.fingerprint, new_facts.bits, total - left, total)
    return None


def kept_model(folder: Path, facts: Facts) -> KeptModel | None:
    """What is damaged is of no use, and told of by those who want to go back to it."""
    if facts.kept is None:
        return None
    with suppress(LibraryError):
        kept, kept_facts = open_library(folder / facts.kept)
        with closing(kept):
            return KeptModel(
                kept_facts.fingerprint, kept_facts.bits, kept.counts().videos, facts.rolled_back
            )
    return None
