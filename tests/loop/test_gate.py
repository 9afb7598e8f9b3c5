"""The finish gate: quotes are looked up, checks run, a failure goes back once."""

from __future__ import annotations

import anyio
import pytest

from harness.journal.parts import Citation
from harness.loop import replay
from harness.loop.gate import gate, quotes_in
from harness.testing import ScriptedModel, Turn, WordCounter
from harness.tools import QuoteFinder
from harness.values import Passage, Place
from tests.loop.desk import Desk, calls, controls

TEXT = "The supplier is liable without limit."
GOOD = f'It is unlimited. [terms.pdf, p. 3: "{TEXT}"]'
BAD = 'It is capped. [terms.pdf: "liable up to EUR 100"]'


def finder() -> QuoteFinder:
    place = Place(file="references/terms.pdf")
    passage = Passage(id="p1", document="terms.pdf", where="page 3", text=TEXT, place=place)
    return QuoteFinder([passage])


@pytest.mark.parametrize(
    ("answer", "quotes"),
    [
        ('[a.pdf: "x y"]', [("a.pdf", "x y")]),
        (
            '[a.pdf, p. 3: "x"] and [b: "y"] and [a.pdf, p. 3: "x"]',
            [("a.pdf, p. 3", "x"), ("b", "y")],
        ),
        ("[a.pdf: “x”] [b: „y“] [c: «z»]", [("a.pdf", "x"), ("b", "y"), ("c", "z")]),
        ('[a: "he said "no" twice"]', [("a", 'he said "no" twice')]),
        ("[1] [a: b] [link](http://x) [x:y]", []),
        ('[a: "two\nlines"]', [("a", "two\nlines")]),
        ("[" * 5_000, []),
    ],
)
def test_quotes_as_written(answer: str, quotes: list[tuple[str, str]]) -> None:
    assert quotes_in(answer) == quotes


def test_citations_come_with_their_place(desk: Desk) -> None:
    done = desk.start(desk.means([Turn(text=GOOD)], find_quote=finder()))
    assert done.stop == "completed"
    assert done.citations == (
        Citation(document="terms.pdf", quote=TEXT, where="page 3", verified=True),
    )


@pytest.mark.parametrize("by_tool", [True, False])
def test_a_failure_goes_back_once(desk: Desk, by_tool: bool) -> None:
    def hand_in(text: str) -> Turn:
        return calls(("finish", {"answer": text})) if by_tool else Turn(text=text)

    tools = controls("finish")
    model = ScriptedModel([hand_in(BAD), hand_in(GOOD)])
    done = desk.start(desk.means(model, tools=tools, find_quote=finder()))
    assert done.stop == "completed"
    assert "does not stand in terms.pdf" in model.calls[1].messages[-1].content
    model = ScriptedModel([hand_in(BAD), hand_in(BAD)])
    done = desk.start(desk.means(model, tools=tools, find_quote=finder()), "r2")
    assert (done.stop, done.answer) == ("unverified", BAD)
    assert "does not stand" in done.problems[0]
    for run in ("r1", "r2"):
        found = anyio.run(replay, desk.journal, run, WordCounter())
        assert (found.difference, found.complete) == (None, True)


def test_checks_of_the_domain(desk: Desk) -> None:
    def check(answer: str) -> list[str]:
        return [] if answer.isdigit() else ["It is no number."]

    means = desk.means([Turn(text="many"), Turn(text="17")], check=check, value=int)
    done = desk.start(means)
    assert (done.stop, done.answer, done.value) == ("completed", "17", 17)


def test_a_source_that_is_not_there() -> None:
    found = gate('[other.pdf: "x"]', finder(), None)
    assert found.problems == ("There is no source “other.pdf”, which is quoted for “x”.",)
    assert not found.citations[0].verified


def test_a_check_that_breaks_is_a_problem_not_a_pass(desk: Desk) -> None:
    def check(answer: str) -> list[str]:
        raise RuntimeError("broken")

    done = desk.start(desk.means([Turn(text="a"), Turn(text="a")], check=check))
    assert done.stop == "unverified"
    assert "broken" in done.problems[0]


def test_not_handed_in_beside_other_calls(desk: Desk) -> None:
    tools = controls("finish", "plan")
    both = calls(("finish", {"answer": "x"}), ("plan", {"steps": []}))
    done = desk.start(desk.means([both, calls(("finish", {"answer": "y"}))], tools=tools))
    assert done.answer == "y"


@pytest.mark.parametrize(
    ("quote", "verified"),
    [
        ("supplier is liable", True),
        ("liable without limit.", True),
        ("he supplier is liable", False),
        ("liable without lim", False),
    ],
)
def test_a_quote_begins_and_ends_where_a_word_does(quote: str, verified: bool) -> None:
    citation = finder()("terms.pdf", quote)
    assert citation is not None
    assert citation.verified is verified
