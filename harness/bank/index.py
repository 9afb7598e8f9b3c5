"""One index folder: what is in it, how it is sealed when written and held to account when read.

chroma-…/          vectors, in the groups `demonstrations` and `passages`; named anew by each
                   build, as a process that has Chroma open goes back to its files by path
bm25/              bm25s' own files; not there where the bank is empty
vectors.npy        float32 of shape (items, dimensions), read by memory map
words.npz, vocabulary.json
plane.npz          where each example stands on the map
items.jsonl        a BankItem a line, with its digest
manifest.json      written last: counts, models, and a hash of every file that stays as it is
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import IO

from harness.bank.items import FORMAT
from harness.errors import BankError
from harness.values import BankItem

__all__ = [
    "Manifest",
    "hold",
    "new_store",
    "read_items",
    "read_manifest",
    "remove_unread",
    "seal",
    "write_items",
]


fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows: old versions then stay, as nothing says who reads them
    fcntl = None


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What an index folder says of itself.

    Attributes:
        version: Its name: a hash of content, models and format.
        models: Embedder and counter; two indexes with other models share nothing.
        counts: Items by kind.
        store: Name of the folder with the vectors.
        files: Relative path to blake2b, for every file that reading does not change.
    """

    version: str
    models: str
    counts: Mapping[str, int]
    store: str
    files: Mapping[str, str]
    format: int = FORMAT


def write_items(folder: Path, items: Iterable[BankItem], digests: Iterable[str]) -> None:
    """Write `items.jsonl`."""
    with (folder / "items.jsonl").open("w", encoding="utf-8", newline="\n") as file:
        for item, digest in zip(items, digests, strict=True):
            values = {name: getattr(item, name) for name in FIELDS}
            file.write(json.dumps([digest, values], ensure_ascii=True) + "\n")


FIELDS = [field.name for field in dataclasses.fields(BankItem)]


def read_items(folder: Path) -> list[tuple[str, BankItem]]:
    """Return the digests and items of an index folder.

    Raises:
        BankError: They can't be read, or are of another format.
    """
    try:
        with (folder / "items.jsonl").open(encoding="utf-8") as file:
            return [(digest, BankItem(**values)) for digest, values in map(json.loads, file)]
    except (OSError, ValueError, TypeError) as error:
        raise BankError(f"The items of the index in {folder} can't be read: {error}.") from error


def new_store(folder: Path) -> Path:
    """Return where a build shall put the vectors of an index folder."""
    return folder / f"chroma-{uuid.uuid4().hex[:12]}"


def seal(
    folder: Path,
    *,
    version: str,
    models: str,
    items: Iterable[BankItem],
    store: Path,
    steady: Iterable[Path],
) -> None:
    """Write the manifest, and have the disk hold everything, before the folder gets its name.

    Args:
        folder: The index folder.
        version: Its name to be.
        models: Embedder and counter.
        items: What it indexes.
        store: Where its vectors are.
        steady: The files of its vector store that reading leaves as they are.
    """
    counts: dict[str, int] = {}
    for item in items:
        counts[item.kind] = counts.get(item.kind, 0) + 1
    hashed = (*_own(folder, store), *steady)
    files = {path.relative_to(folder).as_posix(): _hash(path) for path in hashed}
    manifest = Manifest(
        version=version, models=models, counts=counts, store=store.name, files=files
    )
    written = json.dumps(dataclasses.asdict(manifest), indent=1)
    (folder / "manifest.json").write_text(written, "utf-8")
    for path in sorted(folder.rglob("*"), reverse=True):
        _sync(path)
    _sync(folder)


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a sound index folder.

    Raises:
        BankError: The folder is missing, damaged, or of another format.
    """
    try:
        manifest = Manifest(**json.loads((folder / "manifest.json").read_text("utf-8")))
        for name, expected in manifest.files.items():
            if _hash(folder / name) != expected:
                raise BankError(f"{name} of the index in {folder} is damaged.")
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise BankError(f"The index in {folder} can't be read: {error}.") from error
    if manifest.version != folder.name or not (folder / manifest.store).is_dir():
        raise BankError(f"The manifest of the index in {folder} is damaged.")
    if manifest.format != FORMAT:
        raise BankError(f"The index in {folder} has format {manifest.format}, not {FORMAT}.")
    return manifest


def hold(folder: Path) -> IO[bytes]:
    """Return an open file that keeps `remove_unread` away until it is closed.

    Raises:
        BankError: The folder is gone, or may not be read.
    """
    try:
        file = (folder / "manifest.json").open("rb")
    except OSError as error:
        raise BankError(f"The index in {folder} can't be read: {error}.") from error
    if fcntl:
        fcntl.flock(file, fcntl.LOCK_SH)
    return file


def remove_unread(folder: Path) -> bool:
    """Remove an index folder unless somebody holds it; say whether it is gone."""
    if fcntl is None:
        return False
    try:
        with (folder / "manifest.json").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        return False
    except OSError:  # without a manifest nobody can read it
        shutil.rmtree(folder, ignore_errors=True)
    return True


def _own(folder: Path, store: Path) -> Iterator[Path]:
    """Every file but the vector store's."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_relative_to(store):
            yield path


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()[:32]


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
