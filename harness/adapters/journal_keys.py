"""The keys folder: a key for each run, the key that signs heads, and the anchors.

It lies outside the state folder, so that who can write the one can't pass for the other, and a
copy or backup of the state alone can't be read. Files are 0600, folders 0700. A run's key is made
and synced before its first event. Erasing writes a tombstone, overwrites the key, and removes it;
a crash in between is made good at the next look. (A file system that copies on write, or a
backup of this folder, may hold the key longer: leave the folder out of backups that outlive it.)

    keys/sign.key              Ed25519, private         keys/runs/<run>.key  256 bits, .erased
    keys/sign.pub              for who only verifies    keys/anchors/<place>/<run>

The keys of all journals of a user lie in one folder; anchors are kept apart by where the journal
is, so that one journal does not miss the runs of another. An anchor has one line a commit.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import JournalDamaged, RunErased, StateError
from harness.journal.chain import Head, SignedHead, head_statement

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["Keys", "sync_folder"]


class Keys:
    """A keys folder; it is made when the first key is.

    Args:
        folder: Outside the state folder.
        place: Where the journal is: path or URL.
    """

    def __init__(self, folder: Path, place: str = "") -> None:
        self.folder = folder
        self._anchors = f"anchors/{hashlib.sha256(place.encode()).hexdigest()[:16]}"
        self._signer: Ed25519PrivateKey | None = None

    # --- keys of runs -------------------------------------------------------------------------

    def make(self, run: str) -> bytes:
        """Make the key of a new run, durably, or return the one that is there.

        Raises:
            StateError: The folder can't be written.
            RunErased: The run of that name was erased.
        """
        self._refuse_erased(run)
        return self._make_once(self._key_file(run), secrets.token_bytes(32))

    def load(self, run: str) -> bytes:
        """Return a run's key.

        Raises:
            RunErased: It was destroyed.
            JournalDamaged: It is not there, and nobody erased it.
        """
        self._refuse_erased(run)
        file = self._key_file(run)
        try:
            key = file.read_bytes()
        except FileNotFoundError:
            key = b""
        except OSError as error:
            raise StateError(f"{file} can't be read: {error.strerror}.") from error
        if len(key) != 32:
            raise JournalDamaged(
                f"The key of run {run} is not in {self.folder}.",
                "Is HARNESS_KEYS the folder that it was made in?",
            )
        return key

    def erased(self, run: str) -> bool:
        """Whether the run's key was destroyed."""
        return self._tombstone(run).exists()

    def erase(self, run: str) -> None:
        """Destroy a run's key for good.

        Raises:
            StateError: The folder can't be written; the key may still be there.
        """
        try:
            self._folder("runs")
            self._tombstone(run).touch(mode=0o600)
            sync_folder(self.folder / "runs")
            self._destroy(run)
        except OSError as error:
            raise StateError(
                f"The key of run {run} could not be destroyed: {error.strerror}.",
                f"Mend the permissions of {self.folder} and erase the run again.",
            ) from error

    def _destroy(self, run: str) -> None:
        file = self._key_file(run)
        try:
            handle = os.open(file, os.O_WRONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return
        try:
            os.write(handle, secrets.token_bytes(32))
            os.fsync(handle)
        finally:
            os.close(handle)
        file.unlink(missing_ok=True)
        sync_folder(file.parent)

    def _refuse_erased(self, run: str) -> None:
        if self.erased(run):
            self._destroy(run)  # a crash may have left it half done
            raise RunErased(f"Run {run} was erased: its key is destroyed.")

    # --- heads --------------------------------------------------------------------------------

    def sign(self, head: Head) -> SignedHead:
        """Return the head with a signature.

        Raises:
            StateError: The signing key can't be made or read.
        """
        if self._signer is None:
            self._signer = self._load_signer()
        return SignedHead(head=head, signature=self._signer.sign(head_statement(head)))

    def signed_by_us(self, signed: SignedHead) -> bool:
        """Whether the signature is of this folder's key."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            public = Ed25519PublicKey.from_public_bytes((self.folder / "sign.pub").read_bytes())
            public.verify(signed.signature, head_statement(signed.head))
        except (InvalidSignature, ValueError, OSError):
            return False
        return True

    def _load_signer(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        seed = self._make_once(self.folder / "sign.key", secrets.token_bytes(32))
        signer = Ed25519PrivateKey.from_private_bytes(seed)
        self._make_once(self.folder / "sign.pub", signer.public_key().public_bytes_raw())
        return signer

    # --- files --------------------------------------------------------------------------------

    def anchor_file(self, run: str) -> Path:
        """Where a run's heads are anchored; its folder is there after this.

        A journal that was moved finds its anchors where it was before: no two runs have one id.
        """
        file = self._folder(self._anchors) / run
        if not file.exists():
            elsewhere = (one / run for one in (self.folder / "anchors").iterdir())
            return next((one for one in elsewhere if one.exists()), file)
        return file

    def anchored_runs(self) -> list[str]:
        """Return the runs of this journal that have an anchor, sorted."""
        folder = self.folder / self._anchors
        return sorted(file.name for file in folder.iterdir()) if folder.is_dir() else []

    def _key_file(self, run: str) -> Path:
        return self.folder / "runs" / f"{run}.key"

    def _tombstone(self, run: str) -> Path:
        return self.folder / "runs" / f"{run}.erased"

    def _folder(self, name: str) -> Path:
        folder = self.folder / name if name else self.folder
        try:
            if not folder.is_dir():
                folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                folder.mkdir(mode=0o700, exist_ok=True)
                self.folder.chmod(0o700)
                folder.parent.chmod(0o700)
                sync_folder(folder.parent)
        except OSError as error:
            raise StateError(
                f"The keys folder {folder} can't be made: {error.strerror}.",
                "Set HARNESS_KEYS to a folder of your own.",
            ) from error
        return folder

    def _make_once(self, file: Path, content: bytes) -> bytes:
        """Write a file whole and synced unless it is there; return what it holds.

        A link, unlike a rename, fails where another process was first.
        """
        if file.exists():
            return file.read_bytes()
        folder = self._folder("runs" if file.parent != self.folder else "")
        part = folder / f".{file.name}.{secrets.token_hex(4)}"
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                os.write(handle, content)
                os.fsync(handle)
            finally:
                os.close(handle)
            try:
                os.link(part, file)
            except FileExistsError:
                return file.read_bytes()
            finally:
                part.unlink()
            sync_folder(folder)
        except OSError as error:
            raise StateError(
                f"No key could be written in {folder}: {error.strerror}.",
                "Free some space, or set HARNESS_KEYS to a folder of your own.",
            ) from error
        return content


def sync_folder(folder: Path) -> None:
    """Make what was created, renamed or removed in a folder last through a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
