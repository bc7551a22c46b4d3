"""What a library in Milvus says of itself, and the models that it brings along."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import xxhash
from platformdirs import user_cache_path

from bitreel.errors import ConfigError, LibraryError, ModelError, ModelMismatch
from bitreel.library.store.address import IndexKind
from bitreel.library.store.milvus_client import MilvusClient, Row
from bitreel.library.store.milvus_rows import FACT_FIELDS, NO_VECTOR_INDEX, NOTHING, among, equals
from bitreel.version import __version__
from bitreel.video import Segmenting

if TYPE_CHECKING:
    from bitreel.model import Model

SCHEMA_VERSION = 1
_FACTS = "facts"
_PIECE_BYTES = 48_000  # 64,000 letters in base64
_PIECES_AT_ONCE = 100


@dataclass(frozen=True)
class RemoteFacts:
    """former: the fingerprint of the model before, whose codes are kept; None where there is none.
    under_way: of the model that the library is on its way to. index, nlist, partitions: as it was
    made."""

    bits: int
    fingerprint: str
    segmenting: Segmenting
    former: str | None = None
    former_bits: int | None = None
    rolled_back: bool = False
    under_way: str | None = None
    under_way_bits: int | None = None
    index: IndexKind = "BIN_FLAT"
    nlist: int = 1024
    partitions: int | None = None


class MilvusFacts:
    """One collection, by the name of the library. Every method raises LibraryError."""

    def __init__(self, client: MilvusClient) -> None:
        self.client, self.collection = client, client.address.name

    def create(self) -> None:
        self.client.create(self.collection, FACT_FIELDS, NO_VECTOR_INDEX)
        self.client.load(self.collection)

    def exists(self) -> bool:
        """Whether a library was made here: its facts come last."""
        return self.client.has(self.collection) and self._value(_FACTS, level="Strong") is not None

    def read(self, *, level: str = "Strong") -> RemoteFacts:
        """Raises LibraryError where there is no library, or one of another version."""
        found = self._value(_FACTS, level=level) if self.client.has(self.collection) else None
        where = self.client.address
        if found is None:
            raise LibraryError(
                f"There is no library at {where}: make one with `bitreel index {where} VIDEOS "
                f"--model MODEL`."
            )
        try:
            facts: dict[str, Any] = json.loads(found)
            version = int(facts.pop("schema_version"))
            wrote = str(facts.pop("bitreel"))
            if version == SCHEMA_VERSION:
                facts["segmenting"] = Segmenting(**facts["segmenting"])
                known = {field.name for field in fields(RemoteFacts)}
                # A later version of the same schema says more, which does not concern this one.
                return RemoteFacts(**{key: facts[key] for key in known & facts.keys()})
        except (ValueError, TypeError, KeyError, ConfigError) as error:
            raise LibraryError(
                f"The facts of the library at {where} make no sense ({error}): index the videos "
                f"under another name."
            ) from error
        raise LibraryError(
            f"The library at {where} was written by bitreel {wrote} with schema {version}, and "
            f"this version ({__version__}) reads schema {SCHEMA_VERSION}: install that version, or "
            f"index the videos under another name."
        )

    def write(self, facts: RemoteFacts) -> None:
        value = {"schema_version": SCHEMA_VERSION, "bitreel": __version__} | asdict(facts)
        self.client.upsert(self.collection, [_row(_FACTS, json.dumps(value))])

    def put_model(self, model: Model) -> None:
        """Keep a model with the library, in pieces that fit in rows."""
        if self._value(_done(model.fingerprint), level="Strong") is not None:
            return
        with TemporaryDirectory() as folder:
            saved = model.save(Path(folder) / "model")
            for file in sorted(path for path in saved.rglob("*") if path.is_file()):
                name = file.relative_to(saved).as_posix()
                for rows in _pieces(model.fingerprint, name, file.read_bytes()):
                    self.client.upsert(self.collection, rows)
            names = sorted(p.relative_to(saved).as_posix() for p in saved.rglob("*") if p.is_file())
        self.client.upsert(self.collection, [_row(_done(model.fingerprint), json.dumps(names))])

    def model(self, fingerprint: str) -> Path:
        """The folder of a model, fetched to this user's cache where it is not there yet."""
        kept = models_folder() / fingerprint
        if (kept / "model.json").is_file():
            return kept
        names = self._value(_done(fingerprint), level="Strong")
        if names is None:
            raise ModelError(
                f"The library at {self.client.address} does not hold its model "
                f"{fingerprint[:12]}: give it with --model."
            )
        kept.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=kept.parent) as folder:
            for name in json.loads(names):
                path = Path(folder) / "model" / name
                if ".." in Path(name).parts or Path(name).is_absolute():
                    raise ModelError(f"The model at {self.client.address} has a file {name!r}.")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"".join(self._read_pieces(fingerprint, name)))
            try:
                (Path(folder) / "model").rename(kept)
            except OSError:  # another process was faster
                if not (kept / "model.json").is_file():
                    raise
        return kept

    def drop(self) -> None:
        if self.client.has(self.collection):
            self.client.drop(self.collection)

    def _read_pieces(self, fingerprint: str, name: str) -> Iterator[bytes]:
        """Of a file whose last piece is known to be there: what was written before it is too."""
        first = 0
        while True:
            keys = [f"{fingerprint}/{name}/{first + number}" for number in range(_PIECES_AT_ONCE)]
            where = among("id", (_row(key, "")["id"] for key in keys))
            rows = self.client.query(self.collection, where, ("key", "value"), level="Eventually")
            found = {row["key"]: row["value"] for row in rows}
            pieces = [base64.b64decode(found[key]) for key in keys if key in found]
            yield from pieces
            if len(pieces) < len(keys):
                return
            first += len(keys)

    def _value(self, key: str, *, level: str) -> str | None:
        where = equals("id", _row(key, "")["id"])
        rows = self.client.query(self.collection, where, ("key", "value"), level=level)
        return str(rows[0]["value"]) if rows else None


def fetch_model(remote: MilvusFacts, fingerprint: str, runtime: str) -> Model:
    """A model that lies with the library."""
    from bitreel.model import Model
    from bitreel.runtime import default_networks

    folder = remote.model(fingerprint)
    model = Model.load(folder).use_runtime(runtime, kept=default_networks())
    if model.fingerprint != fingerprint:
        raise ModelMismatch(
            f"{folder} is the model {model.fingerprint[:12]} and should be {fingerprint[:12]}: "
            f"delete that folder, and it is fetched again."
        )
    return model


def models_folder() -> Path:
    """Where models are kept that came from a server."""
    return user_cache_path("bitreel") / "models"


def _done(fingerprint: str) -> str:
    return f"{fingerprint}/files"


def _row(key: str, value: str) -> Row:
    number = xxhash.xxh3_64_intdigest(key.encode()) >> 1
    return NOTHING | {"id": number, "key": key, "value": value}


def _pieces(fingerprint: str, name: str, content: bytes) -> Iterator[list[Row]]:
    """Some of them at a time: a request has its limit."""
    starts = range(0, len(content), _PIECE_BYTES)
    rows = [
        _row(
            f"{fingerprint}/{name}/{number}",
            base64.b64encode(content[start : start + _PIECE_BYTES]).decode(),
        )
        for number, start in enumerate(starts)
    ]
    for first in range(0, len(rows), _PIECES_AT_ONCE):
        yield rows[first : first + _PIECES_AT_ONCE]
