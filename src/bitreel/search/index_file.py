"""An index on disk: its tables as arrays that are mapped when it is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.errors import CodesError, ConfigError
from bitreel.search.array_folder import map_arrays, read_facts, write_arrays
from bitreel.search.code_table import CodeTable
from bitreel.search.exact import ExactIndex
from bitreel.search.index import Index
from bitreel.search.lsh import LSHIndex
from bitreel.search.multi_index import MultiIndex
from bitreel.search.parts import Part, Parts

KINDS: dict[str, type[Index]] = {kind.kind: kind for kind in (ExactIndex, MultiIndex, LSHIndex)}

Array = NDArray[Any]


def save_index(index: Index, folder: Path, facts: dict[str, Any] | None = None) -> None:
    """Put the index in place of what the folder held.

    facts: JSON values to keep with it. A process that is killed meanwhile leaves the former one.
    Raises OSError, as where the disk is full, and then changes nothing.
    """
    arrays, about = arrays_of(index)
    write_arrays(folder, arrays, about | {"facts": facts or {}})


def open_index(folder: Path, *, threads: int | None = None) -> tuple[Index, dict[str, Any]]:
    """The index that was saved there, and the facts kept with it.

    Its arrays are mapped: a code is read from the disk when it is first looked at (each byte was
    read once, to check it). Additions and deletions stay in memory until it is saved again.
    Raises CodesError where there is none, or one that is damaged or of another version.
    """
    stored = map_arrays(folder)
    about = stored.facts
    try:
        kind, bits = KINDS[about["kind"]], int(about["bits"])
        parts = [_part(kind, bits, _named(stored.arrays, n)) for n in range(about["parts"])]
        none = BinaryCodes(np.empty((0, (bits + 7) // 8), np.uint8), bits)
        index = kind(none, threads=threads, **about["options"])
        return index.with_parts(Parts(tuple(parts))), dict(about["facts"])
    except (LookupError, TypeError, ValueError, ConfigError) as error:
        raise CodesError(
            f"{folder} holds no index that this version knows ({error}): make it anew from the "
            f"codes."
        ) from error


def saved_facts(folder: Path) -> dict[str, Any]:
    """The facts kept with the index that was saved there, which is not looked at.

    Raises CodesError where there is none, or one of another version.
    """
    about = read_facts(folder)
    if not isinstance(about.get("facts"), dict):
        raise CodesError(f"{folder} holds no index that this version knows.")
    return dict(about["facts"])


def arrays_of(index: Index) -> tuple[dict[str, Array], dict[str, Any]]:
    """All that an index consists of: arrays by name, and JSON values."""
    arrays: dict[str, Array] = {}
    for number, part in enumerate(index.parts):
        table = part.table
        own = {"words": _in_lines(table.words), "offsets": table.offsets, "ids": table.ids}
        if part.alive is not None:
            own["alive"] = part.alive
        found = {f"finder.{name}": array for name, array in part.finder.arrays().items()}
        arrays |= {f"{number}.{name}": array for name, array in (own | found).items()}
    about = {"kind": index.kind, "bits": index.bits, "options": index.options}
    return arrays, about | {"parts": len(index.parts)}


def _in_lines(words: Array) -> Array:
    """Rows [W,U] lengthened to whole cache lines: a map of them is then as quick as memory."""
    return np.pad(words, ((0, 0), (0, -words.shape[1] % 8)))


def _part(kind: type[Index], bits: int, arrays: dict[str, Array]) -> Part:
    words = arrays["words"][:, : len(arrays["offsets"]) - 1]
    table = CodeTable(bits, words, arrays["offsets"], arrays["ids"])
    found = {
        name.removeprefix("finder."): array
        for name, array in arrays.items()
        if name.startswith("finder.")
    }
    return Part(kind.finder_from(table, found), arrays.get("alive"))


def _named(arrays: dict[str, Array], part: int) -> dict[str, Array]:
    start = f"{part}."
    return {n.removeprefix(start): a for n, a in arrays.items() if n.startswith(start)}
