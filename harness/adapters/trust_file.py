"""Which domains' tools the user has trusted, in the state folder, and sealed.

    <home>/trust.json          by domain folder: content hash, grants, pins of MCP tools
    <keys>/trust.key           what it is sealed with; outside the state folder

A state folder can come along with a downloaded domain (`.harness/` beside it); without the seal,
such a domain would bring its own trust.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import StateError

__all__ = ["TrustFile"]

NAME = "trust.json"
KEY = "trust.key"


class TrustFile:
    """The record of trust in a state folder.

    Args:
        home: The state folder.
        keys: The folder of keys, outside of it.
    """

    def __init__(self, home: Path, keys: Path) -> None:
        self._file = home / NAME
        self._key = keys / KEY

    def read(self, domain: Path) -> dict[str, Any] | None:
        """Return what was recorded for a domain; None where nothing sound was."""
        entry = self._entries().get(_name(domain))
        if not isinstance(entry, dict):
            return None
        said, seal = entry.get("said"), entry.get("seal")
        if not isinstance(said, dict) or not isinstance(seal, str):
            return None
        key = self._secret(make=False)
        if key is None or not hmac.compare_digest(seal, _seal(key, _name(domain), said)):
            return None
        return said

    def write(self, domain: Path, said: Mapping[str, Any] | None) -> None:
        """Record it for a domain; None takes away what was recorded.

        Raises:
            StateError: The state folder or the keys folder can't be written.
        """
        from filelock import FileLock

        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self._file}.lock"):
                entries = self._entries()
                entries.pop(_name(domain), None)
                if said is not None:
                    key = self._secret(make=True)
                    assert key is not None  # noqa: S101 - it was just made
                    seal = _seal(key, _name(domain), said)
                    entries[_name(domain)] = {"said": dict(said), "seal": seal}
                fresh = self._file.with_suffix(".new")
                fresh.write_text(json.dumps(entries, indent=1, ensure_ascii=False), "utf-8")
                fresh.replace(self._file)
        except OSError as error:
            raise StateError(
                f"Trust can't be recorded in {self._file.parent}: {error.strerror or error}.",
                "Give permission to write there, or name another folder with HARNESS_HOME.",
            ) from error

    def _entries(self) -> dict[str, Any]:
        try:
            found = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def _secret(self, *, make: bool) -> bytes | None:
        try:
            return self._key.read_bytes()
        except FileNotFoundError:
            if not make:
                return None
        self._key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            handle = os.open(self._key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:  # another process was quicker
            return self._key.read_bytes()
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
        return self._key.read_bytes()


def _name(domain: Path) -> str:
    return str(domain.resolve())


def _seal(key: bytes, name: str, said: Mapping[str, Any]) -> str:
    text = json.dumps([name, said], sort_keys=True, ensure_ascii=True)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
