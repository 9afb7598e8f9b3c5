"""Whether the right label stands among the demonstrations, at one budget of rendered tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from langchain_core.example_selectors import (
    BaseExampleSelector,
    MaxMarginalRelevanceExampleSelector,
    SemanticSimilarityExampleSelector,
)

from harness.adapters.model_nearest import vote
from harness.context import read_demonstrations
from harness.context.render import render_question
from harness.domain import Policy
from harness.sdk.opened import Current
from harness.values import BankItem
from harness.wiring import make_embedder
from tests.benchmarks import peers
from tests.benchmarks.material import Material, Question
from tests.benchmarks.packing_speed import demonstrations
from tests.benchmarks.record import Record

__all__ = ["run"]

POLICIES: tuple[Policy, ...] = ("balanced", "nearest", "diverse")
SHOTS, FETCH = 40, 100
"""What the peers are asked for: more than fits the largest budget."""
BUDGETS = {"contract-clauses": (500, 1000), "support-triage": (150, 500)}
SHOWN = {
    ("contract-clauses", 500): 92.0,
    ("contract-clauses", 1000): 96.5,
    ("support-triage", 150): 98.5,
}
RIGHT = {("support-triage", 500): 91.5}

Way = Callable[[str, int], str]
"""From a question and a budget to the text that a model would read."""


def run(material: Material, record: Record) -> None:
    """Pack all dev and holdout questions against banks of the training rows alone."""
    for name, budgets in BUDGETS.items():
        current, questions = material.bank(name), material.questions(name)
        ways = {**_ours(current), **_theirs(material, name, current)}
        for way, packed in ways.items():
            ours = way == "harness balanced"
            for budget, score in _scored(packed, questions, budgets).items():
                title, key = f"{name}, {budget:,} tokens, {way}", (name, budget)
                wanted = SHOWN.get(key) if ours else None
                record.add(f"{title}: label shown", 100 * score.shown, "%", at_least=wanted)
                if key in RIGHT:
                    wanted = RIGHT[key] if ours else None
                    record.add(f"{title}: vote right", 100 * score.right, "%", at_least=wanted)
        record.note(f"{name}: {len(current.bank.items):,} rows, {len(questions):,} questions.")
    record.note(
        "Peers (LangChain's selectors) are rendered in the same tagged form and trimmed to the "
        "same budget, nearest kept, what does not fit skipped: kinder than their own trimming, "
        "which drops the nearest first. Vote: as baseline:nearest answers."
    )


@dataclass(frozen=True, kw_only=True)
class Score:
    """Shares of questions, 0 to 1."""

    shown: float
    right: float


def _scored(way: Way, questions: Sequence[Question], budgets: Sequence[int]) -> dict[int, Score]:
    """Score one way at each budget, by what the rendered text shows."""
    shown, right = Counter[int](), Counter[int]()
    for question in questions:
        for budget in budgets:
            text = way(question.text, budget)
            shown[budget] += any(one.output == question.label for one in read_demonstrations(text))
            right[budget] += vote([text]) == question.label
    count = len(questions)
    return {one: Score(shown=shown[one] / count, right=right[one] / count) for one in budgets}


def _ours(current: Current) -> dict[str, Way]:
    def way(policy: Policy) -> Way:
        def pack(text: str, budget: int) -> str:
            sections = demonstrations(budget)
            return current.packer.pack(text, policy=policy, sections=sections).messages[-1].text

        return pack

    return {f"harness {policy}": way(policy) for policy in POLICIES}


def _theirs(material: Material, name: str, current: Current) -> dict[str, Way]:
    items, embedder = current.bank.items, make_embedder("minilm")
    vectors = current.bank.vectors(np.arange(len(items)))
    store = peers.selector_store(material.folder / f"quality-{name}", items, vectors, embedder)
    near = SemanticSimilarityExampleSelector(vectorstore=store, k=SHOTS, input_keys=["input"])
    diverse = MaxMarginalRelevanceExampleSelector(
        vectorstore=store, k=SHOTS, fetch_k=FETCH, input_keys=["input"]
    )

    def way(selector: BaseExampleSelector) -> Way:
        @lru_cache(maxsize=1)  # the same choice for each budget
        def chosen(text: str) -> list[BankItem]:
            return [items[found["row"]] for found in selector.select_examples({"input": text})]

        def pack(text: str, budget: int) -> str:
            kept: list[str] = []
            for item in chosen(text):
                if item.tokens <= budget:
                    kept.append(item.rendered)
                    budget -= item.tokens
            return "".join([*reversed(kept), render_question(text)])

        return pack

    return {"dense top-k": way(near), "MMR": way(diverse)}
