"""`set`: the answer lists the expected items; precision, recall and F1.

    - id: defined-terms
      input: Which parties does the agreement name?
      checks:
        - set: [Acme GmbH, Borealis Ltd]               # exactly these, in any order
        - set: {items: [Acme GmbH, Borealis Ltd], f1: 80 %}
        - set: {recall: 1, precision: 0.5}             # the items of `expected`

The answer's items are those of a JSON list, else its bullets or lines, else what commas or
semicolons part. Case, punctuation and Markdown aside; an item counts once. The score is F1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from harness.domain.check_specs import SetSpec, spec_of
from harness.domain.formats import AnswerSettings
from harness.domain.json_answers import read_json
from harness.domain.markers import fold, lines_of, plain
from harness.evals.graders.grade import Grade, shown, unread
from harness.values import Check, EvalCase

__all__ = ["items_of", "set_"]

_BULLET = re.compile(r"^\s*(?:[-*•–+]|\(?[0-9]{1,3}[.)])\s+")  # noqa: RUF001 - as people write
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")


def set_(check: Check, answer: str, case: EvalCase, _settings: AnswerSettings) -> Grade:
    """Grade the answer by the items that it lists."""
    try:
        spec, wanted = _wanted(check.spec, case.expected)
    except ValueError as error:
        return unread(check, str(error))
    got = {_key(item): item for item in items_of(answer) if _key(item)}
    right = wanted.keys() & got.keys()
    precision = len(right) / len(got) if got else 0.0
    recall = len(right) / len(wanted)
    f1 = 2 * len(right) / (len(got) + len(wanted))
    limits = {"f1": spec.f1, "precision": spec.precision, "recall": spec.recall}
    asked = {name: float(limit) for name, limit in limits.items() if limit is not None}
    reached = {"f1": f1, "precision": precision, "recall": recall}
    met = all(reached[name] >= limit for name, limit in (asked or {"f1": 1.0}).items())
    missing = [wanted[key] for key in wanted if key not in right]
    extra = [got[key] for key in got if key not in right]
    why = f"precision {precision:.2f}, recall {recall:.2f}, F1 {f1:.2f}"
    why += f"; missing: {', '.join(map(shown, missing[:5]))}" if missing else ""
    why += f"; not expected: {', '.join(map(shown, extra[:5]))}" if extra else ""
    return Grade(met=met, score=f1, why="" if met and f1 == 1 else why)


def items_of(text: str) -> list[str]:
    """Return the items that a text lists."""
    value, problem = read_json(text)
    if not problem and isinstance(value, list):
        return [str(item) for item in value]
    lines = lines_of(plain(text))
    bullets = [_BULLET.sub("", line) for line in lines if _BULLET.match(line)]
    if bullets:
        return bullets
    if len(lines) == 1:
        line = lines[0].rpartition(":")[2] if ":" in lines[0] else lines[0]
        parted = line.split(";") if ";" in line else line.split(",")
        return [part.strip() for part in parted]
    return lines


def _wanted(written: Any, expected: Any) -> tuple[SetSpec, dict[str, str]]:
    """Return the limits, and the items by the form in which they are compared.

    Raises:
        ValueError: The check makes no sense; says why.
    """
    spec = spec_of(SetSpec, written) if isinstance(written, dict) else SetSpec()
    items: Iterable[str] = spec.items
    if not isinstance(written, dict) and written is not None:
        items = items_of(written) if isinstance(written, str) else written
    elif not spec.items:
        if expected is None:
            raise ValueError("`set` has no items to compare with")
        items = map(str, expected) if isinstance(expected, list) else items_of(str(expected))
    wanted = {_key(item): item for item in items if _key(item)}
    if not wanted:
        raise ValueError("`set` has no items to compare with")
    return spec, wanted


def _key(item: str) -> str:
    """Return the item as it is compared; one that is all signs stands for itself."""
    text = fold(plain(item)).casefold()
    return _EDGES.sub("", text) or text
