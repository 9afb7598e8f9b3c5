"""Anchors: every head of a run, once more, in a file outside the state folder.

A line is written after its commit and not synced: after a power cut the anchor may lack the last
heads (it lags), but it never names one that the database does not have (it never leads). So a
database that is behind its anchor was cut or put back from a copy, and one whose hashes differ
from an anchored one was rewritten. What each attack leaves to see is told in `journal.verify`.
"""

from __future__ import annotations

import binascii
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from harness.journal.chain import Head, SignedHead

__all__ = ["Anchor", "last_anchor", "read_anchor"]

LINES = 4096
"""Bytes that surely hold the last whole line."""
LOG = logging.getLogger(__name__)


class Anchor:
    """A run's anchor, opened to add to it.

    Args:
        file: Made where it is not there.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._handle: int | None = None
        self._torn = True  # a line of an earlier process may be unfinished

    def add(self, signed: SignedHead) -> None:
        """Add a head. What can't be written is told in the log, not raised: the events stand."""
        head = signed.head
        signature = binascii.b2a_base64(signed.signature, newline=False).decode()
        line = f"{head.seq} {head.hash.hex()} {signature}\n".encode()
        try:
            if self._handle is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
                self._handle = os.open(self._file, flags, 0o600)
            if self._torn and os.fstat(self._handle).st_size:
                line = b"\n" + line
            self._torn = os.write(self._handle, line) != len(line)
        except OSError as error:
            self._torn = True
            LOG.warning("The anchor %s is behind: %s", self._file, error.strerror)

    def close(self) -> None:
        """Sync what was added, and close."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            try:
                os.fsync(handle)
            except OSError as error:
                LOG.warning("The anchor %s is behind: %s", self._file, error.strerror)
            finally:
                os.close(handle)


def last_anchor(file: Path, run: str) -> SignedHead | None:
    """Return the newest head in a run's anchor."""
    try:
        with file.open("rb") as lines:
            lines.seek(max(0, lines.seek(0, os.SEEK_END) - LINES))
            *_, last = [None, *_heads(lines.read(), run)]
    except FileNotFoundError:
        return None
    return last


def read_anchor(file: Path, run: str) -> Iterator[SignedHead]:
    """Yield a run's anchored heads, oldest first; a torn line is passed over."""
    try:
        yield from _heads(file.read_bytes(), run)
    except FileNotFoundError:
        return


def _heads(content: bytes, run: str) -> Iterator[SignedHead]:
    for line in content.splitlines():
        try:
            seq, digest, signature = line.decode().split()
            head = Head(run=run, seq=int(seq), hash=bytes.fromhex(digest))
            yield SignedHead(head=head, signature=binascii.a2b_base64(signature))
        except ValueError:
            continue
