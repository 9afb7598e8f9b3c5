"""The audit: hands `journal.verify` everything that is stored of a run."""

from __future__ import annotations

from harness.adapters.journal_anchor import read_anchor
from harness.adapters.journal_blobs import Blobs
from harness.adapters.journal_keys import Keys
from harness.adapters.journal_reads import Reads
from harness.errors import JournalDamaged, RunNotFound
from harness.journal.verify import BlobState, Verdict, verify

__all__ = ["audit"]


def audit(run: str, reads: Reads, keys: Keys, blobs: Blobs) -> Verdict:
    """Return what is wrong with a run, if anything; the run may be at work meanwhile.

    Raises:
        RunNotFound: Neither the database nor the keys folder ever knew it.
    """
    # The anchors first: they must not know more than the database.
    anchors = list(read_anchor(keys.anchor_file(run), run))
    head, links, sealed = reads.snapshot(run)
    if head is None and not links and not anchors:
        raise RunNotFound(f"There is no run {run}, and there never was.")

    def blob_state(name: str) -> BlobState:
        try:
            return blobs.state(run, name)
        except JournalDamaged:
            return "missing"  # an altered row may name what is no name

    def reasoning_state(seq: int, digest: str) -> BlobState:
        if seq not in sealed:
            return "missing"
        return "sound" if sealed[seq] == digest else "changed"

    return verify(
        run,
        links,
        head=head,
        anchors=anchors,
        signed_by_us=keys.signed_by_us,
        blob_state=blob_state,
        reasoning_state=reasoning_state,
    )
