"""Numbers as people write them become exact decimals, or nothing where they could mean two."""

# ruff: noqa: RUF001 - the signs that people write

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.domain.numbers import find_numbers, number_in_unit, number_or_problem, read_number

WORKED = Path(__file__).parents[2] / "domains/clinical-calculators/examples/worked.jsonl"

LOCALES = [
    "en",
    "en-IN",
    "de",
    "de-CH",
    "de_AT",
    "fr",
    "fr-CA",
    "es",
    "es-MX",
    "it",
    "nl",
    "nl-BE",
    "pt-BR",
    "pl",
    "cs",
    "sk",
    "hu",
    "sv",
    "nb",
    "da",
    "fi",
    "ro",
    "ru",
    "uk",
    "tr",
    "ja",
]


def value(text: str, locale: str = "en") -> Decimal | None:
    quantity = read_number(text, locale=locale)
    return None if quantity is None else quantity.value


@pytest.mark.parametrize(
    ("text", "locale", "expected"),
    [
        ("1,234.56", "en", "1234.56"),
        ("1.234,56", "de", "1234.56"),
        ("1.234,56", "en", "1234.56"),
        ("1,234.56", "de", "1234.56"),
        ("1.234", "en", "1.234"),
        ("1.234", "de", "1234"),
        ("1.234", "de-CH", "1.234"),
        ("3,14", "de_AT", "3.14"),
        ("1,234", "en", "1234"),
        ("1.234.567", "en", "1234567"),
        ("12,34,567.5", "en-IN", "1234567.5"),
        ("1'234.50", "de-CH", "1234.50"),
        ("1\u2009234\u2009567", "en", "1234567"),
        ("1\u00a0234,56 €", "fr", "1234.56"),
        ("1\u202f234,5", "en", "1234.5"),
        ("12 345,6", "fr", "12345.6"),
        ("(3,200)", "en", "-3200"),
        ("($1,200)", "en", "-1200"),
        ("$(1,200)", "en", "-1200"),
        ("(5 %)", "en", "-5"),
        ("-$5", "en", "-5"),
        ("$-5", "en", "-5"),
        ("−5", "en", "-5"),
        ("+5", "en", "5"),
        (".5", "en", "0.5"),
        ("1.2e3", "en", "1200"),
        ("1,2E-3", "de", "0.0012"),
        ("4.2 × 10^9/L", "en", "4200000000"),
        (r"4.2 \times 10^{-3}", "en", "0.0042"),
        ("4.2 x 10⁻⁹", "en", "0.0000000042"),
        ("60 %", "en", "60"),
        ("$1.2 million", "en", "1200000"),
        ("٣٤", "en", "34"),
        ("2½", "en", "2.5"),
        ("1,000 ¾", "en", "1000.75"),
        ("about -½ (see p. 3)", "en", "-0.5"),
        ("０.５", "en", "0.5"),
    ],
)
def test_forms(text: str, locale: str, expected: str) -> None:
    assert value(text, locale) == Decimal(expected)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("3,14", "3,14"),
        ("1 234", "1 234"),
        ("0,123", "0,123"),
        ("1,23,4", "1,23,4"),
        ("1,2,3", "1,2,3"),
        ("1.2.3", "1.2.3"),
        ("5-10 mg", "5-10"),
        ("5 - 10 mg", "5 - 10"),
        ("120/80 mm Hg", "120/80"),
        ("2024-02-22", "2024-02-22"),
        ("12:30", "12:30"),
        ("< 5", "5"),
        (">= 5", "5"),
        ("Answer: 5 to 10 mg", "5 to 10"),
        ("1e999999999", "1e999999999"),
        ("9" * 500, "9" * 60),
        ("1'23", "1'23"),
    ],
)
def test_what_could_mean_two_things_is_not_guessed(text: str, shown: str) -> None:
    quantity, problem = number_or_problem(text)
    assert quantity is None
    assert f"“{shown}”" in problem


@pytest.mark.parametrize(
    "text", ["", "NaN", "inf", "-Infinity", "∞", "none", "CURB-65", "3rd", "H2O"]
)
def test_what_is_no_number(text: str) -> None:
    assert number_or_problem(text) == (None, "there is no number in it")


@pytest.mark.parametrize(
    ("text", "expected", "unit"),
    [
        ("Hence, the GFR value is 39.99991 ml/min/1.73 m².", "39.99991", "ml/min/1.73 m²"),
        ("= 277.603 mmol/L.The patient", "277.603", "mmol/L"),
        ("The patient's CURB-65 score is 1.", "1", ""),
        ("The CHA2DS2-VASc Score is 2 because of age", "2", ""),
        ("mean arterial pressure is 100.0 mm Hg.\n", "100.0", "mm Hg"),
        ("a dose of 5 ± 2 mg", "5", ""),
        ("temperature −3.5°C, falling", "-3.5", "°C"),
        ("USD 1,200", "1200", "USD"),
        ("1.200,00 €", "1200", "€"),
        ("40 per cent of them", "40", "%"),
        ("**25.2** mL/min", "25.2", "mL/min"),
        ("<answer>42</answer>", "42", ""),
        ("x -> 42", "42", ""),
        ("5 - not more", "5", ""),
        ("5m2", "5", "m2"),
    ],
)
def test_units(text: str, expected: str, unit: str) -> None:
    quantity = read_number(text)
    assert quantity is not None
    assert (quantity.value, quantity.unit) == (Decimal(expected), unit)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Answer: 25.2 mL/min, below 60\nThat took 3 steps", "25.2"),
        ("**Final answer:**\n25.2", "25.2"),
        ("Answer: 1\nNo, wait.\nAnswer: 2", "2"),
        ("Answer: 3 + 4 = 7 mg, not 8", "7"),
        ("Answer: (7)", "-7"),
        ("Answer: none I can see\nbut 8 in all", "8"),
        (r"so we get \boxed{42} from 6 and 7", "42"),
        ("It is 25.2, no doubt about it.\n\nI hope this helps!", "25.2"),
        ("25.2 mL/min (normal is 90 to 120)", "25.2"),
        ("First 1, then 2\nlast 3 and 4", "4"),
        ("It was thirty (30) days", "30"),
        ("net income was (3,200)", "-3200"),
        ("1. weigh\n2. divide: 25.2\n3. report", "25.2"),
        ("4. That is the score", "4"),
        ("f((1)(2)", "2"),
    ],
)
def test_which_number_counts(text: str, expected: str) -> None:
    assert value(text) == Decimal(expected)


def test_another_number_is_never_taken_for_one_that_cannot_be_read() -> None:
    assert value("The dose is 5.\nAnswer: 10-20 mg") is None
    assert value("It was 7 before.\nNow it is 120/80") is None


def test_real_explanations_end_in_the_answer() -> None:
    """The shipped worked examples: the number that counts in the reasoning is the output."""
    compared = 0
    for line in WORKED.read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        output = value(item["output"])
        if output is not None and "(" not in item["output"]:
            got = value("\n".join(item["steps"]))
            assert got is not None, item["id"]
            assert abs(got - output) <= Decimal("0.001"), item["id"]
            compared += 1
    assert compared >= 50


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-(3,200)", "-3200"),
        ("−(3,200)", "-3200"),
        ("Net result: -(3,200)", "-3200"),
        ("- (3,200)", "-3200"),
        ("-($3,200)", "-3200"),
        ("-$(3,200)", "-3200"),
        ("-(5 %)", "-5"),
        ("a loss of -(3,200) in all", "-3200"),
        ("+(3,200)", None),
        ("-(-3,200)", None),
        ("-(+3,200)", None),
        ("it took 7 -(3)", "7"),
        ("it took x-(3)", "3"),
    ],
)
def test_a_minus_before_an_accountants_bracket_does_not_make_it_positive(
    text: str, expected: str | None
) -> None:
    assert value(text) == (None if expected is None else Decimal(expected))


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=3, min_value=-(10**15), max_value=10**15
    )
)
def test_grouped_numbers_come_back_exactly(number: Decimal) -> None:
    english = f"{number:,.3f}"
    assert value(english) == number
    german = english.translate(str.maketrans(",.", ".,"))
    assert value(german, "de") == number
    thin = english.replace(",", "\u2009")
    assert value(thin) == number
    if number < 0:
        assert value(english.replace("-", "−")) == number
        assert value(f"({english[1:]})") == number


@given(st.integers(-(10**15), 10**15), st.sampled_from(LOCALES))
@example(5, "de")
@example(0, "fr")
@example(1200, "nl-BE")
def test_whole_numbers_come_back_exactly_in_every_language(number: int, locale: str) -> None:
    assert value(str(number), locale) == number
    assert value(f"Das sind {number} EUR.", locale) == number


@given(st.integers(1, 10**6), st.integers(-300, 300))
def test_scientific_numbers_come_back_exactly(digits: int, power: int) -> None:
    expected = Decimal(f"{digits}e{power}")
    assert value(f"{digits}e{power}") == expected
    assert value(f"{digits} × 10^{power}") == expected


@given(st.text())
def test_any_text_is_read_without_error(text: str) -> None:
    for locale in ("en", "de", "fr"):
        assert all(found.value.is_finite() for found in find_numbers(text, locale=locale))
        quantity, problem = number_or_problem(text, locale=locale)
        assert (quantity is None) == bool(problem)


@given(st.text(alphabet="0123456789.,' -−()%$e/:\n=", max_size=40))
def test_any_run_of_signs_is_read_without_error(text: str) -> None:
    quantity, problem = number_or_problem(text)
    assert (quantity is None) == bool(problem)


def test_find_numbers_gives_all_that_can_be_read() -> None:
    found = find_numbers("From 1,000 mg to 2 g, 120/80, about −3 %, CURB-65")
    assert [(one.value, one.unit, one.is_percent) for one in found] == [
        (Decimal(1000), "mg", False),
        (Decimal(2), "g", False),
        (Decimal(-3), "%", True),
    ]


def test_a_long_answer_is_read_by_its_end() -> None:
    assert value("1 2 " * 100_000 + "is 7") == 7
    assert value("(" * 300_000 + "5") == 5


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("25 mL/min", "ml / min", True),
        ("25 mmHg today", "mm Hg", True),
        ("1 point", "points", True),
        ("60 percent", "%", True),
        ("60 %", "percent", True),
        ("$5 million", "$", True),
        ("5 m²", "m^2", True),
        ("5 µg", "μg", True),
        ("25 mL/h", "mL/min", False),
        ("60 %", "points", False),
        ("25", "mL/min", None),
        ("25 because of age", "mL/min", None),
    ],
)
def test_comparing_units(text: str, unit: str, expected: bool | None) -> None:
    quantity = read_number(text)
    assert quantity is not None
    assert quantity.is_in(unit) is expected


@pytest.mark.parametrize(
    ("text", "unit", "locale", "value"),
    [
        ("€1,000.00", "EUR", "en", "1000.00"),
        ("1000 euros", "EUR", "en", "1000"),
        ("EUR 1000", "€", "en", "1000"),
        ("£1,000", "GBP", "en", "1000"),
        ("US$ 1,000", "USD", "en", "1000"),
        ("5 day", "days", "en", "5"),
        ("-€3,200.00", "EUR", "en", "-3200.00"),
        ("minus 1,000 EUR", "EUR", "en", "-1000"),
        ("1 000,00 EUR", "EUR", "en", "1000.00"),
        ("We pay 1,000 EUR on 31 March 2025.", "EUR", "en", "1000"),
        ("We pay EUR 1,000 under clause 5.2.", "EUR", "en", "1000"),
        ("We pay 1,000 EUR within 14 days.", "EUR", "en", "1000"),
        ("We pay 1,000 EUR (1,250 less 250).", "EUR", "en", "1000"),
        ("We pay 1,000 EUR, claim no. 2041.", "EUR", "en", "1000"),
        ("Wir zahlen 1.000 EUR bis 31.03.2025.", "EUR", "de", "1000"),
    ],
)
def test_where_the_unit_is_known_the_number_that_carries_it_counts(
    text: str, unit: str, locale: str, value: str
) -> None:
    found = number_in_unit(text, unit, locale=locale)
    assert found is not None
    assert (found.value, found.is_in(unit)) == (Decimal(value), True)


@pytest.mark.parametrize(
    ("text", "value", "there"),
    [
        ("Not 1,000 EUR but 900 dollars.", "900", False),
        ("1,000 EUR would be the limit, so 900", "900", None),
        ("Answer: 900, not 1,000 EUR", "900", None),
        ("C$ 1,000", "1000", False),
        ("between 1,000 EUR and 2,000 EUR within 14 days", "14", False),
    ],
)
def test_a_number_that_may_be_meant_is_not_passed_over(
    text: str, value: str, there: bool | None
) -> None:
    found = number_in_unit(text, "EUR")
    assert found is not None
    assert (found.value, found.is_in("EUR")) == (Decimal(value), there)
    assert number_in_unit("no amount", "EUR") is None


@pytest.mark.parametrize(
    ("text", "value"), [("minus 3200", "-3200"), ("3,200-", "-3200"), ("10 minus 5", "5")]
)
def test_a_minus_in_words_or_behind_counts(text: str, value: str) -> None:
    found = read_number(text)
    assert found is not None
    assert found.value == Decimal(value)
