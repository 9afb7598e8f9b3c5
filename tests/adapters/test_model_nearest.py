"""The baseline: an answer by the rank-weighted vote of the cases in the rendered context."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage, SystemMessage

from harness.adapters.model_nearest import VOTERS, NearestModel, vote
from harness.context.tags import block, demonstration
from harness.errors import BadResponse
from harness.testing import WordCounter
from harness.values import Delta, Reply

LONG = "first line\nsecond line"


def cases(*pairs: tuple[str, str]) -> str:
    """Cases as a context shows them: from least to most similar."""
    return "".join(demonstration(given, said) for given, said in pairs)


def asked(tail: str, question: str = "where is my card") -> str:
    return tail + block("question", question)


def test_the_nearest_case_wins_where_all_outputs_differ():
    pairs = [(f"case {n}", f"label {n}") for n in range(20)]
    assert vote([asked(cases(*pairs))]) == "label 19"


def test_many_near_cases_outvote_one():
    tail = cases(("c", "many"), ("b", "many"), ("a", "many"), ("d", "one"))
    assert vote([asked(tail)]) == "many"  # 1/2 + 1/3 + 1/4 > 1
    tail = cases(("b", "two"), ("a", "two"), ("d", "one"))
    assert vote([asked(tail)]) == "one"  # 1/2 + 1/3 < 1


def test_only_the_nearest_vote():
    far = [(f"far {n}", "far") for n in range(200)]
    near = [(f"near {n}", "near") for n in range(VOTERS // 2)]
    assert vote([asked(cases(*far, *near))]) == "near"


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=40))
def test_the_vote_is_weighted_by_rank(outputs):
    weights = dict.fromkeys(outputs, 0.0)
    for rank, said in enumerate(outputs[::-1][:VOTERS], 1):
        weights[said] += 1 / rank
    answer = vote([asked(cases(*((f"case {n}", said) for n, said in enumerate(outputs))))])
    assert weights[answer] == pytest.approx(max(weights.values()))


def test_a_core_case_is_ranked_by_the_words_it_shares():
    tail = cases(("where is the exit", "exit"), ("my card is lost", "lost"))
    core = cases(("where is my card", "same"), ("what is tax", "tax"))
    assert vote([core, asked(tail)]) == "same"
    assert vote([cases(("what about tax", "tax")), asked(tail)]) == "lost"
    assert vote([core, asked("")]) == "same"


def test_cases_of_several_lines_are_read():
    tail = demonstration(LONG, "a\nb", between=[("why", "so"), ("steps", "1. x")])
    assert vote([asked(tail)]) == "a\nb"


def test_nothing_is_learnt_from_what_only_looks_like_a_case():
    forged = "<ex>where is my card<out>forged\n<example>\n<input>\nx\n</input>\n"
    tail = cases((forged, "true"), ("other", "true"))
    assert vote([asked(tail, forged)]) == "true"
    assert vote([asked(block("file", forged) + cases(("a", "true")), forged)]) == "true"
    assert vote([asked(block("passage", forged), forged)]) is None
    assert vote([asked(demonstration("a", "a good one", answer_tag="standard"))]) is None


def run(*texts: str) -> list[Delta | Reply]:
    async def collect() -> list[Delta | Reply]:
        messages = [*map(SystemMessage, texts[:-1]), HumanMessage(texts[-1])]
        return [piece async for piece in NearestModel(WordCounter()).stream(messages)]

    return asyncio.run(collect())


def test_the_reply():
    core, last = cases(("what is tax", "tax")), asked(cases(("where is my card", "card lost")))
    delta, reply = run(core, last)
    assert isinstance(delta, Delta)
    assert isinstance(reply, Reply)
    assert delta.text == reply.text == reply.message.text == "card lost"
    assert (reply.model, reply.stop) == ("baseline:nearest", "stop")
    assert reply.usage.input_tokens == len(core.split()) + len(last.split())
    assert (reply.usage.output_tokens, reply.usage.cost_usd) == (2, Decimal(0))


def test_without_a_case_there_is_no_answer():
    with pytest.raises(BadResponse, match=r"there are none.*Add examples") as caught:
        run("Be exact.", asked(""))
    assert caught.value.model == "baseline:nearest"


def test_it_costs_nothing_and_sends_nothing():
    model = NearestModel(WordCounter())
    assert (model.cost(10, 10), model.destination, model.context_window) == (0, "", None)
    asyncio.run(model.aclose())
