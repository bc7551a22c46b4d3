"""What the catalogue of a library says about the library as a whole."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from bitreel.errors import ConfigError, LibraryError
from bitreel.library.catalogue import Catalogue
from bitreel.library.schema import SCHEMA_VERSION
from bitreel.version import __version__
from bitreel.video import Segmenting

MODEL, MODELS, KEPT = "model", "models", "previous"


@dataclass(frozen=True)
class Facts:
    """What a catalogue says about its library.

    model: where that lies below the library's folder. kept: where the library lies as it was before
    its model was changed; None where that is not kept. rolled_back: that change was a way back.
    """

    bits: int
    fingerprint: str
    segmenting: Segmenting
    model: str = MODEL
    kept: str | None = None
    rolled_back: bool = False


def read_facts(catalogue: Catalogue) -> Facts:
    """What a catalogue of the current version says. Raises LibraryError."""
    meta, path = catalogue.meta(), catalogue.path
    try:
        version, bits = int(meta["schema_version"]), int(meta.get("bits", 0))
    except (KeyError, ValueError):
        raise LibraryError(
            f"{path} is not the catalogue of a bitreel library, or it is damaged: bring it back "
            f"from a copy, or index the videos into a new folder."
        ) from None
    if version != SCHEMA_VERSION:
        raise LibraryError(
            f"The library {path.parent} was written by bitreel {meta.get('bitreel', 'unknown')} "
            f"with schema {version}, and this version ({__version__}) reads schema "
            f"{SCHEMA_VERSION}: install that version, or index the videos into a new folder."
        )
    if bits < 1 or not meta.get("fingerprint"):
        raise LibraryError(
            f"{path} does not say with what model its codes were made: bring it back from a copy, "
            f"or index the videos into a new folder."
        )
    segmenting = _segmenting(path, meta.get("segmenting", ""))
    model, kept = meta.get("model", MODEL), meta.get("kept")
    rolled_back = meta.get("rolled_back") == "1"
    if not re.fullmatch(rf"{MODEL}|{MODELS}/\w+", model, re.ASCII):
        raise LibraryError(
            f"{path} does not say where its model lies: bring it back from a copy, or index the "
            f"videos into a new folder."
        )
    if kept is not None and not re.fullmatch(rf"{KEPT}/\w+", kept, re.ASCII):
        kept = None
    return Facts(bits, meta["fingerprint"], segmenting, model, kept, rolled_back)


def _segmenting(path: Path, value: str) -> Segmenting:
    try:
        return Segmenting(**json.loads(value))
    except (ValueError, TypeError, ConfigError):
        raise LibraryError(
            f"{path} does not say how its videos are cut into segments: bring it back from a copy, "
            f"or index the videos into a new folder."
        ) from None
