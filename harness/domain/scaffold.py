"""New domain folders: from a template, or as a copy of another domain; whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import unicodedata
from collections.abc import Iterator, Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal, get_args

from harness.domain.files import editor_file
from harness.errors import DomainNotFound, UsageError

__all__ = ["TEMPLATES", "Template", "check_name", "copy_domain", "scaffold"]

Template = Literal["blank", "labels", "calculations", "documents"]
TEMPLATES: tuple[Template, ...] = get_args(Template)

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LONGEST_NAME = 64
_FRONT_MATTER = re.compile(
    r"\A(\ufeff?---[ \t]*\r?\n)(.*?)(^---[ \t]*\r?$)", re.DOTALL | re.MULTILINE
)
_NAME_LINE = re.compile(r"^name[ \t]*:[^\r\n]*", re.MULTILINE)


def scaffold(target: Path, *, name: str, template: Template) -> list[Path]:
    """Write a new domain folder from a template, and return its files.

    Args:
        target: The folder to make; it may exist if nothing is in it.
        name: The domain's name, as Agent Skills have it.
        template: What kind of work the domain is for.

    Raises:
        UsageError: The name or the template is none, or something is at the target already.
    """
    check_name(name)
    if template not in TEMPLATES:
        known = ", ".join(TEMPLATES)
        raise UsageError(f"There is no template `{template}`.", f"Choose one of {known}.")
    with as_file(files("harness.domain") / "templates" / template) as source:
        return _write(target, _renamed(_contents(source), name))


def copy_domain(source: Path, target: Path, *, name: str) -> list[Path]:
    """Write a copy of a domain folder under a new name, and return its files.

    Hidden files and what editors leave behind are not copied.

    Args:
        source: The domain folder to copy.
        target: The folder to make; it may exist if nothing is in it.
        name: The copy's name, as Agent Skills have it.

    Raises:
        DomainNotFound: There is no such folder to copy, or it can't be read.
        UsageError: The name is none, something is at the target already, or the target is
            inside the source.
    """
    check_name(name)
    if not source.is_dir():
        raise DomainNotFound(
            f"There is no domain folder at {source}.", "See that the path is right."
        )
    if target.resolve().is_relative_to(source.resolve()):
        raise UsageError(f"{target} is inside the folder to copy.", "Choose another place.")
    try:
        contents = _contents(source.resolve())
    except OSError as error:
        message = f"{error.filename or source} can't be read ({error.strerror})."
        raise DomainNotFound(message, "Give yourself the right to read it.") from error
    return _write(target, _renamed(contents, name))


def check_name(name: str) -> None:
    """See that a domain may have this name: the rule of Agent Skills for folder names.

    Raises:
        UsageError: It may not; suggests one that it may.
    """
    if _NAME.fullmatch(name) and len(name) <= _LONGEST_NAME:
        return
    shown = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
    raise UsageError(
        f"{shown!r} can't be the name of a domain: 1 to {_LONGEST_NAME} lower-case letters a-z, "
        "digits and single hyphens, with no hyphen at either end.",
        f"How about {_suggested(name)!r}?",
    )


def _suggested(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore")
    words = re.findall(r"[a-z0-9]+", plain.decode("ascii").lower())
    return "-".join(words)[:_LONGEST_NAME].strip("-") or "my-domain"


def _contents(source: Path) -> dict[str, bytes]:
    """Every file of a folder by its path from there."""
    return {
        path.relative_to(source).as_posix(): path.read_bytes() for path in _files(source, source)
    }


def _files(source: Path, folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if editor_file(path.name) or path.name == "__pycache__":
            continue
        if not path.resolve().is_relative_to(source):
            message = f"{path} is a link that leads out of the domain folder."
            raise UsageError(message, "Put a copy of the file in its place first.")
        if path.is_dir() and not path.is_symlink():
            yield from _files(source, path)
        elif path.is_file():
            yield path
        else:
            message = f"{path} is no file, so it can't be copied."
            raise UsageError(message, "Take it out of the folder first.")


def _renamed(contents: Mapping[str, bytes], name: str) -> Mapping[str, bytes]:
    """The same files, SKILL.md under the new name."""
    if "SKILL.md" not in contents:
        return contents
    try:
        text = contents["SKILL.md"].decode("utf-8")
    except UnicodeDecodeError as error:
        message = "SKILL.md of the folder to copy is not UTF-8."
        raise UsageError(message, "Open it and save it as UTF-8 first.") from error
    return {**contents, "SKILL.md": _with_name(text, name).encode("utf-8")}


def _with_name(text: str, name: str) -> str:
    head = _FRONT_MATTER.match(text)
    if not head:
        mark = "\ufeff" if text.startswith("\ufeff") else ""
        return f"{mark}---\nname: {name}\n---\n\n{text.removeprefix(mark)}"
    line = f"name: {name}"
    keys, count = _NAME_LINE.subn(line, head[2], count=1)
    if not count:
        keys = line + ("\r\n" if head[1].endswith("\r\n") else "\n") + keys
    return head[1] + keys + text[head.start(3) :]


def _write(target: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Write a folder beside the target and move it there in one step."""
    _refuse_occupied(target)
    made = _make_parents(target.parent)
    stage = target.parent / f".{target.name}.{secrets.token_hex(6)}"
    try:
        for name, data in contents.items():
            path = stage / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        if target.is_dir():  # an empty one: not every system renames over it
            target.rmdir()
        stage.rename(target)
    except BaseException as error:
        shutil.rmtree(stage, ignore_errors=True)
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError):
            raise _unwritable(target, error) from error
        raise
    return [target / name for name in contents]


def _refuse_occupied(target: Path) -> None:
    mend = "Choose another name, or move it away first."
    try:
        if target.is_dir():
            if any(target.iterdir()):
                raise UsageError(f"The folder {target} is there already and not empty.", mend)
        elif os.path.lexists(target):
            raise UsageError(f"{target} is there already and not a folder.", mend)
    except OSError as error:
        raise _unwritable(target, error) from error


def _make_parents(folder: Path) -> list[Path]:
    """Make the folder and those above it; return the ones made, the lowest first."""
    missing: list[Path] = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        try:
            path.mkdir(exist_ok=True)
        except OSError as error:
            raise _unwritable(path, error) from error
    return missing


def _unwritable(path: Path, error: OSError) -> UsageError:
    reason = error.strerror or type(error).__name__
    return UsageError(f"{path} can't be written ({reason}).", "Choose another place.")
