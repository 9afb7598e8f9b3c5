"""Items, instructions and the question as text: what the model will read, word for word."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.context.tags import block, demonstration, neutral
from harness.values import Check, EvalCase, Example, Passage, Rule, jsonable

if TYPE_CHECKING:
    from harness.domain import AnswerSettings, Domain

__all__ = ["RENDERING", "instructions", "render_item", "render_question", "render_rule"]

RENDERING = "tags-3"
"""Names the form of rendered items; a change of the form needs a new name."""

PROMPTS = Path(__file__).parent / "prompts"


@cache
def _prompt(name: str) -> str:
    return (PROMPTS / f"{name}.md").read_text("utf-8").strip()


def render_item(item: Example | EvalCase | Passage) -> str:
    """Return an example, eval case or passage as it stands in the context."""
    if isinstance(item, Passage):
        origin = f"{item.document}, {item.where}" if item.where else item.document
        return block("passage", item.text, origin)
    if isinstance(item, Example):
        steps = "\n".join(f"{number}. {step}" for number, step in enumerate(item.steps, 1))
        between = [("steps", steps), ("why", item.why)]
        return demonstration(item.input, item.output, files=item.attached, between=between)
    if item.expected is not None:
        return demonstration(item.input, _said(item.expected), files=item.attached)
    standard = "; ".join(_in_words(check) for check in item.checks)
    return demonstration(item.input, standard, answer_tag="standard", files=item.attached)


def render_rule(rule: Rule) -> str:
    """Return a rule as it stands in the context, on one line."""
    return f"<rule>{neutral(' '.join(rule.text.split()))}\n"


def _said(expected: Any) -> str:
    """Return an expectation as an answer would say it."""
    if isinstance(expected, str):
        return expected
    return json.dumps(jsonable(expected), ensure_ascii=False)


def _in_words(check: Check) -> str:
    """Return what a check asks for, for the model to read."""
    spec = check.spec
    if check.grader == "number" and isinstance(spec, Mapping):
        return _number_in_words(spec)
    if check.grader == "contains_all":
        names = [spec] if isinstance(spec, str) else list(spec or ())
        return "an answer that names " + ", ".join(f"“{name}”" for name in names)
    if check.grader == "json" and isinstance(spec, Mapping):
        return f"JSON that follows {json.dumps(jsonable(spec), ensure_ascii=False)}"
    return f"{check.grader}: {_said(spec)}"


def _number_in_words(spec: Mapping[str, Any]) -> str:
    unit = f" {spec['unit']}" if spec.get("unit") else ""
    if spec.get("value"):
        within = f", give or take {spec['within']}" if spec.get("within") else ""
        return f"the number {spec['value']}{unit}{within}"
    low, high = spec.get("low"), spec.get("high")
    if low and high:
        return f"a number from {low} to {high}{unit}"
    return f"a number of at least {low}{unit}" if low else f"a number of at most {high}{unit}"


def instructions(domain: Domain, labels: Sequence[str]) -> str:
    """Return what stands first: the expert's page, how to read the rest, the answer's form."""
    head = domain.instructions.strip() or domain.description.strip()
    parts = [head, _prompt("legend"), *answer_form(domain.settings.answer, labels)]
    return "\n\n".join(part for part in parts if part) + "\n"


def answer_form(answer: AnswerSettings, labels: Sequence[str]) -> list[str]:
    """Return the paragraphs that say what form an answer has to have."""
    parts = []
    if answer.kind == "label":
        listed = "\n".join(f"- {neutral(label)}" for label in labels)
        parts.append(f"{_prompt('answer_label')}\n\n{listed}")
    elif answer.kind == "number":
        unit = f", in {answer.unit}," if answer.unit else ""
        parts.append(_prompt("answer_number").format(unit=unit))
    elif answer.kind == "json" and answer.schema:
        parts.append(f"{_prompt('answer_schema')}\n\n{_fenced(answer.schema)}")
    elif answer.kind == "json":
        parts.append(_prompt("answer_json"))
    if answer.abstain:
        parts.append(_prompt("abstain").format(abstain=neutral(answer.abstain)))
    return parts


def _fenced(schema: Mapping[str, Any]) -> str:
    return f"```json\n{neutral(json.dumps(schema, ensure_ascii=False, indent=1))}\n```"


def render_question(
    text: str,
    files: Sequence[tuple[str, str]] = (),
    schema: Mapping[str, Any] | None = None,
) -> str:
    """Return the question, after the (name, text) of its files.

    Args:
        text: The question.
        files: (name, text) of each file.
        schema: A JSON Schema for this answer alone; it stands after the question, so that what
            stands before stays the same.
    """
    attached = "".join(block("file", content, name) for name, content in files)
    form = f"\n{_prompt('answer_once')}\n\n{_fenced(schema)}\n" if schema else ""
    return attached + block("question", text) + form
