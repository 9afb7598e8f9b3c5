"""Everything that is wrong in a domain: what its reader saw, and what only shows in comparison.

The codes, with a sentence each, are in `CODES`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from harness.domain.bare import nothing_to_show
from harness.domain.core_stale import stale
from harness.domain.faults import faults, label_not_among, no_number
from harness.domain.files import editor_file
from harness.domain.fitting import schema_fault
from harness.domain.folder import Domain
from harness.domain.itemfiles import ENDINGS
from harness.domain.markers import fold
from harness.domain.problems import CODES, did_you_mean, one_line
from harness.values import EvalCase, Example, Place, Problem, Severity

__all__ = ["CODES", "LONG_ITEM", "lint", "reading_order"]

LONG_ITEM = 1_000_000
"""Characters of an item's texts from which on a warning says so."""


def lint(domain: Domain) -> tuple[Problem, ...]:
    """Return every problem of a domain, by file and line.

    Args:
        domain: As `read_domain` gives it.
    """
    found = list(domain.problems)
    for check in _CHECKS:
        found += check(domain)
    unique = dict.fromkeys(map(one_line, found))
    return tuple(sorted(unique, key=reading_order))


def reading_order(problem: Problem) -> tuple[str, int, int, str]:
    """Return what problems are sorted by: file, line, column, code."""
    place = problem.place
    return place.file, place.line, place.column, problem.code


def _problem(place: Place, code: str, message: str, severity: Severity = "error") -> Problem:
    return Problem(place=place, code=code, message=message, severity=severity)


def _setting(domain: Domain, *loc: str | int) -> Place:
    return domain.written.place(loc) if domain.written else Place(file="domain.yaml")


# --- settings --------------------------------------------------------------------------------


def _settings(domain: Domain) -> Iterator[Problem]:
    answer = domain.settings.answer
    for key, kind in (("labels", "label"), ("schema", "json")):
        if getattr(answer, key) and answer.kind != kind:
            says = (
                f"`answer.{key}` has no effect: `answer.kind` is {answer.kind}. Write `kind:"
                f" {kind}`, or leave it out."
            )
            yield _problem(_setting(domain, "answer", key), "unused-setting", says, "warning")
    if answer.schema is not None and (wrong := schema_fault(answer.schema)):
        says = f"`answer.schema` is no JSON Schema: {wrong}. Mend it."
        yield _problem(_setting(domain, "answer", "schema"), "bad-schema", says)
    if domain.name != domain.path.name:
        says = (
            f"SKILL.md's name is `{domain.name}`, but the folder is `{domain.path.name}`. It"
            " works here; other agents want them equal."
        )
        yield _problem(Place(file="SKILL.md"), "name-mismatch", says, "warning")


LEAST_BUDGET = 150
"""Tokens that a question of one line needs, with what is said of the form of the context."""
MOST_PER_TOKEN = 8
"""Characters of text that a token stands for at most, over more than a few words."""


def _budget(domain: Domain) -> Iterator[Problem]:
    """Budgets under which every question is too long: instructions and rules are never cut."""
    budget = domain.settings.context.budget
    fixed = len(domain.instructions) + sum(len(rule.text) for rule in domain.rules)
    needed = LEAST_BUDGET + fixed // MOST_PER_TOKEN
    if budget < needed:
        says = (
            f"`budget` is {budget:,} tokens, but the instructions, the rules and a question need"
            f" more than {needed:,}. Give more; 32,000 is usual."
        )
        yield _problem(_setting(domain, "context", "budget"), "bad-value", says)


def _pins(domain: Domain) -> Iterator[Problem]:
    if not domain.settings.context.pinned:
        return
    ids = {one.id for one in (*domain.examples, *domain.broken)}
    documents = {one.document for one in domain.passages}
    for number, name in enumerate(domain.settings.context.pinned):
        below = name.removeprefix("references/")
        if name in ids or name in documents or below in documents or _is_reference(domain, below):
            continue
        mean = did_you_mean(name, [*ids, *documents])
        says = f"`{name}` is neither the id of an example nor a document in references/.{mean}"
        yield _problem(_setting(domain, "context", "pinned", number), "unknown-pin", says)


def _is_reference(domain: Domain, name: str) -> bool:
    # a document that is there but can't be read has a problem of its own
    path = domain.path / "references" / name
    return not Path(name).is_absolute() and ".." not in Path(name).parts and path.is_file()


def _core(domain: Domain) -> Iterator[Problem]:
    for line, wrong in stale(domain):
        place = Place(file="core.lock", line=line)
        says = f"{wrong} `harness core` chooses anew."
        yield _problem(place, "core-stale", says, "warning")


# --- items -----------------------------------------------------------------------------------


def _outputs(domain: Domain) -> Iterator[Problem]:
    """Examples whose output is not what the answers of the domain are."""
    answer = domain.settings.answer
    examples = [*domain.examples, *(one for one in domain.broken if isinstance(one, Example))]
    if answer.kind == "label" and answer.labels:
        known = {*domain.labels, answer.abstain}
        for example in examples:
            if example.status != "retired" and example.output not in known:
                says = label_not_among(domain, example.output)
                yield _problem(example.place, "unknown-label", says)
    if answer.kind == "number":
        from harness.domain.numbers import read_number

        locale = domain.settings.language or "en"
        for example in examples:
            if read_number(example.output, locale=locale) is None:
                says = "The answers of this domain are numbers, but "
                says += no_number(example.output, locale)
                yield _problem(example.place, "not-a-number", says, "warning")


def _checks(domain: Domain) -> Iterator[Problem]:
    for case in domain.all_cases:
        for check in case.checks:
            yield from faults(domain, case, check)


def _attachments(domain: Domain) -> Iterator[Problem]:
    named: set[str] = set()
    items: tuple[Example | EvalCase, ...] = (*domain.examples, *domain.cases)
    for item in items:
        for name in item.files:
            named.add(os.path.normpath(name))
    below = domain.path / "examples"
    for folder, _, files in os.walk(below):
        for name in sorted(files):
            path = Path(folder, name).relative_to(domain.path).as_posix()
            read = path.count("/") > 1 and not editor_file(name) and path not in named
            if read and name.lower().endswith(ENDINGS):
                says = (
                    f"`{path}` is not read: only files directly in examples/ are, and no item"
                    " names it in `files`. Move it up, or name it."
                )
                yield _problem(Place(file=path), "not-read", says, "warning")


def _texts(domain: Domain) -> Iterator[Problem]:
    """Long items, the same input with different outputs, and holdout cases shown as examples."""
    items: tuple[Example | EvalCase, ...] = (*domain.examples, *domain.cases)
    for item in items:
        size = len(item.input) + (
            len(item.output) + len(item.why) if isinstance(item, Example) else 0
        )
        if size > LONG_ITEM:
            says = (
                f"`{item.id[:80]}` has {size:,} characters. It works, but will seldom fit into"
                " a context."
            )
            yield _problem(item.place, "long-item", says, "warning")
    first: dict[str, Example] = {}
    for example in domain.examples:
        if example.status != "approved":
            continue
        other = first.setdefault(fold(example.input).casefold(), example)
        if fold(other.output) != fold(example.output):
            says = (
                f"`{example.id}` has the same input as `{other.id}` ({other.place}), but"
                " another output. Decide which is right, or retire one."
            )
            yield _problem(example.place, "contradiction", says, "warning")
    for case in domain.cases:
        if case.split == "holdout" and (twin := first.get(fold(case.input).casefold())):
            says = (
                f"`{case.id}` has the text of the example `{twin.id}` ({twin.place}). The guard"
                " keeps that example out when this case is asked."
            )
            yield _problem(case.place, "twin", says, "warning")


def _own_tools(domain: Domain) -> Iterator[Problem]:
    from harness.domain.own_tools import read_own_tools

    yield from read_own_tools(domain.path).problems  # read as text; nothing of it is run


def _sealed(domain: Domain) -> Iterator[Problem]:
    if domain.prints is None:
        return
    for example in domain.examples:
        if example.status == "retired":
            continue
        why = domain.prints.related(example.text, [example.source])
        if why:
            says = (
                f"`{example.id}`: {why}. It is kept out of the stable core, and out of the"
                " context of that case."
            )
            yield _problem(example.place, "twin", says, "warning")


_CHECKS: tuple[Callable[[Domain], Iterator[Problem]], ...] = (
    _settings,
    _budget,
    _pins,
    _core,
    _outputs,
    _checks,
    _attachments,
    _texts,
    _own_tools,
    _sealed,
    nothing_to_show,
)
