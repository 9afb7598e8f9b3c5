"""The files that examples and eval cases name: their text belongs to the input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

from harness.domain.files import DomainFile, Unusable
from harness.domain.problems import did_you_mean
from harness.domain.references.document import document_text
from harness.domain.references.structure import Unreadable
from harness.domain.version import FOLDERS
from harness.values import EvalCase, Example, Problem

__all__ = ["attach"]

Item = TypeVar("Item", Example, EvalCase)


def attach(
    items: Sequence[Item], root: Path, cache: Path | None
) -> tuple[list[Item], list[Problem]]:
    """Return the items with the text of their files, and what could not be read.

    Args:
        items: As read.
        root: The domain folder, resolved.
        cache: Where parsed documents are kept between reads.
    """
    whole: list[Item] = []
    problems: list[Problem] = []
    for item in items:
        read = []
        for name in item.files:
            try:
                read.append((PurePosixPath(name).name, _text(root, name, cache)))
            except Unusable as error:
                problems.append(replace(error.problem, place=item.place))
        whole.append(replace(item, attached=tuple(read)) if read else item)
    return whole, problems


def _text(root: Path, name: str, cache: Path | None) -> str:
    """Return the text of a file that an item names.

    Raises:
        Unusable: Says why, and what to do.
    """
    file = DomainFile(name=name, path=root / name)
    if wrong := _unfit(root, name):
        raise file.unusable(*wrong)
    try:
        return document_text(file, root, cache)
    except Unreadable as error:
        raise file.unusable(error.finding.code, f"`{name}`: {error.finding.message}") from error


def _unfit(root: Path, name: str) -> tuple[str, str] | None:
    """Return code and words where a file that an item names can't be used."""
    try:
        path = (root / name).resolve()
        inside, there = path.is_relative_to(root), path.is_file()
    except (OSError, ValueError, RuntimeError):
        return (
            "missing-file",
            f"The file `{name[:80]!r}` can't be there: the name is none for a file.",
        )
    if not inside or Path(name).is_absolute():
        return (
            "outside-folder",
            f"The file `{name}` is outside of the domain folder. Put a copy into the folder,"
            " and write its path from there.",
        )
    if there and path.relative_to(root).parts[0] not in FOLDERS:
        return (
            "outside-folder",
            f"The file `{name}` has to stand below examples/, evals/files/ or references/, where"
            " a change to it is noticed. Move it there.",
        )
    if there:
        return None
    if path.exists():
        return "not-a-file", f"`{name}` is no file but a folder, a pipe or a device. Name a file."
    near = path.parent
    around = [one.relative_to(root).as_posix() for one in near.iterdir()] if near.is_dir() else []
    return (
        "missing-file",
        f"The file `{name}` is not there; paths start from the domain"
        f" folder.{did_you_mean(name, around)}",
    )
