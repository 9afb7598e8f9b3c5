"""Each grader passes what an expert would pass, and says what was wrong with the rest."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.domain.formats import AnswerSettings
from harness.evals.graders import Grade, Grader, grade, graders
from harness.values import Check, EvalCase, Place

DOMAINS = Path(__file__).parents[2] / "domains"
PLACE = Place(file="evals/dev.yaml", line=3)


def graded(
    name: str,
    spec: Any,
    answer: str,
    *,
    expected: Any = None,
    locale: str = "en",
    **settings: Any,
) -> Grade:
    check = Check(grader=name, spec=spec, place=PLACE)
    case = EvalCase(id="c", input="?", expected=expected, checks=(check,), split="dev", place=PLACE)
    found = graders(locale)[name](check, answer, case, AnswerSettings(**settings))
    assert isinstance(found, Grade)
    return found


def met(*args: Any, **kwargs: Any) -> bool | None:
    found = graded(*args, **kwargs)
    assert 0 <= found.score <= 1
    assert found.met or found.why
    assert (found.score == 1) == (found.met is True)
    return found.met


# --- exact, contains_all ----------------------------------------------------------------------


def test_exact_folds_space_and_composition_only() -> None:
    assert met("exact", None, " Caf\u0065\u0301  au\nlait ", expected="Café au lait")
    assert met("exact", "(14 weeks, 1 days)", "(14 weeks, 1 days)\n")
    assert not met("exact", None, "café au lait", expected="Café au lait")
    found = graded("exact", "yes", "no")
    assert "“yes”" in found.why
    assert "“no”" in found.why
    assert met("exact", None, "x", expected=None) is None


def test_contains_all_gives_the_share() -> None:
    spec = ("three months", "End of a Quarter")
    assert met("contains_all", spec, "Three  months, to the END of\na quarter.")
    found = graded("contains_all", spec, "three months")
    assert (found.met, found.score) == (False, 0.5)
    assert "“End of a Quarter”" in found.why
    assert met("contains_all", "one", "one")
    assert met("contains_all", None, "say one", expected="one")
    assert met("contains_all", (), "x") is None
    assert met("contains_all", ("a", " "), "a") is None


# --- label ------------------------------------------------------------------------------------


def test_label() -> None:
    labels = ("card_arrival", "card_linking")
    assert met("label", None, "Label: Card arrival", expected="card_arrival", labels=labels)
    assert met("label", "Card-Arrival", "card_arrival", labels=labels)
    assert not met("label", "card_arrival", "card_linking", labels=labels)
    two = graded("label", "card_arrival", "card_arrival\ncard_linking", labels=labels)
    assert not two.met
    assert "more than one label" in two.why
    assert met("label", "unheard_of", "Unheard of", labels=labels)
    assert met("label", "alone", "**Alone**")
    assert not met("label", "alone", "not alone")
    assert met("label", None, "x", labels=labels) is None


def test_label_and_abstention() -> None:
    settings = {"labels": ("yes", "no"), "abstain": "I can't tell"}
    found = graded("label", "yes", "I can’t tell.", **settings)  # noqa: RUF001
    assert not found.met
    assert "abstention" in found.why
    assert met("label", "I can't tell", "i can't tell", **settings)
    assert not met("label", "I can't tell", "yes", **settings)


# --- number -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "answer", "right"),
    [
        ("12.5", "12.50", True),
        ("12.5", "12.51", False),
        ("1,234.56", "about 1234.56 in all", True),
        ("-5", "(5)", True),
        ("1.2e3", "1,200", True),
        ({"value": "12.5", "within": "0.5"}, "13", True),
        ({"value": "12.5", "within": "0.5"}, "13.01", False),
        ({"value": "100", "within": "5 %"}, "95", True),
        ({"value": "100", "within": "5%"}, "105.0001", False),
        ({"value": "-100", "within": "5 %"}, "-105", True),
        ({"value": "0", "within": "5 %"}, "0.0", True),
        ({"value": "10", "within": "0,5"}, "10.5", True),
        ({"low": "4.636", "high": "5.124"}, "4.636", True),
        ({"low": "4.636", "high": "5.124"}, "5.124", True),
        ({"low": "4.636", "high": "5.124"}, "5.125", False),
        ({"low": "4.636"}, "1e300", True),
        ({"high": "-1"}, "−1.5", True),  # noqa: RUF001
        ({"value": "5", "within": "2", "low": "4"}, "3.5", False),
        ("60 %", "60%", True),
        ("60 %", "60", True),
        ("60 %", "0.6", False),
        ("60", "60 %", True),
        ("0.6", "60 %", True),
        ("0.1", "0.1000000000000000055511151231257827", False),
        ("25 mL/min", "25 ml / min today", True),
        ("25 mL/min", "25", True),
        ("25 mL/min", "25 mL/h", False),
        ({"value": "25", "unit": "mL/min"}, "25 L/min", False),
        ({"low": "20 kg", "high": "30 kg"}, "25 lb", False),
        ("12.5", "no idea", False),
        ("12.5", "10-15", False),
        ("12.5", "NaN", False),
    ],
)
def test_number(spec: Any, answer: str, right: bool) -> None:
    assert met("number", spec, answer) is right


def test_limits_that_are_one_number_are_said_as_one() -> None:
    assert graded("number", {"low": "2", "high": "2"}, "3").why == "expected exactly 2, got 3"


def test_number_uses_the_domain() -> None:
    assert met("number", None, "13", expected="12.5", within="5 %")
    assert met("number", "12.5", "13", within="0.5")
    assert not met("number", {"value": "12.5", "within": "0"}, "13", within="0.5")
    assert met("number", {"within": "1"}, "13", expected="12.5")
    wrong = graded("number", None, "12.5 g", expected="12.5", unit="mg")
    assert not wrong.met
    assert "can't be compared" in wrong.why
    assert met("number", None, "1.234,5", expected="1.234,5", locale="de")
    assert met("number", None, "12", expected=12)
    abstained = graded("number", "5", "Can't tell", abstain="can't tell")
    assert not abstained.met
    assert "abstention" in abstained.why


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (None, "no number to compare with"),
        ("02/22/2024", "one number for certain"),
        ({"value": "5", "within": "-1"}, "below 0"),
        ({"value": "5", "within": "a lot"}, "`within`"),
        ({"low": "5", "high": "4"}, "no number is within its limits"),
        ({"valeu": "5"}, "does not know `valeu`"),
        ({"within": "5"}, "no number to compare with"),
    ],
)
def test_a_number_check_without_sense_is_unscored(spec: Any, says: str) -> None:
    found = graded("number", spec, "5")
    assert found.met is None
    assert found.why.startswith("evals/dev.yaml:3:1: ")
    assert says in found.why


def test_every_shipped_check_passes_its_own_expectation() -> None:
    compared = 0
    for path in sorted((DOMAINS / "clinical-calculators/evals").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            expected = item["expected"]
            for name, spec in (pair for check in item["checks"] for pair in check.items()):
                if name == "number":
                    wrong = f"Answer: {3 * abs(Decimal(expected)) + 1}"
                    said = f"I took {expected} twice.\n\n**Answer:** {expected} (rounded to 3)"
                else:
                    said, wrong = expected, f"{expected}."
                found = graded(name, spec, said)
                assert found.met, (item["id"], found.why)
                assert not graded(name, spec, wrong).met
                compared += 1
    assert compared >= 800


# --- json -------------------------------------------------------------------------------------

INVOICE = {"number": "0123", "total": 1200.5, "lines": [{"item": "paper", "count": 3}]}


def test_json_equal_to_expected() -> None:
    said = json.dumps({**INVOICE, "total": 1200.50})
    assert met("json", None, f"```json\n{said}\n```", expected=INVOICE)
    assert met("json", None, said, expected=json.dumps(INVOICE))
    wrong = graded("json", None, json.dumps({**INVOICE, "total": 0.1}), expected=INVOICE)
    assert (wrong.met, wrong.score) == (False, pytest.approx(2 / 3))
    assert wrong.why == "`total`: expected “1200.5”, got “0.1”"
    extra = graded("json", None, json.dumps({**INVOICE, "more": 1}), expected=INVOICE)
    assert not extra.met
    assert "`more` is not expected" in extra.why
    assert not met("json", None, "[1]", expected=INVOICE)
    assert met("json", None, "[1, 2.0]", expected=[1.0, 2])
    assert not met("json", None, "[1]", expected=[True])
    assert not met("json", None, "[1, 2]", expected=[1])
    assert met("json", None, '{"a": {"b": null}}', expected={"a": {"b": None}})
    assert not met("json", None, "{}", expected={"a": None})
    assert met("json", None, "{}", expected={})
    assert not met("json", None, "no", expected=INVOICE)


def test_json_fields() -> None:
    said = json.dumps(INVOICE)
    assert met("json", {"fields": {"lines.0.count": 3, "number": "0123"}}, said)
    half = graded("json", {"fields": {"lines.1.count": 3, "number": "0123"}}, said)
    assert (half.met, half.score) == (False, 0.5)
    assert "`lines.1.count`: expected “3”, got nothing" in half.why
    assert met("json", {"fields": ["total"]}, '{"total": 1200.5, "x": 1}', expected=INVOICE)
    assert met("json", {"fields": "total"}, '{"total": 1200.5}', expected=INVOICE)
    assert met("json", {"fields": ["nothing"]}, said, expected=INVOICE) is None
    assert met("json", {"fields": 3}, said) is None
    many = graded("json", {"fields": {str(index): 1 for index in range(9)}}, "{}")
    assert "and 4 more" in many.why


def test_json_schema() -> None:
    schema = {"type": "object", "required": ["total"]}
    assert met("json", schema, '{"total": 1}')
    assert not met("json", schema, "{}")
    assert met("json", {"schema": schema, "fields": {"total": 1}}, '{"total": 1.0}')
    assert not met("json", {"schema": schema, "fields": {"total": 1}}, '{"total": 2}')
    assert met("json", None, '{"total": 1}', schema=schema)
    assert not met("json", None, "{}", schema=schema, expected={})
    assert not met("json", {"fields": {}}, "{}", schema=schema)


@pytest.mark.parametrize(
    "spec", [None, 5, {"schema": 5}, {"type": "objekt"}, {"$ref": "http://a/b"}]
)
def test_a_json_check_without_sense_is_unscored(spec: Any) -> None:
    assert graded("json", spec, "{}").met is None


def test_a_schema_with_a_pattern_that_would_run_for_ever_leaves_the_answer_unscored() -> None:
    answer = json.dumps("a" * 40 + "!")
    assert met("json", {"type": "string", "pattern": "^(a+)+$"}, answer) is False
    found = graded("json", {"type": "string", "pattern": "^(a|aa)+$"}, answer)
    assert found.met is None
    assert "took longer than 1 s" in found.why


def test_json_that_is_nested_too_deeply_is_not_met() -> None:
    deep = "[" * 400 + "]" * 400
    assert met("json", None, f'{{"total": {deep}}}', expected=INVOICE) is False
    assert met("json", {"type": "array"}, "[" * 100_000 + "]" * 100_000) is False


# --- the registry -----------------------------------------------------------------------------


def run_grade(name: str, known: dict[str, Grader]) -> Grade:
    check = Check(grader=name, spec=None, place=PLACE)
    case = EvalCase(id="c", input="?", checks=(check,), split="dev", place=PLACE, expected="x")
    return anyio.run(grade, check, "x", case, AnswerSettings(), known)


def test_graders_are_found_by_name() -> None:
    assert run_grade("exact", graders()).met
    found = run_grade("taste", graders())
    assert found.met is None
    assert "no grader called `taste`" in found.why
    found = run_grade("rubric", graders())
    assert found.met is None
    assert "`judge_model`" in found.why
    found = run_grade("steps", graders())
    assert found.met is None
    assert "record of the work" in found.why


async def _slow(check: Check, answer: str, case: EvalCase, settings: AnswerSettings) -> Grade:
    await anyio.sleep(0)
    return Grade(met=True, score=1.0, why=f"judged {answer}")


def test_a_grader_may_take_time() -> None:
    assert run_grade("judge", {**graders(), "judge": _slow}).why == "judged x"


def test_each_grader_shows_itself_in_yaml() -> None:
    for name, grader in graders().items():
        module = __import__(grader.__module__, fromlist=["__doc__"])
        assert f"`{name}`" in (module.__doc__ or "").splitlines()[0]
        assert "- id: " in (module.__doc__ or "")
