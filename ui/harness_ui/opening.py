"""What the app was started with, kept until a page needs it: so the server starts fast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["want", "wanted"]

_wanted: dict[str, Any] = {}


def want(**how: Any) -> None:
    """Keep what `harness_ui.desk.Desk` is to be made with."""
    _wanted.clear()
    _wanted.update(how)


def wanted() -> Mapping[str, Any]:
    """Return what was kept."""
    return dict(_wanted)
