"""An item changed or added in YAML: it says what was wanted, and no other byte moves."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.domain.formats import AnswerSettings
from harness.domain.itemfiles import read_example_file
from harness.improve.changing import append_example, change_example

ANSWER = AnswerSettings()
NAME = "examples/a.yaml"
FILE = """\
# Kept by Ada.
- id: a1   # the first
  input: >
    Folded text
    over two lines.
  output: "quoted: yes"
  # why this is so
  why: plain words   # and a comment behind

- {id: a2, input: 'single', output: b, tags: [x, y]}
-   id: a3
    input: |
      Several lines

      and more
    output: z
    tags:
      - one
      - two
# The end.
"""


def read(data: bytes):
    found, problems = read_example_file(NAME, data, ANSWER)
    assert not problems, problems
    return {one.id: one for one in found}


def change(name: str, text: str = FILE, **fields):
    data = text.encode()
    edit = change_example(data, read(data)[name], fields, ANSWER)
    return edit.data.decode()


def test_a_status_is_added_on_a_line_of_its_own():
    assert change("a1", status="retired") == FILE.replace(
        "plain words   # and a comment behind\n",
        "plain words   # and a comment behind\n  status: retired\n",
    )


def test_a_flow_item_stays_one():
    assert change("a2", status="draft", output="new, text") == FILE.replace(
        "output: b, tags: [x, y]}", 'output: "new, text", tags: [x, y], status: "draft"}'
    )


def test_blocks_are_replaced_and_what_follows_stays():
    changed = change("a3", input="One\nTwo", why="Because", tags=("three",))
    assert changed == FILE.replace(
        "    input: |\n      Several lines\n\n      and more\n",
        "    input: |-\n      One\n      Two\n",
    ).replace("    tags:\n      - one\n      - two\n", "    tags: [three]\n    why: Because\n")


def test_a_folded_text_becomes_one_line():
    assert change("a1", input="Short") == FILE.replace(
        ">\n    Folded text\n    over two lines.\n", "Short\n"
    )


def test_an_empty_key_is_filled():
    text = "- id: a\n  input: x\n  output: y\n  why:\n  source: s\n"
    assert change("a", text, why="w") == text.replace("why:", "why: w")


def test_line_ends_and_a_byte_order_mark_stay():
    text = "\ufeff" + FILE.replace("\n", "\r\n")
    changed = change("a3", text, input="One\nTwo", status="draft")
    assert changed.startswith("\ufeff# Kept by Ada.\r\n")
    assert "\n" not in changed.replace("\r\n", "")
    assert read(changed.encode())["a3"].input == "One\nTwo"


def test_an_item_goes_to_the_end_with_the_file_s_own_indent():
    text = "  - id: a\n    input: x\n    output: y"
    edit = append_example(NAME, text.encode(), {"id": "b", "input": "1", "output": "2"}, ANSWER)
    assert edit is not None
    assert edit.data.decode() == text + '\n  - id: b\n    input: "1"\n    output: "2"\n'


@pytest.mark.parametrize("text", ["[{id: a, input: x, output: y}]\n", "- id: a\n  input: [\n"])
def test_a_file_that_takes_no_items_is_left_alone(text):
    new = {"id": "b", "input": "1", "output": "2"}
    assert append_example(NAME, text.encode(), new, ANSWER) is None


TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1
).filter(lambda text: text.strip() and "\r" not in text)
NASTY = st.sampled_from(
    ["no", "null", "- a", "# no", "a: b", "x #y", "'", '"', "{a}", "|\n x", "\ttab", " x\n  y",
     "---", "...", "a\n---\nb", "%TAG", "&a *a !b", "a\u2028b", "a\x85b", "\ufeffx", "é\n\n\nü",
     "<script>alert(1)</script>", "trailing  \nspace ", "1.10", "0x1F", "12:30", "~", "=", "?"]
)  # fmt: skip


@settings(max_examples=120)
@given(one=TEXT | NASTY, other=TEXT | NASTY, tags=st.lists(NASTY, max_size=3))
def test_any_text_comes_back_as_it_was(one, other, tags):
    fields = {"id": "new", "input": one, "output": other, "why": other, "tags": tuple(tags)}
    edit = append_example(NAME, FILE.encode(), fields, ANSWER)
    if edit is None or edit.example.input.strip() != one.strip():
        # only what no text of a domain may hold is refused
        pytest.fail(f"{one!r} {other!r}")
    assert edit.data.decode().startswith(FILE)
    again = change_example(edit.data, edit.example, {"input": other, "why": one}, ANSWER)
    assert (again.example.input.strip(), again.example.why.strip()) == (other.strip(), one.strip())
    assert again.data.decode().startswith(FILE)
