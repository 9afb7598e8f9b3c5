"""Secrets are struck out in every form in which programs write them."""

from __future__ import annotations

import base64
import json
import re
import textwrap
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.journal.masking import Masker

SECRET = 'pä"ss/w\\ord +7%\n=ü'
PLAIN = "sk-live-9fA3xQ7Lm2"


def masker(**secrets: str) -> Masker:
    return Masker({"A_KEY": PLAIN, "B_PASSWORD": SECRET, **secrets})


def forms(value: str) -> dict[str, str]:
    raw = value.encode()
    once = json.dumps(value)
    return {
        "itself": value,
        "json": once,
        "json, not ascii": json.dumps(value, ensure_ascii=False),
        "json in json": json.dumps({"body": once}),
        "json in json in json": json.dumps(json.dumps({"body": once})),
        "json, slashes too": once.replace("/", "\\/"),
        "all escaped": "".join(f"\\u{ord(letter):04X}" for letter in value),
        "url": quote(value),
        "url, all": quote(value, safe=""),
        "form": quote_plus(value),
        "url twice": quote(quote(value, safe=""), safe=""),
        "url, all bytes": "".join(f"%{byte:02x}" for byte in raw),
        "hex": raw.hex(),
        "HEX": raw.hex().upper(),
    }


@pytest.mark.parametrize("value", [PLAIN, SECRET], ids=["plain", "odd"])
def test_every_form_is_struck(value: str) -> None:
    name = "A_KEY" if value is PLAIN else "B_PASSWORD"
    for form, text in forms(value).items():
        masked = masker().text(f"before {text} after")
        assert f"[secret:{name}]" in masked, form
        assert masked.startswith("before "), form
        assert masked.endswith(" after"), form
        assert PLAIN[3:-3] not in masked, form


@pytest.mark.parametrize("value", [PLAIN, SECRET], ids=["plain", "odd"])
@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("after", ["", "x", "xy"])
def test_base64_is_struck_at_every_alignment(value: str, before: str, after: str) -> None:
    raw = f"{before}{value}{after}".encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(raw).decode()
        for text in (encoded, "\n".join(textwrap.wrap(encoded, 10)), encoded.replace("=", "")):
            masked = masker().text(f"Basic {text}")
            assert "[secret:" in masked
            left = "".join(re.sub(r"\[secret:\w+\]", "", masked[6:]).split())
            # What is left is of the neighbours, and at most one character at either end.
            assert len(left.rstrip("=")) <= 4 * len((before + after).encode()) / 3 + 4
        wrapped = json.dumps("\r\n".join(textwrap.wrap(encoded, 10)))
        assert "[secret:" in masker().text(wrapped)


def test_a_text_without_secrets_is_the_same_object() -> None:
    tree = {"a": ["x\\n%20", 1, None, True], "b": {"c": "d\ne"}}
    assert masker().tree(tree) is tree
    text = "nothing \\ here % at all\n"
    assert masker().text(text) is text


def test_all_strings_of_a_tree_are_masked_keys_too() -> None:
    tree = {PLAIN: [PLAIN, {"x": (f"a{PLAIN}b", 3)}], "n": 1.5}
    assert masker().tree(tree) == {
        "[secret:A_KEY]": ["[secret:A_KEY]", {"x": ["a[secret:A_KEY]b", 3]}],
        "n": 1.5,
    }


def test_json_stays_json_when_masked_string_by_string() -> None:
    """A secret can begin within what JSON writes as an escape."""
    tricky = masker(T_TOKEN="n1234567")
    tree = {"a": "line\n1234567", "b": "n1234567"}
    assert tricky.tree(tree) == {"a": "line\n1234567", "b": "[secret:T_TOKEN]"}


def test_names_decide_what_of_the_environment_is_secret() -> None:
    found = Masker.from_environment(
        {
            "OPENAI_API_KEY": "value-one",
            "db_password": "value-two",
            "GH_TOKEN": "  value-three \n",
            "X_SECRET": "short",
            "HARNESS_KEYS": "/home/someone/keys",
            "KEYBOARD": "value-four",
        },
        {"own key": "value-five"},
    )
    assert set(found.names) == {"OPENAI_API_KEY", "db_password", "GH_TOKEN", "own key"}
    assert found.text("value-three /home/someone/keys short") == (
        "[secret:GH_TOKEN] /home/someone/keys short"
    )


def test_a_secret_within_another_goes_last() -> None:
    both = Masker({"SHORT_KEY": "abcdefgh", "LONG_KEY": "abcdefgh-ijkl"})
    assert both.text("abcdefgh-ijkl abcdefgh") == "[secret:LONG_KEY] [secret:SHORT_KEY]"


def test_data_is_masked_as_text_or_byte_by_byte() -> None:
    assert masker().data(f"x{PLAIN}".encode()) == b"x[secret:A_KEY]"
    assert masker().data(b"\xff\x00" + PLAIN.encode()) == b"\xff\x00[secret:A_KEY]"
    same = b"nothing"
    assert masker().data(same) is same
    assert Masker({}).data(same) is same
    assert Masker({}).tree(tree := {"a": PLAIN}) is tree


@given(st.text(min_size=8, max_size=30), st.text(max_size=10), st.text(max_size=10))
def test_no_secret_survives_in_json(value: str, before: str, after: str) -> None:
    value = value.strip()
    masked = Masker({"A_KEY": value}).text(json.dumps(before + value + after))
    if len(value) >= 8:
        assert json.dumps(value)[1:-1] not in masked.replace("[secret:A_KEY]", "")


BREAKS = st.sampled_from(["", "", "\n", "\\n", "\\\\r\\\\n", "\r\n  ", "\t", "\\\\\\n"])
EDGES = st.text(alphabet="\\nru %+0AaZ/\n", max_size=6)


@st.composite
def written_oddly(draw: st.DrawFn) -> str:
    """The secret in base64 or escaped here and there, with anything before and after it."""
    if draw(st.booleans()):
        encoded = base64.b64encode(draw(st.binary(max_size=2)) + PLAIN.encode()).decode()
        said = "".join(one + draw(BREAKS) for one in encoded)
    else:
        ways = [lambda one: one, lambda one: f"\\u{ord(one):04x}", lambda one: f"%{ord(one):02X}"]
        said = "".join(draw(st.sampled_from(ways))(one) for one in PLAIN)
    return draw(EDGES) + said + draw(EDGES)


@given(written_oddly())
def test_a_quick_look_first_loses_nothing(text: str) -> None:
    one = Masker({"A_KEY": PLAIN})
    thorough = text.replace(PLAIN, "[secret:A_KEY]")
    for form, name in one._literal:
        thorough = thorough.replace(form, f"[secret:{name}]")
    thorough = one._escaped.sub(one._strike, thorough)
    assert one.text(text) == one._wrapped.sub(one._strike, thorough)
