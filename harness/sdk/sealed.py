"""Sealed cases: encrypted with a key kept outside the folder, opened only when counted."""

from __future__ import annotations

import base64
import getpass
import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.domain import Domain
from harness.domain.seal import (
    CIPHER,
    SEAL_FILE,
    SEALED,
    Seal,
    plain_hash,
    prints_of,
    read_seal,
    read_sealed,
)
from harness.errors import DomainInvalid, EvalError, StateError, UsageError
from harness.evals.record import Opening
from harness.sdk.bundled import refuse_bundled

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

    from harness.evals import EvalStore
    from harness.values import EvalCase, Problem, Split

__all__ = ["Sealed", "count_sealed", "key_file", "open_sealed_cases", "seal"]

KEY_VARIABLE = "HARNESS_SEAL_KEY"


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """What sealing did.

    Attributes:
        sha256: Of the cases, to be published: it shows later that they are the same.
        key: File of the key; whoever has it can open the cases.
    """

    domain: str
    split: str
    cases: int
    sha256: str
    file: Path
    key: Path


def key_file(name: str) -> Path:
    """Return where the key of a domain's sealed cases is kept, outside of its folder."""
    said = os.environ.get(KEY_VARIABLE)
    if said:
        return Path(said).expanduser()
    import platformdirs

    return Path(platformdirs.user_config_dir("harness")) / "keys" / f"{name}.seal"


def seal(domain: Domain, split: Split = "sealed") -> Sealed:
    """Encrypt a split's files, and leave fingerprints of its cases.

    The files are deleted once what was written has been read back.

    Args:
        domain: As read.
        split: Which; `sealed` means what stands unencrypted in evals/sealed/.

    Raises:
        DomainReadOnly: The domain ships with Harness.
        EvalError: There is nothing to seal, or it is sealed already.
        StateError: The key or the folder can't be written.
    """
    refuse_bundled(domain.path)
    target = domain.path / SEALED / CIPHER
    if target.exists():
        raise EvalError(
            f"{domain.name} has sealed cases already: {SEALED}/{CIPHER}.",
            "Two sets can't be sealed side by side.",
        )
    files, cases = _to_seal(domain, split)
    if not cases:
        raise EvalError(f"The {split} split of {domain.name} has no case to seal.")
    content = {path.name: path.read_bytes() for path in files}
    packed = json.dumps(
        {name: base64.b64encode(data).decode() for name, data in content.items()}
    ).encode()
    fernet, key = _cipher(domain.name, make=True)
    encrypted = fernet.encrypt(packed)
    prints = prints_of(cases)
    seal_ = Seal(
        file=CIPHER,
        sha256=plain_hash(content),
        cases=len(cases),
        sealed_at=_now(),
        key_id=_key_id(key),
        print_key=prints.key.hex(),
        prints=prints.cases,
    )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(target, encrypted)
        _write(target.parent / SEAL_FILE, seal_.model_dump_json(indent=1).encode() + b"\n")
        if fernet.decrypt(target.read_bytes()) != packed:
            raise StateError(f"{target} can't be read back: nothing was deleted.")
        for path in files:
            path.unlink()
    except OSError as error:
        raise StateError(f"{target} can't be written: {error.strerror or error}.") from error
    return Sealed(
        domain=domain.name,
        split=split,
        cases=len(cases),
        sha256=seal_.sha256,
        file=target,
        key=key,
    )


def count_sealed(domain: Domain) -> int:
    """Return how many sealed cases a domain has: encrypted ones, and those that stand open.

    To count them is not to open them: nothing of them is given away.
    """
    hidden = len(domain.prints.cases) if domain.prints else 0
    return hidden + len(read_sealed(domain.path, domain.settings.answer)[0])


def open_sealed_cases(
    domain: Domain, home: Path, store: EvalStore, *, model: str, config: str
) -> tuple[list[EvalCase], int]:
    """Return the sealed cases, and how often they have been opened, this time included.

    The opening is on record before the first case is read; a wrong key opens nothing and is none.

    Raises:
        EvalError: There are none, the key is not here, or they were changed.
        DomainInvalid: They have errors.
    """
    folder = domain.path / SEALED
    content = _decrypted(domain) if (folder / CIPHER).is_file() else None
    if not folder.is_dir() or not any(folder.iterdir()):
        raise EvalError(
            f"{domain.name} has no sealed cases.",
            f"Put cases into {SEALED}/, or seal a split with `harness seal`.",
        )
    opening = Opening(
        domain=domain.name,
        who=_who(),
        at=_now(),
        run="",
        config=config,
        model=model,
    )
    count = store.open_sealed(opening)
    cache = home / "cache" / "references"
    cases, problems = read_sealed(domain.path, domain.settings.answer, cache)
    if content is not None:
        found, wrong = _read(domain, content)
        cases, problems = [*cases, *found], [*problems, *wrong]
    if errors := [one for one in problems if one.severity == "error"]:
        raise DomainInvalid(f"The sealed cases of {domain.name} have errors:", errors)
    return cases, count


def _to_seal(domain: Domain, split: Split) -> tuple[list[Path], list[EvalCase]]:
    if split == "sealed":
        cases, problems = read_sealed(domain.path, domain.settings.answer)
        folder = domain.path / SEALED
        files = sorted(path for path in folder.iterdir() if path.is_file()) if cases else []
        if errors := [one for one in problems if one.severity == "error"]:
            raise DomainInvalid(f"The sealed cases of {domain.name} have errors:", errors)
        return files, cases
    if split not in ("dev", "holdout"):
        raise UsageError(f"There is no split {split!r}.", "Choose dev, holdout or sealed.")
    cases = [case for case in domain.cases if case.split == split]
    return sorted({domain.path / case.place.file for case in cases}), cases


def _decrypted(domain: Domain) -> dict[str, bytes]:
    """Return the sealed files by name, checked to be those that were sealed.

    Raises:
        EvalError: The key is another one, or they were changed.
    """
    from cryptography.fernet import InvalidToken

    cipher, key = _cipher(domain.name)
    restore = f"Restore {SEALED}/ from where it was published."
    try:
        seal_ = read_seal(domain.path)
    except ValueError as error:
        raise EvalError(str(error)) from error
    assert seal_ is not None  # noqa: S101 - it is there, or said to be missing
    if _key_id(key) != seal_.key_id:
        raise EvalError(
            f"The key in {key} does not open the sealed cases of {domain.name}: it is the key"
            f" {_key_id(key)}, and they want {seal_.key_id}.",
            f"Set {KEY_VARIABLE} to the file of the right key.",
        )
    try:
        packed = json.loads(cipher.decrypt((domain.path / SEALED / CIPHER).read_bytes()))
    except InvalidToken:
        raise EvalError(
            f"The sealed cases of {domain.name} were changed after they were sealed: the key is"
            " the right one, and does not open them.",
            restore,
        ) from None
    content = {name: base64.b64decode(data) for name, data in packed.items()}
    if plain_hash(content) != seal_.sha256:
        raise EvalError(
            f"The sealed cases of {domain.name} are not those that were sealed: their hash is"
            f" {plain_hash(content)[:16]}…, not {seal_.sha256[:16]}…",
            restore,
        )
    return content


def _read(domain: Domain, content: dict[str, bytes]) -> tuple[list[EvalCase], list[Problem]]:
    """Read decrypted files by way of a private folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="harness-sealed-") as private:
        folder = Path(private).resolve() / SEALED
        folder.mkdir(parents=True)
        for name, data in content.items():
            (folder / Path(name).name).write_bytes(data)
        for below in ("evals/files", "examples", "references"):
            there = domain.path / below
            if there.is_dir():
                (Path(private) / below).symlink_to(there, target_is_directory=True)
        return read_sealed(Path(private).resolve(), domain.settings.answer)


def _cipher(name: str, *, make: bool = False) -> tuple[Fernet, Path]:
    from cryptography.fernet import Fernet

    path = key_file(name)
    try:
        if make and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(Fernet.generate_key() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        return Fernet(path.read_bytes().strip()), path
    except (OSError, ValueError) as error:
        raise EvalError(
            f"The key of the sealed cases of {name} is not in {path}"
            f" ({getattr(error, 'strerror', None) or 'it is no key'}).",
            f"Ask who sealed them, and set {KEY_VARIABLE} to its file.",
        ) from error


def _key_id(path: Path) -> str:
    return hashlib.sha256(path.read_bytes().strip()).hexdigest()[:8]


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
