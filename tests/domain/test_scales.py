"""A word of scale counts in where the language says what it is, and is never left out."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.domain.numbers import number_or_problem, read_number


@pytest.mark.parametrize(
    ("text", "locale", "expected", "unit"),
    [
        ("€3,2 Mio.", "de", "3200000", "€"),
        ("3,2 Mio. €", "de", "3200000", "€"),
        ("3,2 Mio €", "de-AT", "3200000", "€"),
        ("rund 3,2 Millionen Euro", "de", "3200000", "Euro"),
        ("Umsatz: 1,5 Mrd. EUR", "de", "1500000000", "EUR"),
        ("1,5 Milliarden", "de", "1500000000", ""),
        ("2 Billionen Euro", "de", "2000000000000", "Euro"),
        ("2 Bio. Euro", "de", "2000000000000", "Euro"),
        ("2 Bio Äpfel", "de", "2", "Bio Äpfel"),
        ("250 Tsd. Stück", "de", "250000", "Stück"),
        ("250 Tausend", "de", "250000", ""),
        ("500 T€", "de", "500000", "€"),
        ("500 TEUR", "de", "500000", "EUR"),
        ("TEUR 500", "de", "500000", ""),
        ("Mio. € 3,2", "de", "3200000", "€"),
        ("3 milliers", "fr", "3000", ""),
        ("3 mille milliards", "fr", "3000000000000", ""),
        ("500 k€", "fr", "500000", "€"),
        ("3,2 M€", "fr", "3200000", "€"),
        ("3,2 Md€", "fr", "3200000000", "€"),
        ("3,2 Mds €", "fr", "3200000000", "€"),
        ("3,2 MdEUR", "fr", "3200000000", "EUR"),
        ("3,2 millions d’euros", "fr", "3200000", "euros"),  # noqa: RUF001
        ("3,2 milliards", "fr-CA", "3200000000", ""),
        ("5 mil", "es", "5000", ""),
        ("5 millones de euros", "es", "5000000", "euros"),
        ("1 millón", "es", "1000000", ""),
        ("1,5 mil millones de pesos", "es", "1500000000", "pesos"),
        ("2 billones", "es-MX", "2000000000000", ""),
        ("3 mila", "it", "3000", ""),
        ("3,5 milioni di euro", "it", "3500000", "euro"),
        ("3,5 mln €", "it", "3500000", "€"),
        ("2 miliardi", "it", "2000000000", ""),
        ("4 duizend", "nl", "4000", ""),
        ("4,5 miljoen euro", "nl", "4500000", "euro"),
        ("2 miljard", "nl", "2000000000", ""),
        ("2 biljoen", "nl", "2000000000000", ""),
        ("3 mil reais", "pt-BR", "3000", "reais"),
        ("3,5 milhões de reais", "pt-BR", "3500000", "reais"),
        ("R$ 3,5 mi", "pt-BR", "3500000", "R$"),
        ("2 bilhões", "pt-BR", "2000000000", ""),
        ("2 mil milhões", "pt-PT", "2000000000", ""),
        ("2 biliões", "pt-PT", "2000000000000", ""),
        ("2,5 mln zł", "pl", "2500000", "zł"),
        ("2,5 miljarder kronor", "sv", "2500000000", "kronor"),
        ("2,5 млн", "ru", "2500000", ""),
        ("3億円", "ja", "300000000", "円"),
        ("3.2 million", "en", "3200000", ""),
        ("$3.2M", "en", "3200000", "$"),
        ("$3.2 bn", "en", "3200000000", "$"),
        ("$3.2B/year", "en", "3200000000", "$"),
        ("$500k", "en", "500000", "$"),
        ("US$1.5 T", "en", "1500000000000", "US$"),
        ("(£3.2m)", "en", "-3200000", "£"),
        ("($1.2 million)", "en", "-1200000", "$"),
        ("$(1.2 million)", "en", "-1200000", "$"),
        ("Result: (3,2 Mio. €)", "de", "3200000", "€"),
        ("it rose to $5m ($3.2m)", "en", "5000000", "$"),
        ("120k users", "en", "120000", "users"),
        ("2 hundred thousand", "en", "200000", ""),
        ("5 crore", "en-IN", "50000000", ""),
        # units, as before
        ("5 M NaCl", "en", "5", "M NaCl"),
        ("300 K", "en", "300", "K"),
        ("5 mm", "de", "5", "mm"),
        ("150 k/µL", "en", "150", "k/µL"),
        ("150k/µL", "en", "150", "k/µL"),
        ("5 mi", "en", "5", "mi"),
        ("10 m $5", "en", "5", "$"),
        ("MX$ 5", "en", "5", "MX$"),
        ("$5 m²", "en", "5", "$"),
    ],
)
def test_scales(text: str, locale: str, expected: str, unit: str) -> None:
    quantity = read_number(text, locale=locale)
    assert quantity is not None
    assert (quantity.value, quantity.unit) == (Decimal(expected), unit)


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("3.2 Mio.", "ja"),
        ("3.2 Milliarden", "en"),
        ("3,2 bn", "de"),
        ("3,2 billion", "it"),
        ("3 bilioni", "it"),
        ("3 thousand", "de"),
        ("3,2 Mrd.", "es"),
        ("3 MM€", "fr"),
        ("$5 b", "de"),
        ("Mrd. € 5", "es"),
        ("3億", "en"),
    ],
)
def test_a_scale_of_another_language_is_not_guessed_and_not_left_out(
    text: str, locale: str
) -> None:
    quantity, problem = number_or_problem(text, locale=locale)
    assert quantity is None
    assert "for certain" in problem


@given(
    st.sampled_from(["million", "milliard", "Mio.", "Billion", "mil", "bn", "k€", "億"]),
    st.sampled_from(["en", "de", "fr", "es", "it", "nl", "pt-BR", "pl", "ja", "xx"]),
)
def test_in_no_language_is_a_scale_silently_dropped(word: str, locale: str) -> None:
    quantity = read_number(f"7 {word}", locale=locale)
    assert quantity is None or quantity.value != 7 or (word in ("mil", "bn") and quantity.unit)


def test_the_scale_is_shown_with_the_number() -> None:
    quantity = read_number("€3,2 Mio. Umsatz", locale="de")
    assert quantity is not None
    assert quantity.text == "€3,2 Mio."
