"""The values that cross rooms: frozen, complete, and sayable as JSON."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness.values
import harness.values_packed
from harness.values import (
    Answer,
    Example,
    ItemReport,
    Place,
    Problem,
    Section,
    Usage,
    in_dollars,
    jsonable,
    with_files,
)

VALUES = [
    value
    for module in (harness.values, harness.values_packed)
    for value in vars(module).values()
    if isinstance(value, type) and dataclasses.is_dataclass(value)
    if value.__module__ == module.__name__
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_values_are_frozen_and_named_by_keyword(value: type) -> None:
    assert value.__dataclass_params__.frozen
    assert all(field.kw_only for field in dataclasses.fields(value))
    with pytest.raises(TypeError):
        value("positional")


def test_every_section_is_one_of_a_packed_context() -> None:
    assert set(get_args(Section)) == {
        "instructions",
        "rules",
        "core",
        "references",
        "passages",
        "demonstrations",
    }


def test_a_problem_says_itself_on_one_line() -> None:
    place = Place(file="examples/a.csv", line=3, column=7)
    problem = Problem(place=place, code="unknown-key", message="What is `x`?")
    assert str(problem) == "examples/a.csv:3:7: unknown-key: What is `x`?"
    warning = dataclasses.replace(problem, severity="warning")
    assert str(warning) == "examples/a.csv:3:7: unknown-key: warning: What is `x`?"


def test_the_text_of_an_example_has_its_files() -> None:
    one = Example(
        id="e",
        input="What is it?",
        output="x",
        attached=(("a.txt", "first"), ("b.txt", "second")),
        place=Place(file="x"),
    )
    assert one.text == "What is it?\n\nfirst\n\nsecond"
    assert with_files("alone", ()) == "alone"


leaves = st.none() | st.booleans() | st.integers() | st.text() | st.decimals()
nested = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=3), inner)
    ),
    max_leaves=12,
)


@given(nested)
def test_everything_is_sayable_as_json(value: Any) -> None:
    said = jsonable(value)
    assert json.loads(json.dumps(said, allow_nan=False)) == said


def test_decimals_become_numbers_and_what_is_none_becomes_text() -> None:
    values = [
        Decimal("2.00"),
        Decimal("0.125"),
        Decimal("NaN"),
        Decimal("-Infinity"),
        Decimal("1E3"),
    ]
    assert jsonable(values) == [2, 0.125, "NaN", "-Infinity", 1000]
    assert isinstance(jsonable(Decimal("2.00")), int)


def test_a_cost_in_words() -> None:
    said = [in_dollars(cost) for cost in (None, Decimal(0), Decimal("0.00125"), Decimal("12.5"))]
    assert said == ["cost unknown", "no cost", "$0.0012", "$12.5000"]


def test_an_answer_as_json() -> None:
    shown = ItemReport(
        id="a",
        kind="example",
        section="core",
        tokens=3,
        similarity=0.5,
        kept=True,
        reason="r",
    )
    answer = Answer(
        run="r",
        domain="d",
        version="v",
        text="4.5 mg",
        value=Decimal("4.5"),
        unit="mg",
        model="m",
        usage=Usage(input_tokens=3, cost_usd=Decimal("0.001")),
        demonstrations=(shown,),
    )
    said = jsonable(answer)
    assert (said["value"], said["unit"], said["usage"]["cost_usd"]) == (4.5, "mg", 0.001)
    assert said["demonstrations"][0]["id"] == "a"
    assert json.dumps(said)
