"""Verify: compare a run's rows with the chain, the signed head, the anchors and the blobs.

Pure: it is given what is stored and says what was done to it. It needs no key of the run, so an
erased run verifies too. What each attack on the state folder leaves to see:

    a field or payload changed           its hash does not fit the row               `changed`
    an event taken out                   a gap, or numbers that moved down           `removed`
    an event put in                      numbers that moved up, no place in the chain `inserted`
    events swapped                       hashes that fit another number              `reordered`
    the last events cut off              the signed head, or the anchor, goes on     `truncated`
    hashed anew from some event on       the chain fits, head and anchors do not     `rewritten`
    and the head replaced by an older    it is signed, but the anchor goes on        `truncated`
    the whole run taken out              the anchor is still there                   `truncated`
    a blob altered or taken away         its hash is not its name                    `blob_…`
    sealed reasoning likewise            its hash is not what the event says         `reasoning_…`

Who can also write the keys folder can sign and anchor anything: it is kept apart for that
reason. Right after a power cut the anchor may lack the last heads; that is a note, no finding.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.journal.chain import GENESIS, Head, Link, SignedHead, link_hash
from harness.journal.places import out_of_place

__all__ = ["BlobState", "Finding", "FindingKind", "Verdict", "verify"]

FindingKind = Literal[
    "changed",
    "removed",
    "inserted",
    "reordered",
    "truncated",
    "rewritten",
    "head",
    "blob_missing",
    "blob_changed",
    "reasoning_missing",
    "reasoning_changed",
]
BlobState = Literal["sound", "missing", "changed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is not as it was written.

    Attributes:
        seq: The event that it is about, as numbered now; for what is gone, as it was.
        message: In plain words.
    """

    kind: FindingKind
    seq: int
    message: str

    def __str__(self) -> str:
        return f"event {self.seq}: {self.kind}: {self.message}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What came of a verification.

    Attributes:
        events: How many there are.
        findings: By event; empty where all is as it was written.
        notes: What is no sign of an attack, but good to know.
    """

    run: str
    events: int
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Nothing was found."""
        return not self.findings


def verify(
    run: str,
    rows: Iterable[Link],
    *,
    head: SignedHead | None,
    anchors: Sequence[SignedHead],
    signed_by_us: Callable[[SignedHead], bool],
    blob_state: Callable[[str], BlobState],
    reasoning_state: Callable[[int, str], BlobState],
) -> Verdict:
    """Check everything that is stored of a run.

    Args:
        run: Its id.
        rows: By number.
        head: As the database has it; None where the run's row is gone.
        anchors: Oldest first.
        signed_by_us: Whether a signature is of the signing key.
        blob_state: Of the blob of that name.
        reasoning_state: Of the sealed reasoning of an event, by the hash it should have.
    """
    kept = list(rows)
    findings = _chain(kept, [one.head for one in (*anchors, *([head] if head else ()))])
    findings += _apart(kept, blob_state, reasoning_state)
    findings += _heads(kept, head, anchors, signed_by_us, chain_holds=not findings)
    last = kept[-1].seq if kept else 0
    anchored = max((one.head.seq for one in anchors), default=0)
    notes = []
    if anchored < last:
        notes.append(
            f"the anchor ends at event {anchored} of {last}, as after a power cut or a full disk: "
            "what follows it is vouched for by the signed head alone"
        )
    findings.sort(key=lambda one: one.seq)
    return Verdict(run=run, events=len(kept), findings=tuple(findings), notes=tuple(notes))


def _chain(rows: Sequence[Link], heads: Collection[Head]) -> list[Finding]:
    """Return what the rows show; heads help to tell the true ones."""
    fits = [link_hash(row) == row.hash for row in rows]
    linked = all(
        row.previous == (rows[at - 1].hash if at else GENESIS) and row.seq == at + 1
        for at, row in enumerate(rows)
    )
    if linked and all(fits):
        return []
    return [
        Finding(kind=kind, seq=seq, message=message)
        for kind, seq, message in out_of_place(rows, fits, heads)
    ]


def _apart(
    rows: Sequence[Link],
    blob_state: Callable[[str], BlobState],
    reasoning_state: Callable[[int, str], BlobState],
) -> list[Finding]:
    """Return what is wrong with what is kept beside the rows."""
    findings: list[Finding] = []
    seen: set[str] = set()
    for row in rows:
        for name in (*row.blobs.split(), *row.spilled.split()):
            state = "sound" if name in seen else blob_state(name)
            seen.add(name)
            if state != "sound":
                kind: FindingKind = "blob_missing" if state == "missing" else "blob_changed"
                what = f"the blob {name[:12]} that it names is {state}"
                findings.append(Finding(kind=kind, seq=row.seq, message=what))
        state = reasoning_state(row.seq, row.sealed) if row.sealed else "sound"
        if state != "sound":
            kind = "reasoning_missing" if state == "missing" else "reasoning_changed"
            what = f"the sealed reasoning of this message is {state}"
            findings.append(Finding(kind=kind, seq=row.seq, message=what))
    return findings


def _heads(
    rows: Sequence[Link],
    head: SignedHead | None,
    anchors: Sequence[SignedHead],
    signed_by_us: Callable[[SignedHead], bool],
    *,
    chain_holds: bool,
) -> list[Finding]:
    """Return what heads and anchors show. Where the chain is broken, only what it can't show.

    An anchor that agrees with the rows proves nothing new: signatures are checked of the others.
    """
    last = rows[-1].seq if rows else 0
    findings = _own_head(head, rows, anchors, signed_by_us)
    if not chain_holds:
        findings = [one for one in findings if one.kind == "head"]
    trusted = [*anchors, head] if head is not None and not findings else list(anchors)
    there = {row.hash for row in rows}  # rows that moved up are no tail cut off
    beyond = (one for one in reversed(trusted) if one.head.seq > last)
    beyond = (one for one in beyond if one.head.hash not in there)
    furthest = next((one.head.seq for one in beyond if signed_by_us(one)), 0)
    if furthest:
        gone = f"events {last + 1} to {furthest}" if furthest > last + 1 else f"event {furthest}"
        what = f"{gone} had been recorded and {'are' if furthest > last + 1 else 'is'} gone"
        findings.append(Finding(kind="truncated", seq=last + 1, message=what))
    if chain_holds:
        findings += _rewritten(rows, trusted, signed_by_us)
    return findings


def _own_head(
    head: SignedHead | None,
    rows: Sequence[Link],
    anchors: Sequence[SignedHead],
    signed_by_us: Callable[[SignedHead], bool],
) -> list[Finding]:
    """Return what is wrong with the head in the database."""
    last = rows[-1].seq if rows else 0
    if head is None:
        what = "the run's own row, with the signed head, is gone"
        return [Finding(kind="head", seq=last, message=what)]
    seq = head.head.seq
    if seq and not signed_by_us(head):
        what = "the signature of the head is not this journal's"
        return [Finding(kind="head", seq=seq, message=what)]
    if seq < last:
        if any(one.head.seq > seq for one in anchors):
            what = f"the signed head was put back to an older one, of event {seq}"
            return [Finding(kind="head", seq=seq, message=what)]
        what = f"the signed head is event {seq}: what follows it was put in"
        return [Finding(kind="inserted", seq=seq + 1, message=what)]
    return []


def _rewritten(
    rows: Sequence[Link], heads: Sequence[SignedHead], signed_by_us: Callable[[SignedHead], bool]
) -> list[Finding]:
    """Return the first event that a signed head says was another one."""
    by_seq = {row.seq: row.hash for row in rows}
    good = 0
    for one in sorted(heads, key=lambda signed: signed.head.seq):
        seq = one.head.seq
        if by_seq.get(seq, one.head.hash) == one.head.hash:
            good = seq
        elif signed_by_us(one):
            first = good + 1
            where = f"events {first} to {seq} differ" if first < seq else f"event {first} differs"
            what = f"hashed anew from here on: {where} from what was signed"
            return [Finding(kind="rewritten", seq=first, message=what)]
    return []
