"""Rows: events, commands and summaries as the database has them, sealed, and back."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from harness.adapters.journal_blobs import IN_TABLE, Blobs
from harness.adapters.journal_seal import RunCipher
from harness.errors import JournalDamaged, UsageError
from harness.journal.chain import Head, Link, link_hash, sha256
from harness.journal.codec import blobs_of, load_event, to_bytes, to_tree
from harness.journal.events import Event, MessageCompleted, Recorded, UnknownEvent
from harness.journal.masking import Masker
from harness.journal.parts import Blob
from harness.journal.summary import Tally

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["INLINE_BYTES", "Sealer", "link_of", "open_event", "tally_columns", "tally_of", "when"]

INLINE_BYTES = 64 * 1024
"""A payload above this goes to a blob."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Sealer:
    """Makes the rows of one run.

    Args:
        run: Its id.
        cipher: Of the run.
        blobs: Where large payloads go.
        masker: Strikes out secrets before anything else is done.
    """

    def __init__(self, run: str, cipher: RunCipher, blobs: Blobs, masker: Masker) -> None:
        self.run, self.cipher, self.blobs, self.masker = run, cipher, blobs, masker
        self.fresh: dict[str, bytes] = {}
        self._known: set[str] = set()

    def keep(self, data: bytes) -> Blob:
        """Return the name of content that is kept; a small one is written with the next commit.

        Raises:
            JournalFull: No room for a large one.
        """
        if len(data) > IN_TABLE:
            return self.blobs.put(self.run, self.cipher, data)
        sealed = self.cipher.seal_blob(data)
        name = sha256(sealed)
        if name not in self._known:
            self.fresh[name] = sealed
        return Blob(hash=name, bytes=len(data))

    def written(self) -> None:
        """The fresh blobs are in the database now."""
        self._known.update(self.fresh)
        self.fresh = {}

    def _has(self, name: str) -> bool:
        return name in self.fresh or name in self._known or self.blobs.has(self.run, name)

    def masked(self, event: Event) -> tuple[Event, bytes]:
        """Return the event without secrets, and its JSON.

        Raises:
            UsageError: It is nested too deeply to be written.
        """
        if isinstance(event, UnknownEvent):
            return event, event.payload
        try:
            tree = to_tree(event)
            masked = self.masker.tree(tree)
            payload = to_bytes(masked)
            if masked is not tree:
                event = load_event(event.TYPE, event.VERSION, payload)
        except RecursionError:
            raise UsageError(f"The {event.TYPE} event is nested too deeply.") from None
        return event, payload

    def link(self, event: Event, payload: bytes, head: Head, at: int) -> tuple[Link, bytes | None]:
        """Return the row of the event that comes after `head`, and its ciphertext if it holds it.

        Raises:
            UsageError: The event names a blob that is not there.
            JournalFull: No room for a large payload.
        """
        named = blobs_of(event)
        for name in named:
            if not self._has(name):
                raise UsageError(f"An event names the blob {name[:12]}, which was never put.")
        kind, version = event.TYPE, event.VERSION
        if isinstance(event, UnknownEvent):
            kind, version = event.name, event.version
        seq = head.seq + 1
        sealed, spilled = None, ""
        if len(payload) > INLINE_BYTES:
            spilled = digest = self.keep(payload).hash
        else:
            sealed = self.cipher.seal(payload, _place(seq, kind, version))
            digest = sha256(sealed)
        link = Link(
            run=self.run,
            seq=seq,
            at=at,
            type=kind,
            version=version,
            digest=digest,
            spilled=spilled,
            blobs=" ".join(named),
            sealed=event.reasoning if isinstance(event, MessageCompleted) else "",
            previous=head.hash,
        )
        return replace(link, hash=link_hash(link)), sealed


def open_event(row: sa.Row[Any], cipher: RunCipher, blobs: Blobs) -> Recorded:
    """Return what a row of the events table holds.

    Raises:
        JournalDamaged: It was altered.
    """
    run, seq, at, kind, version, payload, spilled, named, _, _, digest = tuple(row)
    try:
        if payload is None:
            payload = blobs.get(run, cipher, spilled)
        else:
            payload = cipher.open(payload, _place(seq, kind, version))
        event = load_event(kind, version, payload, tuple(named.split()))
    except ValueError as error:
        raise JournalDamaged(
            f"Event {seq} of run {run} was altered: {error}.",
            f"`harness runs verify {run}` says what else was.",
        ) from error
    return Recorded(run=run, seq=seq, at=when(at), event=event, hash=digest.hex())


def link_of(row: sa.Row[Any]) -> Link:
    """Return a row of the events table as the chain sees it."""
    return Link(
        run=row.run,
        seq=row.seq,
        at=row.at,
        type=row.type,
        version=row.version,
        digest=row.spilled if row.payload is None else sha256(row.payload),
        spilled=row.spilled,
        blobs=row.blobs,
        sealed=row.sealed,
        previous=row.previous,
        hash=row.hash,
    )


def tally_columns(tally: Tally, cipher: RunCipher) -> dict[str, Any]:
    """Return a tally as columns of the runs table, the goal sealed."""
    columns = {field.name: getattr(tally, field.name) for field in dataclasses.fields(tally)}
    columns["goal"] = cipher.seal(to_bytes(tally.goal), "goal")
    columns["waiting"] = json.dumps(tally.waiting)
    columns["usd"] = None if tally.usd is None else str(tally.usd)
    return columns


def tally_of(row: sa.Row[Any], cipher: RunCipher | None) -> Tally:
    """Return the tally of a row of the runs table; without a cipher, its goal is empty.

    Raises:
        JournalDamaged: The goal was altered.
    """
    goal = ""
    if cipher is not None and row.goal:
        try:
            goal = json.loads(cipher.open(row.goal, "goal"))
        except ValueError:
            raise JournalDamaged(f"The summary of run {row.run} was altered.") from None
    return Tally(
        domain=row.domain,
        model=row.model,
        goal=goal,
        state=row.state,
        waiting=tuple(json.loads(row.waiting)),
        steps=row.steps,
        tokens=row.tokens,
        usd=None if row.usd is None else Decimal(row.usd),
        parent=row.parent,
        relation=row.relation,
    )


def when(microseconds: int) -> datetime:
    """Return a time of the database, UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def _place(seq: int, name: str, version: int) -> str:
    return f"event {seq} {name} {version}"
