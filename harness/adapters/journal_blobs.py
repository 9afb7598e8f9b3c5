"""Blobs: content kept beside the events, named by the hash of its ciphertext.

A small one stands in a table of the database and is written with the event that names it: a file
of its own would take five syncs of the disk. A large one has a file.

Named so, rather than by the content's own hash: the name tells nobody what the content is, the
same content has one file in a run (sealing is deterministic, see `journal_seal`), and `verify`
needs no key, also after the run was erased. A file is synced, with its folder, before `put`
returns, and so before the event that names it.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path

from harness.adapters.journal_keys import sync_folder
from harness.adapters.journal_seal import RunCipher
from harness.errors import JournalDamaged, JournalFull, StateError, UsageError
from harness.journal.chain import sha256
from harness.journal.parts import Blob
from harness.journal.verify import BlobState

__all__ = ["IN_TABLE", "MAX_BYTES", "Blobs"]

IN_TABLE = 256 * 1024
"""Bytes up to which content stands in the database."""
MAX_BYTES = 1 << 30
"""Largest content; sealing needs all of it in memory."""
_NAME = re.compile(r"[0-9a-f]{64}")


def _no_row(run: str, name: str) -> bytes | None:
    del run, name
    return None


class Blobs:
    """The blobs of all runs.

    Args:
        folder: `blobs/` of the state folder.
        row: Returns the ciphertext that the database has under a run and a name, or None.
    """

    def __init__(self, folder: Path, row: Callable[[str, str], bytes | None] = _no_row) -> None:
        self.folder = folder
        self._row = row

    def put(self, run: str, cipher: RunCipher, data: bytes) -> Blob:
        """Keep content durably in a file and return its name.

        Raises:
            JournalFull: No room.
            StateError: The folder can't be written.
            UsageError: It is larger than `MAX_BYTES`.
        """
        if len(data) > MAX_BYTES:
            raise UsageError(f"A blob of {len(data):,} bytes is too large to keep.")
        sealed = cipher.seal_blob(data)
        name = sha256(sealed)
        file = self.file(run, name)
        if not self._holds(file, len(sealed)):
            try:
                self._write(file, sealed)
            except OSError as error:
                raise self._in_words(error) from error
        return Blob(hash=name, bytes=len(data))

    def get(self, run: str, cipher: RunCipher, name: str) -> bytes:
        """Return a blob's content.

        Raises:
            JournalDamaged: It is not there, or was altered.
        """
        file = self.file(run, name)
        try:
            sealed = self._row(run, name)
            sealed = file.read_bytes() if sealed is None else sealed
            if sha256(sealed) != name:  # another blob of the run, put in its place, would open
                raise ValueError(name)
            return cipher.open_blob(sealed)
        except FileNotFoundError:
            raise JournalDamaged(
                f"The blob {name[:12]} of run {run} is not in {self.folder}.",
                "Put it back from a backup.",
            ) from None
        except ValueError:
            raise JournalDamaged(f"The blob {name[:12]} of run {run} was altered.") from None
        except OSError as error:
            raise self._in_words(error) from error

    def has(self, run: str, name: str) -> bool:
        """Whether the run has a blob of that name."""
        return self.file(run, name).exists() or self._row(run, name) is not None

    def state(self, run: str, name: str) -> BlobState:
        """Return `sound`, `missing` or `changed`; needs no key."""
        file = self.file(run, name)
        try:
            sealed = self._row(run, name)
            sealed = file.read_bytes() if sealed is None else sealed
            return "sound" if sha256(sealed) == name else "changed"
        except OSError:
            return "missing"

    def file(self, run: str, name: str) -> Path:
        """Return where a blob lies.

        Raises:
            JournalDamaged: That is no name of a blob.
        """
        if not _NAME.fullmatch(name):
            raise JournalDamaged(f"Run {run} names a blob {name[:80]!r}, which is no name.")
        return self.folder / run / name[:2] / name

    def _holds(self, file: Path, size: int) -> bool:
        try:
            return file.stat().st_size == size
        except OSError:
            return False

    def _write(self, file: Path, sealed: bytes) -> None:
        folder = file.parent
        for made in (self.folder, folder.parent, folder):
            if not made.is_dir():
                made.mkdir(parents=True, exist_ok=True)
                sync_folder(made.parent)
        part = folder / f".{secrets.token_hex(8)}.part"
        try:
            with part.open("xb") as out:
                out.write(sealed)
                out.flush()
                os.fsync(out.fileno())
            part.replace(file)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        sync_folder(folder)

    def _in_words(self, error: OSError) -> StateError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return JournalFull(
                f"There is no room left in {self.folder}.",
                "Free some space; what was written before is safe, and the run can go on.",
            )
        return StateError(f"A blob can't be kept in {self.folder}: {error.strerror or error}.")
