"""Give a library in Milvus another model: its videos are encoded into collections of that model's
own, while the former ones answer; then the facts say that the library is these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bitreel.errors import LibraryError
from bitreel.library.re_encoding import ReEncoding, VideosMissing
from bitreel.library.records import Entry, Fate, VideoRecord
from bitreel.library.results import KeptModel, MigrationReport, UnderWay
from bitreel.library.store.milvus_catalogue import MilvusCatalogue
from bitreel.library.store.milvus_client import MilvusClient
from bitreel.library.store.milvus_facts import MilvusFacts, RemoteFacts, fetch_model
from bitreel.library.store.milvus_files import ids_of
from bitreel.progress import Progress

if TYPE_CHECKING:
    from bitreel.model import Model


@dataclass
class MilvusRemodelling:
    """See `Remodelling`. Every method raises LibraryError."""

    client: MilvusClient
    progress: Progress
    runtime: str = "auto"
    forget_missing: bool = False

    def __post_init__(self) -> None:
        self.remote = MilvusFacts(self.client)

    def migrate(self, model: Model | None) -> MigrationReport:
        facts = self.remote.read()
        wanted = facts.under_way if model is None else model.fingerprint
        if wanted is None:
            raise LibraryError(
                f"No migration of {self.client.address} is under way: name its new model."
            )
        if wanted == facts.fingerprint:
            return self._report(facts, {}, changed=False)
        self._check_none_but(wanted, facts)
        if model is not None:
            self.remote.put_model(model)
        else:
            model = fetch_model(self.remote, wanted, self.runtime)
        if facts.under_way is None:
            facts = replace(facts, under_way=wanted, under_way_bits=model.bits)
            self.remote.write(facts)
        return self._change(facts, model, rolled_back=False)

    def roll_back(self) -> MigrationReport:
        facts = self.remote.read()
        if facts.former is None:
            raise LibraryError(f"Nothing is kept of what {self.client.address} was before.")
        if facts.rolled_back:
            return self._report(facts, {}, changed=False)
        self._check_none_but(facts.former, facts)
        model = fetch_model(self.remote, facts.former, self.runtime)
        return self._change(facts, model, rolled_back=True)

    def abandon(self) -> bool:
        facts = self.remote.read()
        if facts.under_way is None:
            return False
        self.remote.write(replace(facts, under_way=None, under_way_bits=None))
        if facts.under_way != facts.former:
            self._catalogue(facts.under_way, facts.bits).drop()
        return True

    def discard_kept(self) -> bool:
        facts = self.remote.read()
        if facts.former is None:
            return False
        self.remote.write(replace(facts, former=None, former_bits=None, rolled_back=False))
        if facts.former != facts.under_way:
            self._catalogue(facts.former, facts.bits).drop()
        return True

    def _check_none_but(self, wanted: str, facts: RemoteFacts) -> None:
        """Raises LibraryError where another migration is under way."""
        if facts.under_way not in (None, wanted):
            raise LibraryError(
                f"{self.client.address} is on its way to the model {facts.under_way[:12]}: go on "
                f"with that one, or give it up by `bitreel migrate {self.client.address} "
                f"--abandon`."
            )

    def _change(self, facts: RemoteFacts, model: Model, *, rolled_back: bool) -> MigrationReport:
        old = self._catalogue(facts.fingerprint, facts.bits)
        new = self._catalogue(model.fingerprint, model.bits)
        new.create()
        run = ReEncoding(old, new, facts.segmenting, lambda: model, self.progress)
        lost = self._encode(run, forget=self.forget_missing)
        _take_over_ledger(old, new, lost)
        now = replace(
            facts,
            bits=model.bits,
            fingerprint=model.fingerprint,
            former=facts.fingerprint,
            former_bits=facts.bits,
            rolled_back=rolled_back,
            under_way=None,
            under_way_bits=None,
        )
        self.remote.write(now)
        # Whoever had begun to write a video before that is noticed now.
        lost |= self._encode(run, forget=True)
        if facts.former not in (None, now.fingerprint, now.former):
            self._catalogue(facts.former, facts.bits).drop()
        return self._report(now, lost, changed=True)

    def _encode(self, run: ReEncoding, *, forget: bool) -> dict[Path, str]:
        """Until none is missing. The videos that can not be encoded, with the reason."""
        while (missing := run.missing()) is None:
            run.encode_missing()
        if missing and not forget:
            raise VideosMissing(str(self.client.address), missing)
        return missing

    def _report(
        self, facts: RemoteFacts, lost: dict[Path, str], *, changed: bool
    ) -> MigrationReport:
        catalogue = self._catalogue(facts.fingerprint, facts.bits)
        videos, segments = catalogue.files.count(Fate.INDEXED), catalogue.segments()
        return MigrationReport(changed, facts.fingerprint, facts.bits, videos, segments, lost)

    def _catalogue(self, fingerprint: str, bits: int) -> MilvusCatalogue:
        return MilvusCatalogue(self.client, fingerprint, bits)


def under_way(client: MilvusClient, facts: RemoteFacts) -> UnderWay | None:
    if facts.under_way is None:
        return None
    bits = facts.under_way_bits or facts.bits  # an earlier version did not write them
    new = MilvusCatalogue(client, facts.under_way, bits)
    old = MilvusCatalogue(client, facts.fingerprint, facts.bits)
    total, done = old.files.count(Fate.INDEXED), 0
    if client.has(new.files.collection):
        done = min(total, new.files.count(Fate.INDEXED))  # some of an earlier state of their file
    return UnderWay(facts.under_way, bits, done, total)


def kept_model(client: MilvusClient, facts: RemoteFacts) -> KeptModel | None:
    if facts.former is None or facts.former_bits is None:
        return None
    kept = MilvusCatalogue(client, facts.former, facts.former_bits)
    return KeptModel(
        facts.former, facts.former_bits, kept.files.count(Fate.INDEXED), facts.rolled_back
    )


def _take_over_ledger(old: MilvusCatalogue, new: MilvusCatalogue, lost: dict[Path, str]) -> None:
    """What has no codes stands in the new ledger as it did in the old one, and what was removed
    meanwhile is removed."""
    entries = old.entries()
    known = {entry.path for entry in entries}
    new.delete([path for path in new.paths() if path not in known])
    new.relabel({e.path: e.label for e in entries if e.fate is Fate.INDEXED and e.label})
    there = new.entries_of(entry.path for entry in entries if entry.fate is not Fate.INDEXED)
    rest = [entry for entry in entries if not _is_indexed(entry, there.get(entry.path))]
    for fate in (Fate.QUARANTINED, Fate.SKIPPED):
        records = [_record(entry) for entry in rest if entry.fate is fate]
        new.stored.forget_others(ids_of(record.path for record in records))
        new.files.put(records, skipped=fate is Fate.SKIPPED)
    _lose(new, [entry for entry in entries if entry.path in lost], lost)


def _is_indexed(entry: Entry, theirs: Entry | None) -> bool:
    """What one model could not read another may have read, from the same state of the file."""
    return theirs is not None and theirs.fate is Fate.INDEXED and theirs.state == entry.state


def _lose(new: MilvusCatalogue, entries: Sequence[Entry], lost: dict[Path, str]) -> None:
    new.add([VideoRecord(e.path, e.state, e.label, reason=lost[e.path]) for e in entries])


def _record(entry: Entry) -> VideoRecord:
    return VideoRecord(entry.path, entry.state, entry.label, reason=entry.reason or "unknown")
