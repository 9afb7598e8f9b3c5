"""YAML and JSON lines are read as text with places; what they say badly is said plainly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from harness.domain.entries import own_types, plain_text
from harness.domain.files import DomainFile
from harness.domain.jsonlines import read_jsonl
from harness.domain.markup import read_yaml
from harness.values import Place, Problem

FILE = DomainFile(name="examples/a.yaml", path=Path("a.yaml"))


def broken(text: str) -> list[tuple[str, str]]:
    entry, problems = read_yaml(FILE, text)
    assert entry is None
    return [(f"{one.place.line}:{one.place.column}", one.code) for one in problems]


def says(text: str) -> str:
    return read_yaml(FILE, text)[1][0].message


def test_all_scalars_are_text() -> None:
    entry, problems = read_yaml(
        FILE,
        "a: no\nb: 0123\nc: 12:30\nd: 1.10\ne: null\nf:\ng: ''\nh: 2024-01-02\ni: ~\nj: |\n"
        "  x\n  y\n",
    )
    assert problems == []
    assert entry is not None
    assert plain_text(entry.data) == {
        "a": "no",
        "b": "0123",
        "c": "12:30",
        "d": "1.10",
        "e": "null",
        "f": None,
        "g": "",
        "h": "2024-01-02",
        "i": "~",
        "j": "x\ny",
    }


def test_yaml_s_own_types_are_those_of_yaml_1_2() -> None:
    text = (
        "[no, 0123, 0o17, 0x1F, 1.5, -2, 1e3, true, null, ~, '5', \"true\", 12:30, 2024-01-02,"
        " {a: , b: [1]}]"
    )
    entry, _ = read_yaml(FILE, text)
    assert entry is not None
    typed = own_types(entry.data)
    assert typed == [
        "no",
        123,
        15,
        31,
        1.5,
        -2,
        1000.0,
        True,
        None,
        None,
        "5",
        "true",
        "12:30",
        "2024-01-02",
        {"a": None, "b": [1]},
    ]
    assert json.loads(json.dumps(typed)) == typed


def test_every_key_and_value_has_its_place() -> None:
    entry, _ = read_yaml(FILE, "- id: x\n  checks:\n    - number:\n        value: 3\n- id: y\n")
    assert entry is not None
    first, second = entry.part(0), entry.part(1)
    assert str(first.place()) == "examples/a.yaml:1:3"
    assert first.place(("id",)) == Place(file="examples/a.yaml", line=1, column=7)
    assert first.place(("checks",), key=True).line == 2
    assert first.place(("checks", 0, "number", "value"), key=True) == Place(
        file="examples/a.yaml", line=4, column=9
    )
    assert first.place(("checks", 0, "number", "value")).column == 16
    assert first.place(("checks", 5)).line == 3
    assert second.place(("nothing", "there")).line == 5


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("a: b: c", "1:5", "colon"),
        ("a: 1\n\tb: 2", "2:1", "tab"),
        ("x: 'abc\ny: 2", "1:4", "quotation mark"),
        ('x: "a\\qb"', "1:7", "backslash"),
        ("x: [1, 2\ny: 3", "1:4", "bracket"),
        ("- a\nb: c", "2:1", "indentation"),
        ("a: 1\nb\nc: 2", "2:1", "no colon"),
        ("a: @b", "1:4", "quotes"),
        ("a: 1\n---\nb: 2", "2:1", "second document"),
        ("? [a]\n: b", "1:3", "key"),
        (": b", "1:1", "key"),
    ],
)
def test_mistakes_in_yaml_are_said_in_plain_words(text: str, where: str, words: str) -> None:
    assert broken(text) == [(where, "yaml-syntax")]
    assert words in says(text)


def test_a_key_twice_names_the_first() -> None:
    assert broken("a:\n  b: 1\n  c: {}\n  b: [2]\n") == [("4:3", "duplicate-key")]
    assert "line 2" in says("a:\n  b: 1\n  c: {}\n  b: [2]\n")


def test_anchors_aliases_and_tags_are_refused_and_a_bomb_stays_small() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{name}: &{name} [*{before}, *{before}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    codes = broken(bomb)
    assert codes[:3] == [("1:4", "alias"), ("2:4", "alias"), ("2:8", "alias")]
    assert len(codes) == 9 + 16
    assert broken("a: *x") == [("1:4", "alias")]
    assert broken("*x : 1")[0] == ("1:1", "alias")
    assert broken("a: !!python/object:os.system x\nb: !y {c: d}") == [
        ("1:4", "tag"),
        ("2:4", "tag"),
    ]


@pytest.mark.parametrize("text", ["[" * 3000, "- " * 5000 + "x", "{a: " * 5000])
def test_deep_nesting_is_refused(text: str) -> None:
    assert [code for _, code in broken(text)] == ["too-deep"]


def test_characters_that_no_text_may_hold() -> None:
    assert broken("a: x\nb: y\x01z") == [("2:5", "bad-character")]
    assert broken('a: "\\uD83D"') == [("1:4", "bad-character")]
    assert broken('a: "x\\0"') == [("1:4", "bad-character")]


def test_an_empty_document_is_nothing() -> None:
    assert read_yaml(FILE, "# only words\n") == (None, [])


KEPT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\x85\u2028\u2029"),
    min_size=1,
)


@given(st.lists(KEPT, min_size=1, max_size=4))
def test_texts_in_quotes_come_back_exactly(texts: list[str]) -> None:
    texts = [text.replace("\ufeff", "") + "x" for text in texts]
    quoted = "\n".join("- " + json.dumps(text, ensure_ascii=False) for text in texts)
    entry, problems = read_yaml(FILE, quoted.replace("\\u007f", ""))
    assert problems == []
    assert entry is not None
    assert plain_text(entry.data) == texts


@given(st.text("ab:-[]{}'\"#&*!|>%@`,? \n\t1.~\\", max_size=40))
def test_whatever_is_written_is_read_or_said_and_as_yaml_has_it(text: str) -> None:
    entry, problems = read_yaml(FILE, text)
    assert (entry is None) or not problems
    if entry is None:
        return
    try:
        oracle = YAML(typ="safe", pure=True).compose(text)
    except RecursionError:
        return
    assert oracle is not None
    assert isinstance(entry.data, dict) == (oracle.tag == "tag:yaml.org,2002:map")
    lines = text.split("\n")
    assert 1 <= entry.line <= len(lines)
    assert 1 <= entry.column <= len(lines[entry.line - 1]) + 1


# --- JSON lines ------------------------------------------------------------------------------


def jsonl(text: str) -> tuple[list[Any], list[Problem]]:
    entries, problems = read_jsonl(DomainFile(name="a.jsonl", path=Path("a.jsonl")), text)
    return [plain_text(one.data) for one in entries], problems


def test_numbers_and_words_of_json_are_the_text_that_was_written() -> None:
    data, problems = jsonl(
        '{"a": 1.10, "b": 12345678901234567890, "c": [true, null], "d": {"e": false}}\r\n\n'
    )
    assert problems == []
    assert data == [
        {"a": "1.10", "b": "12345678901234567890", "c": ["true", None], "d": {"e": "false"}}
    ]


def test_json_keeps_its_types_where_they_are_wanted() -> None:
    entries, _ = read_jsonl(FILE, '{"a": [1.10, 2, true, null, "3"]}')
    assert own_types(entries[0].data) == {"a": [1.1, 2, True, None, "3"]}


def test_lines_that_are_no_items() -> None:
    _, problems = jsonl(
        '{"a": 1}\n{"a": 1, "a": 2}\n[1]\n{"a": }\n{"a": NaN}\n{"a": "\\u0000"}\n'
        '{"b": ["\\ud800"]}\n' + '{"a": ' * 200 + "1" + "}" * 200 + "\n" + "[" * 100_000 + "\n"
    )
    assert [(one.place.line, one.place.column, one.code) for one in problems] == [
        (2, 10, "duplicate-key"),
        (3, 1, "wrong-type"),
        (4, 7, "json-syntax"),
        (5, 1, "json-syntax"),
        (6, 8, "bad-character"),
        (7, 9, "bad-character"),
        (8, 1, "too-deep"),
        (9, 1, "too-deep"),
    ]


def test_a_json_list_or_an_object_over_many_lines_is_said_to_be_one() -> None:
    assert "one JSON list" in jsonl('[\n{"a": 1}\n]\n')[1][0].message
    assert "one line" in jsonl('{\n"a": 1\n}\n')[1][0].message


def test_the_column_of_a_key() -> None:
    entries, _ = read_jsonl(FILE, '\n{"id": "a", "input": 1}\n')
    assert entries[0].place(("input",)) == Place(file=FILE.name, line=2, column=13)
    assert entries[0].place(("none",)).column == 1


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(), max_size=3), max_size=5))
def test_json_texts_come_back_exactly(items: list[dict[str, str]]) -> None:
    written = "\n".join(json.dumps(one, ensure_ascii=False) for one in items)
    if "\\u0000" in written or (
        not written.isprintable() and any(0xD800 <= ord(c) < 0xE000 for c in written)
    ):
        return
    data, problems = jsonl(written)
    assert problems == []
    assert data == items
