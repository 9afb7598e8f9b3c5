"""What of a domain decides a verdict beside what the case itself says.

A rubric's criteria stand in rubrics.yaml, a tolerance may be the domain's: a case whose check
leans on them is another case once they change. Documents that quotes are looked up in, and labels
that come from examples, are not among them: they are what an answer had before it, and a changed
domain is warned of by its version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.values import Check, Rubric

if TYPE_CHECKING:
    from harness.domain import Domain, DomainSettings

__all__ = ["GradingRules", "grading_rules"]

GradingRules = Callable[[Check], Any]
"""Called with a check; what of the domain decides it, as JSON says it. Falsy: nothing."""


def grading_rules(domain: Domain) -> GradingRules:
    """Return what tells, for a check, what of the domain decides it.

    Args:
        domain: As read.
    """
    named = {rubric.name: rubric for rubric in domain.rubrics}
    files: dict[str, str] = {}

    def rules(check: Check) -> Any:
        if check.grader == "rubric":
            return _rubric(check, named)
        if check.grader == "python":
            name = str(check.spec).partition(":")[0].removeprefix("tools/")
            if name not in files:
                files[name] = _digest(domain.path / "tools" / name)
            return files[name]
        return _settings(check, domain.settings)

    return rules


def _rubric(check: Check, named: Mapping[str, Rubric]) -> Any:
    """Return what a named rubric says; one that is written out is part of the check."""
    rubric = named.get(check.spec) if isinstance(check.spec, str) else None
    if rubric is None:
        return None
    criteria = [[one.id, one.text, _plain(one.points), one.critical] for one in rubric.criteria]
    return [_plain(rubric.pass_at), criteria]


def _settings(check: Check, settings: DomainSettings) -> dict[str, Any]:
    """Return the settings that the grader falls back on, those that say something."""
    own = check.spec if isinstance(check.spec, Mapping) else {}
    answer = settings.answer
    used: dict[str, Any] = {}
    if check.grader == "number":
        used = {"within": answer.within, "unit": answer.unit, "abstain": answer.abstain}
        used["language"] = settings.language if settings.language != "en" else ""
    elif check.grader == "label":
        used = {"labels": list(answer.labels), "abstain": answer.abstain}
    elif check.grader == "json":
        used = {"schema": answer.schema}
    elif check.grader == "similar" and settings.embedding != "minilm":
        used = {"embedding": settings.embedding}
    return {
        key: value if isinstance(value, list | dict) else str(value)
        for key, value in used.items()
        if value and own.get(key) is None
    }


def _plain(number: Any) -> str:
    """Return a number as it is, however it was written: 1 and 1.0 are the same."""
    return "" if number is None else f"{number.normalize():f}"


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError:
        return "unreadable"
