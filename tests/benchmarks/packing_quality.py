"""Whether the right label stands among the demonstrations, at one budget of rendered tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from langchain_core.example_selectors import (
    MaxMarginalRelevanceExampleSelector,
    SemanticSimilarityExampleSelector,
)

from harness.adapters.model_nearest import vote
from harness.context import read_demonstrations
from harness.context.render import render_question
from harness.sdk.opened import Current
from harness.wiring import make_embedder
from tests.benchmarks import peers
from tests.benchmarks.material import Material, Question
from tests.benchmarks.packing_speed import demonstrations
from tests.benchmarks.record import Record

__all__ = ["run"]

POLICIES = ("balanced", "nearest", "diverse")
SHOTS, FETCH = 64, 200
WANTED = {
    ("contract-clauses", 500, "label"): 92.0,
    ("contract-clauses", 1000, "label"): 96.5,
    ("support-triage", 150, "label"): 98.5,
    ("support-triage", 500, "vote"): 91.5,
}
BUDGETS = {"contract-clauses": (500, 1000), "support-triage": (150, 500)}

Way = Callable[[str, int], str]
"""From a question and a budget to the text that a model would read."""


def run(material: Material, record: Record) -> None:
    """Pack all dev and holdout questions against banks of the training rows alone."""
    for name, budgets in BUDGETS.items():
        current, questions = material.bank(name), material.questions(name)
        ways = {**_ours(current), **_theirs(material, name, current)}
        for budget in budgets:
            for way, packed in ways.items():
                score = _scored(packed, questions, budget)
                wanted = WANTED if way == "harness balanced" else {}
                title = f"{name}, {budget:,} tokens, {way}"
                record.add(
                    f"{title}: label shown",
                    100 * score.shown,
                    "%",
                    at_least=wanted.get((name, budget, "label")),
                )
                if (name, budget, "vote") in WANTED:
                    record.add(
                        f"{title}: nearest vote right",
                        100 * score.right,
                        "%",
                        at_least=wanted.get((name, budget, "vote")),
                    )
        record.note(f"{name}: {len(current.bank.items):,} rows, {len(questions):,} questions.")
    record.note(
        "The peers' choice is rendered in the same tagged form and trimmed to the same budget, "
        "nearest kept; an example that does not fit is skipped, which is kinder than their own "
        "trimming, which drops the nearest first."
    )


@dataclass(frozen=True, kw_only=True)
class Score:
    """Shares of questions, 0 to 1."""

    shown: float
    right: float


def _scored(way: Way, questions: Sequence[Question], budget: int) -> Score:
    shown = right = 0
    for question in questions:
        text = way(question.text, budget)
        shown += any(one.output == question.label for one in read_demonstrations(text))
        right += vote([text]) == question.label
    return Score(shown=shown / len(questions), right=right / len(questions))


def _ours(current: Current) -> dict[str, Way]:
    def way(policy: str) -> Way:
        def pack(text: str, budget: int) -> str:
            packed = current.packer.pack(
                text, policy=policy, sections=demonstrations(budget), budget=64_000
            )
            return packed.messages[-1].text

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

    def way(
        selector: SemanticSimilarityExampleSelector | MaxMarginalRelevanceExampleSelector,
    ) -> Way:
        def pack(text: str, budget: int) -> str:
            kept: list[str] = []
            for found in selector.select_examples({"input": text}):
                item = items[found["row"]]
                if item.tokens <= budget:
                    kept.append(item.rendered)
                    budget -= item.tokens
            return "".join([*reversed(kept), render_question(text)])

        return pack

    return {"dense top-k": way(near), "MMR": way(diverse)}
