"""The chain: each event's hash covers its own row and the hash of the event before it.

What is hashed is the row as stored, the payload by the hash of its ciphertext: so the chain can
be checked by who has no key, and still holds after a run's key was destroyed. The chain alone
shows a change in the middle; a tail cut off, or a run rewritten from some event on and hashed
anew, is shown by the signed heads (`SignedHead`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

__all__ = ["GENESIS", "Head", "Link", "SignedHead", "head_statement", "link_hash", "sha256"]

GENESIS = bytes(32)
"""What stands for the event before the first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """One row of the journal, as far as the chain covers it.

    Attributes:
        at: Microseconds since 1970, UTC.
        digest: SHA-256 of the payload's ciphertext, hexadecimal.
        spilled: Name of the blob that holds a payload too large for a row, or empty.
        blobs: Names of blobs that the event names, space between: so they can be checked by
            who can't read the payload.
        sealed: SHA-256 of the sealed reasoning's ciphertext that belongs to the event, or empty.
        previous: Hash of the event before.
        hash: Of this event.
    """

    run: str
    seq: int
    at: int
    type: str
    version: int
    digest: str
    spilled: str = ""
    blobs: str = ""
    sealed: str = ""
    previous: bytes
    hash: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """The last event of a run at some time; `seq` 0 before the first."""

    run: str
    seq: int
    hash: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedHead:
    """A head, and the signature of `head_statement` over it."""

    head: Head
    signature: bytes


def sha256(data: bytes) -> str:
    """Return the SHA-256, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def link_hash(link: Link, *, seq: int | None = None) -> bytes:
    """Return the hash that a row should have: SHA-256 over its canonical JSON.

    Args:
        link: The row; its own `hash` plays no part.
        seq: In place of its own number.
    """
    row = [
        link.previous.hex(),
        link.run,
        link.seq if seq is None else seq,
        link.at,
        link.type,
        link.version,
        link.digest,
        link.spilled,
        link.blobs,
        link.sealed,
    ]
    return hashlib.sha256(json.dumps(row, separators=(",", ":")).encode()).digest()


def head_statement(head: Head) -> bytes:
    """Return what is signed for a head."""
    said = ["harness journal head", head.run, head.seq, head.hash.hex()]
    return json.dumps(said, separators=(",", ":")).encode()
