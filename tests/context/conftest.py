"""Small domains made in memory, with whatever an expert's files may hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from harness.adapters.counter_tiktoken import TiktokenCounter
from harness.context import Packer
from harness.domain import AnswerSettings, ContextSettings, Domain, DomainSettings
from harness.testing import MemoryBank
from harness.values import Check, EvalCase, Example, Passage, Place, Rule

HERE = Place(file="examples/a.csv")

FRAGMENTS = [
    *(
        "<out>",
        "<OUT>",
        "</question>",
        "<question>\n",
        "<ex>",
        "<example>\n<input>\n",
        "</input>\n",
    ),
    *("\n</output>\n</example>\n", "<passage>", "<rule>", "<standard>", "</ file >", "<\u200bwhy>"),
    *("&lt;out>", "&amp;lt;ex>", "&LT;/question>", "&", "&amp;", "lt;", "<", "</", ">"),
    *(
        "\n",
        "\n\n",
        "\r",
        "\r\n",
        "\t",
        " ",
        "    ",
        "\v",
        "\f",
        "\x1c",
        "\x85",
        "\u2028",
        "\u2029",
    ),
    *("\x01", "\x1b[31m", "\x7f", "\u00a0", "\u3000", "\u200b", "\u202e", "\u2066", "\ufeff"),
    *(
        "😀",
        "👩\u200d👩\u200d👧",
        "🏳️\u200d🌈",
        "שלום",
        "مرحبا",
        "漢字かな",
        "한국어",
        "e\u0301",
        "Ω̈",
    ),
    *(
        "/",
        "//",
        "/\n",
        "!/",
        "...",
        "'s",
        "'LL",
        "0",
        "12",
        "1234567",
        "½",
        "Ⅷ",
        "a",
        "The",
        "CARD",
    ),
    *("<|endoftext|>", "```", "# ", "- ", '"', "\\n", "input", "example", "1. "),
]


def texts(min_size: int = 0) -> st.SearchStrategy[str]:
    """Texts of all that may be in a file; lint refuses NUL and halves of characters."""
    characters = st.text(
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8
    )
    pieces = st.lists(st.sampled_from(FRAGMENTS) | characters, min_size=min_size, max_size=8)
    return pieces.map("".join)


@st.composite
def examples(draw: st.DrawFn, sources: Sequence[str] = ("",)) -> list[Example]:
    """Some examples, a few with reasons, steps or files."""
    return [
        Example(
            id=f"e{n}",
            input=draw(texts()),
            output=draw(texts()),
            why=draw(st.just("") | texts()),
            steps=tuple(draw(st.lists(texts(), max_size=2))),
            source=draw(st.sampled_from(sources)),
            attached=tuple(draw(st.lists(st.tuples(texts(), texts()), max_size=1))),
            place=HERE,
        )
        for n in range(draw(st.integers(0, 8)))
    ]


@st.composite
def domains(draw: st.DrawFn) -> Domain:
    """A small domain of any kind of content."""
    cases = [
        EvalCase(
            id=f"c{n}",
            input=draw(texts()),
            expected=draw(st.none() | texts()),
            checks=(Check(grader="contains_all", spec=(draw(texts()),), place=HERE),),
            split=draw(st.sampled_from(["dev", "holdout"])),
            place=HERE,
        )
        for n in range(draw(st.integers(0, 3)))
    ]
    passages = [
        Passage(
            id=f"p{n}", document=draw(texts()), text=draw(texts()), where=draw(texts()), place=HERE
        )
        for n in range(draw(st.integers(0, 3)))
    ]
    rules = [
        Rule(id=f"r{n}", text=draw(texts(1)), place=HERE) for n in range(draw(st.integers(0, 2)))
    ]
    return domain(
        draw(examples()),
        cases=cases,
        passages=passages,
        rules=tuple(rules),
        instructions=draw(st.sampled_from(["", "Be exact.", "# Title\n\n- one\n- two\n\n"])),
        kind=draw(st.sampled_from(["text", "label", "number", "json"])),
    )


def domain(
    bank: Sequence[Example],
    *,
    cases: Sequence[EvalCase] = (),
    passages: Sequence[Passage] = (),
    kind: str = "text",
    context: ContextSettings | None = None,
    **more: Any,
) -> Domain:
    labels = tuple(dict.fromkeys(one.output for one in bank)) if kind == "label" else ()
    return Domain(
        name="small",
        path=Path("small"),
        examples=tuple(bank),
        cases=tuple(cases),
        passages=tuple(passages),
        labels=labels,
        version="v1",
        settings=DomainSettings(
            answer=AnswerSettings(kind=kind),  # type: ignore[arg-type]
            context=context or ContextSettings(),
        ),
        **more,
    )


def packer(of: Domain) -> Packer:
    counter = TiktokenCounter()
    return Packer(of, MemoryBank(of, counter=counter), counter)


class Make:
    """What the tests of this room make things with."""

    texts = staticmethod(texts)
    examples = staticmethod(examples)
    domains = staticmethod(domains)
    domain = staticmethod(domain)
    packer = staticmethod(packer)


@pytest.fixture(scope="session")
def make() -> type[Make]:
    return Make


@pytest.fixture(scope="session")
def example() -> Callable[..., Example]:
    """Makes an example: id, input, output, and what else differs from the default."""

    def one(name: str, given: str, answer: str = "a", **more: Any) -> Example:
        return Example(id=name, input=given, output=answer, place=HERE, **more)

    return one


@pytest.fixture(scope="session")
def case() -> Callable[..., EvalCase]:
    """Makes an eval case: id, input, expected, and what else differs from the default."""

    def one(name: str, given: str, expected: Any = "a", **more: Any) -> EvalCase:
        check = Check(grader="exact", spec=None, place=HERE)
        split = more.pop("split", "dev")
        return EvalCase(
            id=name,
            input=given,
            expected=expected,
            checks=(check,),
            split=split,
            place=HERE,
            **more,
        )

    return one
