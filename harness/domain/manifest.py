"""What a domain folder has once: SKILL.md, domain.yaml, rules.yaml, rubrics.yaml, core.lock."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.domain.core_lock import CoreLock, read_core_lock
from harness.domain.entries import Entry, own_types, plain_text
from harness.domain.explain import fields_of, salvaged, validated
from harness.domain.files import DomainFile, Unusable, read_text
from harness.domain.formats import (
    AnswerSettings,
    ApprovalSettings,
    BudgetSettings,
    ContextSettings,
    DomainSettings,
    SkillHead,
    WebSettings,
)
from harness.domain.items import read_rubrics, read_rules
from harness.domain.markup import read_yaml
from harness.domain.pages import split_front_matter
from harness.domain.problems import did_you_mean
from harness.values import Place, Problem, Rubric, Rule

__all__ = ["Manifest", "read_manifest"]

SKILL_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SKILL_KEYS = ("name", "description", "license", "compatibility", "metadata", "allowed-tools")

_NESTED: dict[str, type] = {
    "context": ContextSettings,
    "answer": AnswerSettings,
    "approvals": ApprovalSettings,
    "budgets": BudgetSettings,
    "web": WebSettings,
}
_OWN_TYPES = {(DomainSettings, "model_options"), (AnswerSettings, "schema")}


@dataclass(kw_only=True)
class Manifest:
    """The files that are there once, read; a missing or broken one leaves its default.

    Attributes:
        written: domain.yaml as it was written, for the places of settings.
        lock: What core.lock says; None where there is no such file.
    """

    head: SkillHead = field(default_factory=SkillHead)
    instructions: str = ""
    settings: DomainSettings = field(default_factory=DomainSettings)
    written: Entry | None = None
    rules: list[Rule] = field(default_factory=list)
    rubrics: list[Rubric] = field(default_factory=list)
    lock: CoreLock | None = None
    problems: list[Problem] = field(default_factory=list)


def read_manifest(root: Path) -> Manifest:
    """Read the single files of a domain folder, as far as they are there.

    Args:
        root: The folder, resolved.
    """
    manifest = Manifest()
    for name, take in (
        ("SKILL.md", _take_skill),
        ("domain.yaml", _take_settings),
        ("rules.yaml", _take_rules),
        ("rubrics.yaml", _take_rubrics),
        ("core.lock", _take_lock),
    ):
        file = DomainFile(name=name, path=root / name)
        if not os.path.lexists(file.path):
            continue
        try:
            take(manifest, file, read_text(file, root))
        except Unusable as error:
            manifest.problems.append(_unusable(error.problem))
    return manifest


def _unusable(problem: Problem) -> Problem:
    """Return a problem with a whole file; core.lock is mended by no editor."""
    if problem.place.file != "core.lock" or problem.code not in _NO_TEXT:
        return problem
    says = "core.lock is not text, or has been damaged. Delete it; `harness core` writes it anew."
    return replace(problem, message=says)


_NO_TEXT = ("binary", "encoding", "bad-character")


def _take_skill(manifest: Manifest, file: DomainFile, text: str) -> None:
    page, problems = split_front_matter(file, text)
    manifest.problems += problems
    manifest.instructions = page.body.strip()
    if page.head is None:
        if not problems:
            manifest.problems.append(
                _other_agents(file, 1, "front matter with `name` and `description`")
            )
        return
    data = {key: value for key, value in page.head.data.items() if value is not None}
    manifest.problems += _misspelt(page.head, data)
    head, wrong = validated(SkillHead, plain_text(data), page.head)
    manifest.problems += wrong
    manifest.head = head or manifest.head
    if head is None:
        return
    for key in ("name", "description"):
        if not getattr(head, key).strip():
            manifest.problems.append(
                _other_agents(file, page.head.line, f"`{key}` in its front matter")
            )
    if head.name and not _fit_name(head.name):
        suggested = "-".join(re.findall("[a-z0-9]+", head.name.lower()))[:64].strip("-")
        says = (
            f"`{head.name[:80]}` is no name for a skill: lower-case letters, digits and single"
            " hyphens, 64 at most."
        )
        mend = f" Write `{suggested}`." if suggested else ""
        manifest.problems.append(page.head.problem("bad-name", says + mend, ("name",)))
        manifest.head = head.model_copy(update={"name": ""})


def _misspelt(head: Entry, keys: Iterable[str]) -> list[Problem]:
    """Return a warning for each key that is almost one of a skill's; other agents have others."""
    problems = []
    for key in keys:
        question = "" if key in SKILL_KEYS else did_you_mean(key, SKILL_KEYS, cutoff=80)
        if question:
            says = f"The key `{key}` is not known here.{question}"
            problem = head.problem("unknown-key", says, (key,), key=True)
            problems.append(replace(problem, severity="warning"))
    return problems


def _fit_name(name: str) -> bool:
    return len(name) <= 64 and SKILL_NAME.fullmatch(name) is not None


def _other_agents(file: DomainFile, line: int, what: str) -> Problem:
    says = f"SKILL.md lacks {what}. It works here, but other agents that use the folder need it."
    place = Place(file=file.name, line=line)
    return Problem(place=place, code="no-front-matter", message=says, severity="warning")


def _take_settings(manifest: Manifest, file: DomainFile, text: str) -> None:
    entry, problems = read_yaml(file, text)
    manifest.problems += problems
    if entry is None or entry.data is None:
        return
    if not isinstance(entry.data, dict):
        says = "domain.yaml is a mapping: `key: value`, one a line."
        manifest.problems.append(entry.problem("wrong-type", says))
        return
    settings, wrong = salvaged(DomainSettings, _typed(entry.data, DomainSettings), entry)
    manifest.problems += wrong
    manifest.settings = settings or manifest.settings
    manifest.written = entry


def _typed(data: dict[str, Any], schema: type) -> dict[str, Any]:
    """Return the settings as text, but for what keeps its own types; empty keys are absent."""
    typed: dict[str, Any] = {}
    for key, value in data.items():
        if value is None and key in fields_of(schema):
            continue
        if (schema, key) in _OWN_TYPES:
            typed[key] = own_types(value)
        elif schema is DomainSettings and key in _NESTED and isinstance(value, dict):
            typed[key] = _typed(value, _NESTED[key])
        else:
            typed[key] = plain_text(value)
    return typed


def _take_rules(manifest: Manifest, file: DomainFile, text: str) -> None:
    entry, problems = read_yaml(file, text)
    if entry is not None and entry.data is not None:
        if isinstance(entry.data, list):
            parts = [entry.part(number) for number in range(len(entry.data))]
            manifest.rules, problems = read_rules(parts)
        else:
            says = "Rules are a list: each begins with `- id: …`, its other keys below, indented."
            problems = [entry.problem("wrong-type", says)]
    manifest.problems += problems


def _take_rubrics(manifest: Manifest, file: DomainFile, text: str) -> None:
    entry, problems = read_yaml(file, text)
    if entry is not None and entry.data is not None:
        manifest.rubrics, problems = read_rubrics(entry)
    manifest.problems += problems


def _take_lock(manifest: Manifest, file: DomainFile, text: str) -> None:
    del file
    manifest.lock = read_core_lock(text)
