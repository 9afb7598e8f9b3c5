"""A schema and a value are held against each other in bounded time, and as jsonschema does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from harness.domain import fitting
from harness.domain.fitting import schema_fault, validator_of
from harness.domain.json_answers import read_json

FOREVER = "^(a|aa)+$"
TEXT = "a" * 40 + "!"
ENDLESS: list[tuple[dict[str, Any], Any]] = [
    ({"type": "string", "pattern": FOREVER}, TEXT),
    ({"items": {"pattern": FOREVER}}, [TEXT]),
    ({"propertyNames": {"pattern": FOREVER}}, {TEXT: 1}),
    ({"patternProperties": {FOREVER: {"type": "string"}}}, {TEXT: 1}),
    ({"patternProperties": {FOREVER: True}, "additionalProperties": False}, {TEXT: 1}),
    ({"patternProperties": {FOREVER: True}, "additionalProperties": {}}, {TEXT: 1}),
    (
        {
            "allOf": [{"$ref": "#/$defs/keys"}],
            "$defs": {"keys": {"patternProperties": {FOREVER: True}}},
            "unevaluatedProperties": False,
        },
        {TEXT: 1},
    ),
    ({"$schema": "https://json-schema.org/draft/2020-12/schema", "pattern": FOREVER}, TEXT),
    (
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "pattern": FOREVER,
            "items": {"$ref": "#"},
        },
        [[TEXT]],
    ),
]


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.domain.patterns.PATIENCE", 0.05)


@pytest.mark.parametrize(("schema", "value"), ENDLESS)
def test_a_pattern_that_would_run_for_ever_is_given_up(schema: Any, value: Any) -> None:
    with pytest.raises(ValueError, match=r"\(a\|aa\)\+\$” took longer than 0\.05 s"):
        read_json(json.dumps(value), schema=schema)


def test_a_schema_that_looks_at_the_same_again_and_again_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fitting, "LONGEST", 0.2)
    tree = {
        "allOf": [{"properties": {"c": {"$ref": "#"}}}],
        "unevaluatedProperties": False,
    }
    value: Any = {}
    for _ in range(40):
        value = {"c": value}
    with pytest.raises(ValueError, match=r"longer than 0\.2 s"):
        read_json(json.dumps(value), schema=tree)


SCHEMAS: list[dict[str, Any]] = [
    {"pattern": "^a+b?$"},
    {"patternProperties": {"^a": {"type": "integer"}, "b$": {"minimum": 2}}},
    {"patternProperties": {"^a": True}, "additionalProperties": False},
    {"patternProperties": {"^a": True}, "additionalProperties": {"type": "integer"}},
    {"properties": {"a": True}, "additionalProperties": False},
    {"properties": {"a": True}, "patternProperties": {"b": True}, "unevaluatedProperties": False},
    {"allOf": [{"properties": {"a": True}}], "unevaluatedProperties": {"type": "string"}},
    {
        "anyOf": [{"required": ["a"], "patternProperties": {"b": True}}, {"required": ["ab"]}],
        "unevaluatedProperties": False,
    },
    {
        "if": {"properties": {"a": {"const": 1}}, "required": ["a"]},
        "then": {"properties": {"b": True}},
        "else": {"properties": {"ab": True}},
        "unevaluatedProperties": False,
    },
    {
        "$ref": "#/$defs/one",
        "$defs": {"one": {"patternProperties": {"^a": True}}},
        "dependentSchemas": {"a": {"properties": {"b": True}}},
        "unevaluatedProperties": False,
    },
    {
        "$defs": {"all": {"properties": {"a": True}, "unevaluatedProperties": False}},
        "allOf": [{"additionalProperties": {"type": "integer"}}],
        "unevaluatedProperties": False,
    },
    {"uniqueItems": True},
    {"properties": {"const": {"pattern": "^a$"}, "a": {"const": {"$schema": "x"}}}},
]
KEYS = st.sampled_from(["a", "b", "ab", "ba", "const", "c"])
LEAVES = st.sampled_from([None, True, False, 0, 1, 2, "a", "ab", "b", ""])
OBJECTS = st.dictionaries(KEYS, LEAVES, max_size=4)
VALUES = st.one_of(OBJECTS, OBJECTS, LEAVES, st.lists(LEAVES | st.lists(LEAVES)))


@pytest.mark.parametrize("schema", SCHEMAS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=VALUES)
def test_it_finds_what_jsonschema_finds(schema: dict[str, Any], value: Any) -> None:
    wanted = Draft202012Validator(schema).is_valid(value)
    assert validator_of(schema).is_valid(value) is wanted


def test_what_is_not_allowed_is_named() -> None:
    schema = {"patternProperties": {"^a": True}, "additionalProperties": False}
    assert read_json('{"a": 1, "x": 2}', schema=schema)[1] == (
        "Additional properties are not allowed ('x' was unexpected)"
    )
    schema = {"properties": {"a": True}, "unevaluatedProperties": False}
    assert "'x', 'y' were unexpected" in read_json('{"x": 1, "y": 2}', schema=schema)[1]
    assert "'b' does not match '^a$'" in read_json('["b"]', schema={"items": {"pattern": "^a$"}})[1]
    schema = {"type": "array", "uniqueItems": True}
    assert "non-unique" in read_json('[{"a": 1}, {"a": 1.0}]', schema=schema)[1]


def test_many_items_are_unique_in_no_time() -> None:
    many = json.dumps([{"a": number} for number in range(30_000)])
    assert read_json(many, schema={"uniqueItems": True})[1] == ""


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"pattern": "(["}, "pattern"),
        ({"patternProperties": {"([": True}}, "(["),
        ({"pattern": "(" * 5000 + ")" * 5000}, "too deep"),
        ({"type": "objekt"}, "objekt"),
    ],
)
def test_a_schema_that_is_none_is_named(schema: Any, says: str) -> None:
    assert says in schema_fault(schema)
    assert not schema_fault({"pattern": "^a$"})


def test_a_schema_that_is_nested_too_deeply_is_named() -> None:
    schema: Any = {}
    for _ in range(900):
        schema = {"items": schema}
    assert "deeply" in schema_fault(schema)


@pytest.mark.parametrize("answer", ["[" * 500 + "]" * 500, "[" * 100_000 + "]" * 100_000])
@pytest.mark.parametrize("before", ["", "Here: ", '{"a": '])
def test_what_is_nested_too_deeply_is_not_read(answer: str, before: str) -> None:
    value, problem = read_json(before + answer + "}" * before.count("{"))
    assert value is None
    assert problem
    assert read_json("[" * 50 + "]" * 50)[1] == ""
