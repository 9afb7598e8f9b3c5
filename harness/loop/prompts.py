"""Words for the model that the loop itself says, from `prompts/*.md`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["words"]

_FOLDER = Path(__file__).parent / "prompts"


def words(name: str, **values: object) -> str:
    """Return a prompt by its name, with its gaps filled."""
    text = _read(name)
    return text.format(**values) if values else text


@cache
def _read(name: str) -> str:
    return (_FOLDER / f"{name}.md").read_text("utf-8").strip()
