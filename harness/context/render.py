"""Items, instructions and the question as text: what the model will read, word for word."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from harness.context.standard import said, standard
from harness.context.tags import block, demonstration, neutral
from harness.values import EvalCase, Example, Passage, Rubric, Rule

if TYPE_CHECKING:
    from harness.domain import AnswerSettings, Domain

__all__ = [
    "RENDERING",
    "instructions",
    "render_item",
    "render_question",
    "render_rule",
    "renderer",
]

RENDERING = "tags-4"
"""Names the form of rendered items; a change of the form needs a new name."""

PROMPTS = Path(__file__).parent / "prompts"


@cache
def _prompt(name: str) -> str:
    return (PROMPTS / f"{name}.md").read_text("utf-8").strip()


def renderer(rubrics: Iterable[Rubric]) -> Callable[[Example | EvalCase | Passage], str]:
    """Return what renders the items of a domain that has these rubrics."""
    named = MappingProxyType({rubric.name: rubric for rubric in rubrics})
    return partial(render_item, rubrics=named)


def render_item(
    item: Example | EvalCase | Passage, rubrics: Mapping[str, Rubric] = MappingProxyType({})
) -> str:
    """Return an example, eval case or passage as it stands in the context.

    Args:
        item: As the expert wrote it.
        rubrics: The domain's, by name: the checks of a case may name them.
    """
    if isinstance(item, Passage):
        origin = f"{item.document}, {item.where}" if item.where else item.document
        return block("passage", item.text, origin)
    if isinstance(item, Example):
        steps = "\n".join(f"{number}. {step}" for number, step in enumerate(item.steps, 1))
        between = [("steps", steps), ("why", item.why)]
        return demonstration(item.input, item.output, files=item.attached, between=between)
    if item.expected is not None:
        return demonstration(item.input, said(item.expected), files=item.attached)
    held_to = standard(item.checks, rubrics)
    return demonstration(item.input, held_to, answer_tag="standard", files=item.attached)


def render_rule(rule: Rule) -> str:
    """Return a rule as it stands in the context, on one line."""
    return f"<rule>{neutral(' '.join(rule.text.split()))}\n"


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
