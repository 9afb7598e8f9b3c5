"""How many of each model's tokens one of ours is, as learnt from calls, in the state folder.

    <home>/token_ratios.json   {"format": 1, "ratios": {"provider:model": 1.15, …}}

The number is kept a step above what was seen, and changes only where a call says more, or much
less: so that the packed context, and with it the prefix in a provider's cache, stays the same from
question to question.
"""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["FileRatios"]

LOG = logging.getLogger(__name__)
NAME = "token_ratios.json"
FORMAT = 1
LOWEST, HIGHEST = 0.5, 3.0
"""What lies outside is no tokenizer's doing."""
STEP = 0.05
FRAMING = 0.02
"""Share that a chat's framing adds, about: it is no part of what is packed."""
MUCH_LESS = 0.15
MOST_MODELS = 200
WAIT = 2.0
"""Seconds to wait for another process that writes."""


class FileRatios:
    """The ratios of a state folder. Processes may share it; what it can't do, it says in the log.

    Args:
        home: The state folder.
    """

    def __init__(self, home: Path) -> None:
        self._file = home / NAME

    def of(self, model: str) -> float | None:
        """Return the ratio of a model; None where nothing was learnt."""
        return self._read().get(model)

    def note(self, seen: Mapping[str, float]) -> None:
        """Learn from what calls of some models came to."""
        if not self._changes(self._read(), seen):
            return
        from filelock import FileLock, Timeout

        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self._file}.lock", timeout=WAIT):
                known = self._read()  # another process may have been here
                changed = self._changes(known, seen)
                if changed:
                    kept = {name: one for name, one in known.items() if name not in changed}
                    self._write({**kept, **changed})
        except (OSError, Timeout) as error:
            LOG.warning("What was learnt of tokens is not kept in %s: %s", self._file, error)

    # --- inside -------------------------------------------------------------------------------

    def _changes(self, known: Mapping[str, float], seen: Mapping[str, float]) -> dict[str, float]:
        changed = {}
        for model, ratio in seen.items():
            if not (math.isfinite(ratio) and LOWEST <= ratio <= HIGHEST):
                continue
            old, new = known.get(model), _stepped(ratio)
            if old is None or new > old or new < old - MUCH_LESS:
                changed[model] = new
        return changed

    def _read(self) -> dict[str, float]:
        try:
            text = self._file.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            LOG.warning("%s can't be read, and is passed over: %s", self._file, error.strerror)
            return {}
        try:
            return _ratios(json.loads(text))
        except (ValueError, RecursionError):
            LOG.warning("%s is damaged, and is passed over; it is learnt anew.", self._file)
            return {}

    def _write(self, ratios: Mapping[str, float]) -> None:
        newest = dict(list(ratios.items())[-MOST_MODELS:])
        fresh = self._file.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump({"format": FORMAT, "ratios": newest}, file, indent=1, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._file)


def _stepped(ratio: float) -> float:
    """Return the ratio, rounded up; what framing adds to exact counts is left out."""
    return round(math.ceil(round((ratio - FRAMING) / STEP, 6)) * STEP, 2)


def _ratios(tree: Any) -> dict[str, float]:
    """Return the ratios in a file.

    Raises:
        ValueError: It is no such file, or of a later version.
    """
    if not isinstance(tree, dict) or tree.get("format") != FORMAT:
        raise ValueError("no ratios")
    found = tree.get("ratios")
    if not isinstance(found, dict):
        raise ValueError("no ratios")
    for ratio in found.values():
        if type(ratio) not in (int, float) or not LOWEST <= ratio <= HIGHEST + STEP:
            raise ValueError("no ratio")
    return {str(model): float(ratio) for model, ratio in found.items()}
