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
from harness.values import (
    Answer,
    Example,
    ItemReport,
    Message,
    Packed,
    Part,
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
    for value in vars(harness.values).values()
    if isinstance(value, type) and dataclasses.is_dataclass(value)
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


def report(name: str, **more: Any) -> ItemReport:
    default = {"kind": "example", "section": "core", "tokens": 3, "similarity": 0.5}
    return ItemReport(**{"id": name, "kept": True, "reason": "r", **default, **more})


def packed(*items: ItemReport) -> Packed:
    calls: list[int] = []

    def account():
        calls.append(1)
        assert len(calls) <= 2, "made once for what is shown, once for all"
        return iter(items)

    return Packed(
        domain="d",
        version="v",
        budget=100,
        core_tokens=10,
        by_section={"instructions": 4, "core": 6, "question": 5},
        prefix_sha256="abc",
        messages=(
            Message(role="system", parts=(Part(text="one", cache=True), Part(text="two"))),
            Message(role="user", parts=(Part(text="three"),)),
        ),
        account=account,
    )


def test_a_packed_context_as_json() -> None:
    """The shape that `harness context --json` prints."""
    one = packed(report("a"), report("b", kept=False, kind="eval", similarity=None))
    assert json.loads(json.dumps(one.to_json())) == {
        "domain": "d",
        "version": "v",
        "budget": 100,
        "ratio": 1.0,
        "tokens": {
            "total": 15,
            "core": 10,
            "tail": 5,
            "by_section": {"instructions": 4, "core": 6, "question": 5},
        },
        "prefix_sha256": "abc",
        "items": [
            {
                "id": "a",
                "kind": "example",
                "section": "core",
                "tokens": 3,
                "similarity": 0.5,
                "kept": True,
                "reason": "r",
            },
            {
                "id": "b",
                "kind": "eval",
                "section": "core",
                "tokens": 3,
                "similarity": None,
                "kept": False,
                "reason": "r",
            },
        ],
        "messages": [
            {"role": "system", "content": "onetwo"},
            {"role": "user", "content": "three"},
        ],
    }


def test_what_is_shown_is_what_was_kept() -> None:
    items = (
        report("a"),
        report("c", kind="eval"),
        report("d", kind="passage"),
        report("b", kept=False),
    )
    one = packed(*items)
    assert [item.id for item in one.shown("example", "eval")] == ["a", "c"]
    assert [item.id for item in one.shown("passage")] == ["d"]
    assert one.shown() == ()
    assert one.items == items
    assert one.items[3] not in one.shown("example", "eval", "passage")


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
    answer = Answer(
        run="r",
        domain="d",
        version="v",
        text="4.5 mg",
        value=Decimal("4.5"),
        unit="mg",
        model="m",
        usage=Usage(input_tokens=3, cost_usd=Decimal("0.001")),
        demonstrations=(report("a"),),
    )
    said = jsonable(answer)
    assert (said["value"], said["unit"], said["usage"]["cost_usd"]) == (4.5, "mg", 0.001)
    assert said["demonstrations"][0]["id"] == "a"
    assert json.dumps(said)
