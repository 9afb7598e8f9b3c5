"""Sealing: what a run's key opens, and nothing else does.

AES-256-GCM with a key of its own for each use, derived from the run's key: who is handed the
cipher for events can't open sealed reasoning. What a ciphertext belongs to (run, number, type) is
authenticated with it, so that one moved elsewhere does not open. Nonces are random, but for blobs:
there the nonce is a keyed hash of the content, so that the same content of one run is one file,
and its name, the hash of the ciphertext, can be checked by who has no key.
"""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["RunCipher"]

NONCE = 12


class RunCipher:
    """Seals and opens what belongs to one run.

    Args:
        run: Its id.
        key: 32 bytes.
    """

    def __init__(self, run: str, key: bytes) -> None:
        self._about = run.encode() + b"\0"
        self._key = key
        self._events = AESGCM(_derive(key, b"events"))
        self._blobs = AESGCM(_derive(key, b"blobs"))
        self._nonces = _derive(key, b"blob nonces")

    def seal(self, data: bytes, place: str) -> bytes:
        """Return the ciphertext; `place` says what it is, and has to be said again to open it."""
        nonce = os.urandom(NONCE)
        return nonce + self._events.encrypt(nonce, data, self._about + place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Return what was sealed.

        Raises:
            ValueError: It was altered, or is another run's or another place's.
        """
        return _open(self._events, sealed, self._about + place.encode())

    def seal_blob(self, data: bytes) -> bytes:
        """Return the ciphertext of a blob: always the same for the same content."""
        nonce = hmac.digest(self._nonces, data, "sha256")[:NONCE]
        return nonce + self._blobs.encrypt(nonce, data, self._about)

    def open_blob(self, sealed: bytes) -> bytes:
        """Return a blob's content.

        Raises:
            ValueError: It was altered or is another run's.
        """
        return _open(self._blobs, sealed, self._about)

    def seal_reasoning(self, data: bytes) -> bytes:
        """Return the ciphertext of a message's reasoning."""
        nonce = os.urandom(NONCE)
        return nonce + self._reasoning().encrypt(nonce, data, self._about)

    def open_reasoning(self, sealed: bytes) -> bytes:
        """Return a message's reasoning.

        Raises:
            ValueError: It was altered or is another run's.
        """
        return _open(self._reasoning(), sealed, self._about)

    def _reasoning(self) -> AESGCM:
        return AESGCM(_derive(self._key, b"reasoning"))


def _derive(key: bytes, purpose: bytes) -> bytes:
    """HKDF-Expand (RFC 5869, section 2.3) for one block; the run's key is random already."""
    return hmac.digest(key, b"harness journal " + purpose + b"\x01", hashlib.sha256)


def _open(cipher: AESGCM, sealed: bytes, about: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:NONCE], sealed[NONCE:], about)
    except (InvalidTag, ValueError):  # the latter where it is too short to be one
        raise ValueError("the ciphertext does not open") from None
