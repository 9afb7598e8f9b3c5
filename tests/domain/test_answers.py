"""A model's words become the value the domain asks for, or a problem in plain words."""

# ruff: noqa: RUF001 - the signs that people write

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.domain.answers import match_label, read_answer, same_wording

DOMAINS = Path(__file__).parents[2] / "domains"
LABELS = ("card_arrival", "Cap On Liability", "reverted_card_payment?", "Refund_not_showing_up")
ABSTAIN = "I can't tell"


def shipped_labels(domain: str) -> tuple[str, ...]:
    lines = (DOMAINS / domain / "domain.yaml").read_text(encoding="utf-8").splitlines()
    labels = [line.strip()[2:].strip('"') for line in lines if line.startswith("    - ")]
    assert len(labels) >= 38
    return tuple(labels)


def label(text: str) -> Any:
    return read_answer(text, kind="label", labels=LABELS, abstain=ABSTAIN)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("card_arrival", "card_arrival"),
        ("Card arrival.", "card_arrival"),
        ("“card_arrival”", "card_arrival"),
        ("**cap-on-liability**", "Cap On Liability"),
        ("- Cap on Liability", "Cap On Liability"),
        ("reverted_card_payment", "reverted_card_payment?"),
        ("Label: card_arrival\nbecause it has not come", "card_arrival"),
        ("The customer waits.\n\n**Answer:** `card_arrival`", "card_arrival"),
        ("Answer:\n\ncard_arrival\n\nbecause of this", "card_arrival"),
        ("card_arrival\n\nThe customer waits for a card.", "card_arrival"),
        ("The customer waits for a card.\n\ncard_arrival", "card_arrival"),
        ("card_arrival\nIt waits.\nLabel: card arrival", "card_arrival"),
        ('{"label": "card_arrival"}', "card_arrival"),
        ("```\ncard_arrival\n```", "card_arrival"),
        ("The answer is card_arrival.", "card_arrival"),
    ],
)
def test_labels(text: str, expected: str) -> None:
    read = label(text)
    assert (read.value, read.problem, read.abstained) == (expected, "", False)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("card_arrival\n\nLabel: Cap On Liability", "more than one label"),
        ("card_arrival\nCap On Liability", "more than one label"),
        ("card_arrival\nI can't tell", "more than one label"),
        ("I think it is card_arrival or so", "no known label"),
        ("card_arrivals", "no known label"),
        ("x" * 100_000, "no known label"),
    ],
)
def test_doubtful_labels(text: str, says: str) -> None:
    read = label(text)
    assert read.value is None
    assert not read.abstained
    assert says in read.problem
    assert len(read.problem) < 300


def test_labels_that_differ_by_a_sign_are_kept_apart() -> None:
    signs = ("1", "-1", "A+", "A-", "A")
    for text in (*signs, "**A-**", "“-1”", "a+"):
        read = read_answer(text, kind="label", labels=signs)
        assert read.value == text.strip("*“”").upper()
    read = read_answer("no-fault", kind="label", labels=("No fault", "no_fault"))
    assert read.value is None
    assert "could mean “No fault”, “no_fault”" in read.problem


@pytest.mark.parametrize("domain", ["support-triage", "contract-clauses"])
def test_every_shipped_label_is_read_back_in_the_ways_models_write_it(domain: str) -> None:
    labels = shipped_labels(domain)
    for name in labels:
        for text in (name, name.upper(), f"**{name}**.", f"Label: {name}", f"So:\n\n“{name}”"):
            assert read_answer(text, kind="label", labels=labels).value == name


def test_without_known_labels_the_line_is_the_label() -> None:
    assert read_answer(" New one ", kind="label").value == "New one"
    assert read_answer("It is\nLabel: **New one**", kind="label").value == "New one"
    assert "not one line" in read_answer("one\ntwo", kind="label").problem


@pytest.mark.parametrize("kind", ["text", "label", "number", "json"])
@pytest.mark.parametrize(
    "text", [ABSTAIN, "i can’t tell.", "**Answer:** I can't tell", " I  can't\ntell "]
)
def test_abstentions(kind: Any, text: str) -> None:
    read = read_answer(text, kind=kind, labels=LABELS, abstain=ABSTAIN)
    assert (read.abstained, read.value, read.problem) == (True, None, "")


def test_talking_of_the_abstention_is_none() -> None:
    text = "I can't tell how often I was asked this.\nAnswer: card_arrival"
    assert label(text).value == "card_arrival"
    assert same_wording("N/A", "n / a")
    assert not same_wording("yes", "no")


def test_numbers_carry_the_unit_of_the_domain() -> None:
    read = read_answer("It is 25.2 ml / min.", kind="number", unit="mL/min")
    assert (read.value, read.unit) == (Decimal("25.2"), "mL/min")
    assert read_answer("25.2", kind="number", unit="mL/min").unit == "mL/min"
    assert read_answer("25.2 mg", kind="number", unit="mL/min").unit == "mg"
    assert read_answer("25,2 mg", kind="number", locale="de").value == Decimal("25.2")
    assert read_answer("none", kind="number").problem == "there is no number in it"


# --- json -------------------------------------------------------------------------------------

SCHEMA = {
    "type": "object",
    "properties": {"total": {"type": "number", "multipleOf": 0.01}, "count": {"type": "integer"}},
    "required": ["total"],
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"total": 0.1}', {"total": Decimal("0.1")}),
        ('As in [1]:\n```json\n{"total": 12.30}\n```\nDone.', {"total": Decimal("12.30")}),
        ('Here: {"total": 5, "count": 3.0} as asked', {"total": 5, "count": 3}),
        ('{"other": 1} or rather {"total": 2}', {"total": 2}),
        ('{bad} but {"total": 2}', {"total": 2}),
    ],
)
def test_json(text: str, expected: Any) -> None:
    read = read_answer(text, kind="json", schema=SCHEMA)
    assert (read.value, read.problem) == (expected, "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no braces", "no JSON"),
        ('{"total": NaN}', "no JSON"),
        ('{lines: {"total": 1}, "total": 2}', "broken"),
        ('```json\n[{"total": 1}, \n```', "broken"),
        ('{"total": 1e999999999}', "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("{ " * 100_000, "no JSON"),
        ('{"count": 1}', "'total' is a required property"),
        ('{"total": "1"}', "(at `total`)"),
        ('{"total": 0.001}', "0.001 is not a multiple of 0.01"),
        ('{"total": 1, "count": 1.5}', "1.5 is not of type 'integer'"),
        ('{"total": 1, "count": true}', "True is not of type 'integer'"),
    ],
)
def test_json_that_does_not_fit(text: str, says: str) -> None:
    read = read_answer(text, kind="json", schema=SCHEMA)
    assert read.value is None
    assert says in read.problem
    assert "Decimal" not in read.problem


def test_lists_and_null_are_json_too() -> None:
    assert read_answer("see [1, 2]", kind="json").value == [1, 2]
    read = read_answer("null", kind="json")
    assert (read.value, read.problem) == (None, "")


def test_a_wrong_schema_is_named_and_nothing_is_fetched() -> None:
    read = read_answer("{}", kind="json", schema={"type": "objekt"})
    assert "the schema itself is wrong" in read.problem
    read = read_answer("{}", kind="json", schema={"$ref": "https://example.com/other.json"})
    assert "https://example.com/other.json" in read.problem
    read = read_answer("{}", kind="json", schema={"$ref": "#"})
    assert read.problem


@given(st.text(), st.sampled_from(["text", "label", "number", "json"]))
def test_any_text_is_read_without_error(text: str, kind: Any) -> None:
    read = read_answer(text, kind=kind, labels=LABELS, unit="mg", schema=SCHEMA, abstain=ABSTAIN)
    assert not (read.problem and (read.abstained or read.value is not None))


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=8, unique=True))
def test_a_label_as_written_is_always_itself(labels: list[str]) -> None:
    for name in labels:
        found = match_label(name, labels)
        assert name in found
