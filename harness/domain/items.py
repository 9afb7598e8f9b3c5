"""From what was written to what is used: entries in; examples, cases, rules and rubrics out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TypeVar

from harness.domain.checks import COLUMN, CheckReader, read_json_text, split_cell
from harness.domain.entries import Entry, own_types, plain_text
from harness.domain.explain import fields_of, salvaged, validated
from harness.domain.formats import (
    GRADERS,
    AnswerSettings,
    CaseItem,
    ExampleItem,
    RubricItem,
    RuleItem,
)
from harness.values import Criterion, EvalCase, Example, Problem, Rubric, Rule, Split

__all__ = ["read_cases", "read_examples", "read_rubrics", "read_rules"]

T = TypeVar("T")


def read_examples(
    entries: Iterable[Entry], answer: AnswerSettings, broken: list[Example] | None = None
) -> tuple[list[Example], list[Problem]]:
    """Return the examples, and what is wrong with those that are left out.

    Args:
        entries: As written.
        answer: The domain's.
        broken: Takes those that are left out as far as they can be read, so that all that is
            wrong with them can be said at once.
    """
    examples: list[Example] = []
    problems: list[Problem] = []
    for entry in entries:
        data = _written(entry, ExampleItem, problems)
        if data is None:
            continue
        if answer.kind == "json" and isinstance(data.get("output"), dict | list):
            # a json domain's expert may write the answer as YAML instead of as JSON text
            data["output"] = json.dumps(own_types(data["output"]), ensure_ascii=False)
        item, wrong = validated(ExampleItem, data, entry)
        wrong += _empty(entry, data, ("input", "output"))
        problems += wrong
        item = item or _as_far_as_read(ExampleItem, data, entry)
        if item is not None and not wrong:
            examples.append(Example(**vars(item), place=entry.place()))
        elif item is not None and broken is not None:
            broken.append(Example(**vars(item), place=entry.place()))
    return examples, problems


def read_cases(
    entries: Iterable[Entry],
    answer: AnswerSettings,
    split: Split,
    broken: list[EvalCase] | None = None,
) -> tuple[list[EvalCase], list[Problem]]:
    """Return the eval cases, and what is wrong with those that are left out.

    Args:
        entries: As written.
        answer: The domain's.
        split: The cases'.
        broken: Takes those that are left out, as for `read_examples`.
    """
    cases: list[EvalCase] = []
    problems: list[Problem] = []
    reader = CheckReader(answer=answer)
    for entry in entries:
        data = _written(entry, CaseItem, problems)
        if data is None:
            continue
        case, wrong = _case(entry, data, reader, split)
        problems += wrong
        if case is not None and not wrong:
            cases.append(case)
        elif case is not None and broken is not None:
            broken.append(case)
    return cases, problems


def _case(
    entry: Entry, data: dict[str, Any], reader: CheckReader, split: Split
) -> tuple[EvalCase | None, list[Problem]]:
    """Return a case as far as it can be read, and everything that is wrong with it."""
    columns = gather_columns(data, entry) if entry.columns else []
    item, wrong = validated(CaseItem, data, entry)
    wrong += columns + _empty(entry, data, ("input",))
    written = data.get("checks")
    expected = _expected(entry, data.get("expected"), written, reader.answer, wrong)
    loc = () if entry.columns else ("checks",)
    checks, bad = reader.read(entry, written, expected, loc)
    if columns or (expected is None and data.get("expected") is not None):
        # why there is nothing to check has been said: the same thing is not said twice
        bad = [one for one in bad if one.code != "nothing-to-check"]
    item = item or _as_far_as_read(CaseItem, data, entry)
    if item is None:
        return None, wrong + bad
    fields = {**vars(item), "expected": expected, "checks": checks}
    return EvalCase(**fields, split=split, place=entry.place()), wrong + bad


def _as_far_as_read(schema: type[T], data: dict[str, Any], entry: Entry) -> T | None:
    """Return a wrong item without what is wrong; its id and input may be empty."""
    stand_ins = {key: "" for key in ("id", "input") if not isinstance(data.get(key), str)}
    return salvaged(schema, {**data, **stand_ins}, entry)[0]


def read_rules(entries: Iterable[Entry]) -> tuple[list[Rule], list[Problem]]:
    """Return the rules, and what is wrong with those that are left out."""
    rules: list[Rule] = []
    problems: list[Problem] = []
    for entry in entries:
        data = _written(entry, RuleItem, problems)
        if data is None:
            continue
        item, wrong = validated(RuleItem, data, entry)
        wrong += _empty(entry, data, ("text",))
        problems += wrong
        if item is not None and not wrong:
            rules.append(Rule(**vars(item), place=entry.place()))
    return rules, problems


def read_rubrics(entry: Entry) -> tuple[list[Rubric], list[Problem]]:
    """Return the rubrics of a mapping from names to rubrics, and what is wrong."""
    rubrics: list[Rubric] = []
    problems: list[Problem] = []
    if not isinstance(entry.data, dict):
        says = "Rubrics are a mapping: each name, then its `criteria` on indented lines."
        return [], [entry.problem("wrong-type", says)]
    for name, written in entry.data.items():
        part = entry.part(name)
        if not isinstance(written, dict):
            problems.append(
                part.problem("wrong-type", f"`{name}` has to be a mapping with `criteria`.")
            )
            continue
        item, wrong = validated(RubricItem, _without_empty(plain_text(written), RubricItem), part)
        if item is not None and not any(one.points > 0 for one in item.criteria):
            says = f"No criterion of `{name}` gives points. Give at least one more than 0."
            wrong.append(part.problem("bad-value", says, ("criteria",)))
        problems += wrong
        if item is not None and not wrong:
            criteria = tuple(
                Criterion(**{**vars(one), "id": one.id or f"c{number}"})
                for number, one in enumerate(item.criteria, start=1)
            )
            rubrics.append(
                Rubric(name=str(name), criteria=criteria, pass_at=item.pass_at, place=part.place())
            )
    return rubrics, problems


def _written(entry: Entry, schema: type, problems: list[Problem]) -> dict[str, Any] | None:
    """Return the entry's keys that hold something; None where it is no mapping."""
    if not isinstance(entry.data, dict):
        says = "An item is a mapping: `- id: …`, and under it the other fields, indented."
        problems.append(entry.problem("wrong-type", says))
        return None
    return _without_empty(entry.data, schema)


def _without_empty(data: dict[str, Any], schema: type) -> dict[str, Any]:
    if None not in data.values():
        return dict(data)
    known = fields_of(schema)
    return {key: value for key, value in data.items() if value is not None or key not in known}


def _empty(entry: Entry, data: dict[str, Any], fields: tuple[str, ...]) -> list[Problem]:
    return [
        entry.problem("empty-field", f"`{name}` is there, but empty. Write it.", (name,))
        for name in fields
        if isinstance(value := data.get(name), str) and not value.strip()
    ]


def gather_columns(data: dict[str, Any], entry: Entry) -> list[Problem]:
    """Put a row's `check:` cells together as `checks`."""
    checks: dict[str, Any] = {}
    problems: list[Problem] = []
    for column in [name for name in data if name.startswith(COLUMN)]:
        grader, cell = column[len(COLUMN) :], data.pop(column)
        if grader != "json":
            checks[column] = split_cell(cell) if "texts" in GRADERS.get(grader, ()) else cell
            continue
        try:
            checks[column] = read_json_text(cell)
        except ValueError as error:
            says = f"This is no JSON ({error}). Write a JSON Schema."
            problems.append(entry.problem("bad-json", says, (column,)))
    if checks:
        data["checks"] = checks
    return problems


def _expected(
    entry: Entry, written: Any, checks: Any, answer: AnswerSettings, wrong: list[Problem]
) -> Any:
    """Return `expected` as it is graded: text, or what the JSON says."""
    if written is None:
        return None
    if answer.kind == "json" or _names_json(checks):
        if isinstance(written, str) and (entry.columns is not None or _looks_json(written)):
            try:
                return read_json_text(written)
            except ValueError as error:
                says = f"`expected` is no JSON ({error}). Write it as JSON, texts in double quotes."
                wrong.append(entry.problem("bad-json", says, ("expected",)))
                return None
        return own_types(written)
    if not isinstance(written, str):
        says = (
            "`expected` has to be text here; only with `answer.kind: json` may it be more. Put"
            " it in quotes."
        )
        wrong.append(entry.problem("wrong-type", says, ("expected",)))
        return None
    if not written.strip():
        wrong.append(
            entry.problem("empty-field", "`expected` is there, but empty. Write it.", ("expected",))
        )
    return str(written)


def _names_json(checks: Any) -> bool:
    return "json" in checks if isinstance(checks, list | dict) else checks == "json"


def _looks_json(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[")
