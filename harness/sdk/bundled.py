"""The domains that ship with Harness, and where a domain's name leads."""

from __future__ import annotations

import difflib
from pathlib import Path

from harness.errors import DomainNotFound, DomainReadOnly

__all__ = ["bundled_domains", "find_domain", "refuse_bundled"]

INSTALLED = Path(__file__).parents[1] / "domains"
"""In the wheel. A checkout has them beside the package, as folders that its owner may change."""


def bundled_domains() -> dict[str, Path]:
    """Return the shipped domains by name."""
    root = INSTALLED if INSTALLED.is_dir() else INSTALLED.parents[1] / "domains"
    if not root.is_dir():
        return {}
    return {path.name: path for path in sorted(root.iterdir()) if (path / "SKILL.md").is_file()}


def find_domain(name: str | Path) -> Path:
    """Return a domain's folder: a path, or else the name of a shipped domain.

    Raises:
        DomainNotFound: It is neither, but almost the name of a shipped domain.
    """
    try:
        path = Path(name).expanduser()
        if path.exists():
            return path
    except (OSError, RuntimeError, ValueError):  # no path at all: the reader says why
        return Path(name)
    shipped = bundled_domains()
    if near := difflib.get_close_matches(str(name), shipped, 1, 0.8):
        if near[0] == str(name):
            return shipped[near[0]]
        raise DomainNotFound(
            f"There is no folder `{name}`, and no such domain ships with Harness.",
            f"Did you mean {near[0]}?",
        )
    return path


def refuse_bundled(folder: Path) -> None:
    """Refuse to write to a shipped domain.

    Raises:
        DomainReadOnly: The folder is one.
    """
    if folder.resolve().is_relative_to(INSTALLED.resolve()):
        raise DomainReadOnly(
            f"{folder.name} ships with Harness and is read-only.",
            f"Copy it out: harness init my-{folder.name} --from {folder.name}",
        )
