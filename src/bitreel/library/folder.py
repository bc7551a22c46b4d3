"""What makes a folder a library, and how it becomes one.

LIBRARY/
  catalogue.sqlite            videos, segments, codes, labels
  catalogue.backup-1.sqlite   the catalogue as schema 1 had it, where it was brought up to date
  model/                      the model that made the codes; after a migration to another one it
                              lies in models/, by its fingerprint (remodelling_folders.py)

The tables are committed after everything else is in place: until then the folder is no library, and
whoever makes one there next starts afresh.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from bitreel.errors import ConfigError, LibraryError, ModelMismatch
from bitreel.library.catalogue import Catalogue
from bitreel.library.facts import MODEL, read_facts
from bitreel.library.facts import Facts as Facts
from bitreel.library.migration import migrate
from bitreel.video import Segmenting

if TYPE_CHECKING:  # it brings torch, which whoever only looks need not wait for
    from bitreel.model import Model

CATALOGUE = "catalogue.sqlite"
_MODEL_MANIFEST = "model.json"  # as bitreel.model writes it

# What an unfinished library may hold.
_OWN_NAMES = {CATALOGUE, MODEL, "model.writing"} | {
    CATALOGUE + suffix for suffix in ("-journal", "-wal", "-shm")
}


def is_library(folder: Path) -> bool:
    """Whether a library stands there, whole or damaged; an unfinished one is none."""
    path = folder / CATALOGUE
    if not path.is_file():
        return False
    catalogue = Catalogue(path)
    try:
        return catalogue.is_laid_out()
    finally:
        catalogue.close()


def make_library(folder: Path, model: Model, segmenting: Segmenting) -> bool:
    """Make an empty library. False where one stands there already, also when another process was
    faster. Raises LibraryError."""
    _check_room(folder)
    catalogue = Catalogue(folder / CATALOGUE, create=True)
    try:
        with catalogue.transaction(write=True):
            if catalogue.is_laid_out():
                return False
            model.save(folder / MODEL)
            catalogue.lay_out(
                bits=model.bits,
                fingerprint=model.fingerprint,
                segmenting=json.dumps(asdict(segmenting)),
            )
        catalogue.use_write_ahead_log()
    finally:
        catalogue.close()
    return True


def open_library(folder: Path) -> tuple[Catalogue, Facts]:
    """Open a library's catalogue after a look at all that can be seen without loading the model.

    Raises LibraryError, and ModelMismatch where the model in it is not the one that made the codes.
    """
    if not (folder / CATALOGUE).is_file():
        raise _no_library(folder, "There is no library at")
    catalogue = Catalogue(folder / CATALOGUE)
    try:
        if not catalogue.is_laid_out():
            raise _no_library(folder, "The making of a library was broken off at")
        migrate(catalogue)
        facts = _look_at(folder, catalogue)
    except BaseException:
        catalogue.close()
        raise
    return catalogue, facts


def _look_at(folder: Path, catalogue: Catalogue) -> Facts:
    while True:
        facts = read_facts(catalogue)
        try:
            _check_stored_model(folder, facts)
            catalogue.check_codes(bits=facts.bits)
        except LibraryError:
            if read_facts(catalogue) == facts:
                raise
            continue  # it was given another model between two looks
        catalogue.fingerprint = facts.fingerprint
        return facts


def load_model(folder: Path, facts: Facts, runtime: str) -> Model:
    """The library's model, run by the runtime of that name.

    Raises ModelError where it is damaged, ModelMismatch where it is another one than the codes were
    made with.
    """
    from bitreel.model import Model
    from bitreel.runtime import default_networks

    model = Model.load(folder / facts.model).use_runtime(runtime, kept=default_networks())
    if model.fingerprint != facts.fingerprint:
        raise _wrong_stored_model(folder, model.fingerprint, facts)
    return model


def check_model(folder: Path | str, model: Model, facts: Facts) -> None:
    """Raises ModelMismatch where the codes of a library are not those of this model."""
    fingerprint = model.fingerprint
    if fingerprint != facts.fingerprint:
        raise ModelMismatch(
            f"The library {folder} was indexed with the model {facts.fingerprint[:12]} "
            f"({facts.bits} bits) and the model given is {fingerprint[:12]} ({model.bits} bits), "
            f"whose codes can not be compared: leave the model out to use the library's own, give "
            f"the library another one by `bitreel migrate {folder} --model MODEL`, or index the "
            f"videos into another library."
        )


def check_segmenting(folder: Path | str, asked: Segmenting, facts: Facts) -> None:
    """Raises ConfigError where the videos of a library are cut otherwise."""
    if asked != facts.segmenting:
        raise ConfigError(
            f"The library {folder} is made of {facts.segmenting}, and asked for are {asked}: all "
            f"its segments are made in one way, so leave that out, or index the videos into "
            f"another library."
        )


def _check_room(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = sorted({entry.name for entry in folder.iterdir()} - _OWN_NAMES)
    except OSError as error:
        raise LibraryError(
            f"No library can be made at {folder}: {error.strerror}. Name another folder."
        ) from error
    if others and not (folder / CATALOGUE).is_file():
        raise LibraryError(
            f"{folder} holds other files ({', '.join(others[:3])}): name a new or an empty folder "
            f"for the library."
        )


def _no_library(folder: Path, what: str) -> LibraryError:
    return LibraryError(
        f"{what} {folder}: make one with `bitreel index {folder} VIDEOS --model MODEL`."
    )


def _check_stored_model(folder: Path, facts: Facts) -> None:
    try:
        manifest = json.loads((folder / facts.model / _MODEL_MANIFEST).read_text())
        fingerprint = str(manifest["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError):
        raise LibraryError(
            f"The model of the library is missing or damaged ({folder / facts.model}): copy the "
            f"model with the fingerprint {facts.fingerprint[:12]} there."
        ) from None
    if fingerprint != facts.fingerprint:
        raise _wrong_stored_model(folder, fingerprint, facts)


def _wrong_stored_model(folder: Path, fingerprint: str, facts: Facts) -> ModelMismatch:
    return ModelMismatch(
        f"{folder / facts.model} is the model {fingerprint[:12]} and the library's codes were made "
        f"with {facts.fingerprint[:12]}: copy that model there, or index the videos into a new "
        f"folder."
    )
