"""The settings and schemas: defaults, types, and what is said of a wrong value."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from harness.domain import (
    AnswerSettings,
    ApprovalSettings,
    BudgetSettings,
    ContextSettings,
    DomainSettings,
    SectionSize,
)
from harness.domain.schemas import json_schemas, write_schemas

EVERYTHING = """
title: Claims
owners: [Ada, Bob]
language: en
model: openai:gpt-5
fallback_model: baseline:nearest
judge_model: replay:RUN7
model_options: {temperature: 0.2, seed: 7, stop: no, nested: {a: [true, null, "1"]}}
providers_allowed: [openai]
embedding: openai:text-embedding-3-small
context:
  budget: 8,000
  policy: diverse
  sections: {core: 0, references: 12.5 %, demonstrations: 1500}
  pinned: terms.md
answer:
  kind: json
  unit: mg
  within: 0.5 %
  abstain: no
  schema: {type: object, required: [a], minProperties: 1, properties: {a: {const: true}}}
tools: [files, compute]
approvals: {deny: "shell(*)", ask: [a, b], allow: []}
budgets: {tokens: 100000, usd: 2.50, steps: 40, minutes: 0.5}
review: two_people
"""


def test_every_setting(domain) -> None:
    read = domain({"domain.yaml": EVERYTHING, "references/terms.md": "Terms of it."})
    assert read.errors == ()
    assert read.settings == DomainSettings(
        title="Claims",
        owners=("Ada", "Bob"),
        language="en",
        model="openai:gpt-5",
        fallback_model="baseline:nearest",
        judge_model="replay:RUN7",
        model_options={
            "temperature": 0.2,
            "seed": 7,
            "stop": "no",
            "nested": {"a": [True, None, "1"]},
        },
        providers_allowed=("openai",),
        embedding="openai:text-embedding-3-small",
        context=ContextSettings(
            budget=8000,
            policy="diverse",
            sections={
                "core": SectionSize(tokens=0),
                "references": SectionSize(share=Decimal("0.125")),
                "demonstrations": SectionSize(tokens=1500),
            },
            pinned=("terms.md",),
        ),
        answer=AnswerSettings(
            kind="json",
            unit="mg",
            within="0.5 %",
            abstain="no",
            schema={
                "type": "object",
                "required": ["a"],
                "minProperties": 1,
                "properties": {"a": {"const": True}},
            },
        ),
        tools=("files", "compute"),
        approvals=ApprovalSettings(deny=("shell(*)",), ask=("a", "b")),
        budgets=BudgetSettings(
            tokens=100_000, usd=Decimal("2.50"), steps=40, minutes=Decimal("0.5")
        ),
        review="two_people",
    )


def test_defaults(domain) -> None:
    settings = domain({"domain.yaml": "context:\nanswer: {labels: }\n"}).settings
    assert settings == DomainSettings()
    assert (settings.context.budget, settings.context.policy) == (32_000, "balanced")
    assert (settings.answer.kind, settings.embedding, settings.review) == (
        "text",
        "minilm",
        "one_person",
    )


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("context: {sections: {core: 1.25}}", "share like 25 % or 0.25"),
        ("context: {sections: {core: 120 %}}", "between 0 % and 100 %"),
        ("context: {sections: {core: x %}}", "between 0 % and 100 %"),
        ("context: {sections: {core: 60 %, passages: 50 %}}", "110 %"),
        ("context: {sections: {cores: 60 %}}", "Did you mean `core`?"),
        ("context: {sections: [a]}", "mapping"),
        ("context: {budget: 0}", "less than 1"),
        ("context: [a]", "mapping"),
        ("model: gpt-5", "provider:model"),
        ("embedding: bert", "minilm"),
        ("answer: {labels: [a, b, a]}", "more than once"),
        ("answer: {labels: [a, ' ']}", "empty"),
        ("answer: {labels: {a: b}}", "list"),
        ("answer: {labels: [a, [b]]}", "text"),
        ("answer: {within: a bit}", "5 %"),
        ("answer: {schema: text}", "mapping"),
        ("budgets: {usd: much}", "not a number"),
        ("budgets: {usd: NaN}", "not a number"),
        ("tools: [teleport]", "Choose one of"),
        ("title: [a]", "text"),
    ],
)
def test_wrong_settings(domain, written: str, words: str) -> None:
    (problem,) = domain({"domain.yaml": written}).errors
    assert words in problem.message
    assert problem.place.line == 1
    assert "Error" not in problem.message


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("a: text", "mapping"),
        ("a: {criteria: []}", "at least one"),
        ("a: {}", "`criteria` is missing"),
        ("a: {criteria: [{text: x, points: -1}]}", "more than 0"),
        ("a: {criteria: [{txt: x}]}", "`text`"),
        ("a: {criteria: [{text: x}], pass_at: 2}", "0 to 1"),
        ("a: {criteria: [{text: x, critical: maybe}]}", "yes nor no"),
        ("a: {criteria: x}", "list"),
    ],
)
def test_wrong_rubrics(domain, written: str, words: str) -> None:
    found = domain({"rubrics.yaml": written}).errors
    assert words in " ".join(one.message for one in found)


def test_sizes_from_code() -> None:
    assert SectionSize.read(500) == SectionSize(tokens=500)
    assert SectionSize.read("1,500") == SectionSize(tokens=1500)
    for share in (0.25, "0.25", ".25", "25 %", Decimal("0.25")):
        assert SectionSize.read(share) == SectionSize(share=Decimal("0.25"))
    assert SectionSize.read(1) == SectionSize(tokens=1)
    assert SectionSize.read("1.0") == SectionSize.read(1.0) == SectionSize(share=Decimal(1))
    assert SectionSize.read(SectionSize(tokens=1)) == SectionSize(tokens=1)
    for wrong in (-1, -0.5, 1.5, "1.5", float("nan"), True, "", ".", "1e3", None):
        with pytest.raises(ValueError, match="neither a share"):
            SectionSize.read(wrong)


def test_a_share_may_be_written_as_a_number(domain) -> None:
    settings = domain({"domain.yaml": "context: {sections: {core: 0.25, passages: 10 %}}"}).settings
    assert settings.context.sections["core"] == SectionSize(share=Decimal("0.25"))


# --- JSON Schemas ----------------------------------------------------------------------------

SOUND = {
    "domain.schema.json": EVERYTHING,
    "examples.schema.json": "- {id: 7, input: no, output: 1.5, tags: a, steps: [a, 2]}",
    "evals.schema.json": (
        "- {id: a, input: q, expected: {a: 1}, checks: [exact, {number: {low: 3, unit: mg}}]}\n"
        "- {id: b, input: q, checks: {contains_all: [a, 1], json: {type: object}}, repeat: 2}\n"
    ),
    "rules.schema.json": "- {id: 1, text: x, accepted_by: y}",
    "rubrics.schema.json": (
        "a: {criteria: [{text: x, points: -2, critical: yes}, {text: y}], pass_at: 60 %}"
    ),
}
UNSOUND = {
    "domain.schema.json": ["titel: x", "context: {policy: best}", "tools: [x]"],
    "examples.schema.json": ["- {id: 7, input: x}", "- {id: 7, input: x, output: [a]}", "id: 7"],
    "evals.schema.json": ["- {id: a, input: q}", "- {id: a, input: q, checks: [exakt]}"],
    "rules.schema.json": ["- {id: 1}"],
    "rubrics.schema.json": ["a: {criteria: []}", "a: {}"],
}


@pytest.mark.parametrize("name", sorted(SOUND))
def test_schemas_take_what_the_reader_takes(name: str) -> None:
    schema = json_schemas()[name]
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    # as an editor sees it: YAML's own types
    load = YAML(typ="safe", pure=True).load
    assert list(validator.iter_errors(load(SOUND[name]))) == []
    for text in UNSOUND[name]:
        assert not validator.is_valid(load(text)), text


def test_schemas_are_written_for_editors(tmp_path) -> None:
    paths = write_schemas(tmp_path / "new" / "schemas")
    assert sorted(path.name for path in paths) == sorted(SOUND)
    for path in paths:
        assert json.loads(path.read_text(encoding="utf-8")) == json_schemas()[path.name]
