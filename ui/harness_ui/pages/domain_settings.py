"""Domain: the form for its settings, which stand in `domain.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, get_args

import streamlit as st

from harness import Harness, HarnessError
from harness.domain import DomainSettings, Policy
from harness.domain.formats import AnswerKind
from harness_ui import visit
from harness_ui.troubles import show_error
from harness_ui.words import plain

__all__ = ["show_settings"]

Wanted: TypeAlias = dict[str, tuple[Any, Any]]
"""By its name in `domain.yaml`: what a setting shall be, and what it is."""

POLICIES = {
    "balanced": "like the question, and every answer has its share",
    "nearest": "those most like the question",
    "diverse": "like the question, and unlike each other",
    "everything": "as many as there is room for",
    "none": "no examples",
}
KINDS = {
    "text": "a text",
    "label": "one of a few labels",
    "number": "a number",
    "json": "fields with values (JSON)",
}
REVIEWS = {"one_person": "one person", "two_people": "two people"}


def show_settings(harness: Harness) -> None:
    """Draw the form; what is changed in it is saved."""
    now = harness.examples.domain.settings
    with st.form("settings"):
        wanted = _about(now) | _models(now) | _context(now) | _answers(now) | _rules(now)
        allowed = visit.may("admin")
        if not st.form_submit_button("Save settings", type="primary", disabled=not allowed):
            return
    _save(harness, wanted)


def _about(now: DomainSettings) -> Wanted:
    """Draw what it is called and whose it is."""
    one, two = st.columns(2)
    title = one.text_input("Title", value=now.title, key="s-title")
    owners = two.text_input("Owners, with commas between", ", ".join(now.owners), key="s-owners")
    return {"title": (title, now.title), "owners": (_listed(owners), list(now.owners))}


def _models(now: DomainSettings) -> Wanted:
    """Draw who answers."""
    one, two = st.columns(2)
    model = one.text_input(
        "Model",
        value=now.model or "",
        key="s-model",
        help="provider:model, as openai:gpt-5; empty: what the app was started with",
    )
    fallback = two.text_input(
        "Model if that one can't be reached", value=now.fallback_model or "", key="s-fallback"
    )
    judge = one.text_input(
        "Model that judges answers by rubrics",
        value=now.judge_model or "",
        key="s-judge",
        help="for evals alone; empty: whoever starts one names it",
    )
    return {
        "judge_model": (judge, now.judge_model or ""),
        "model": (model, now.model or ""),
        "fallback_model": (fallback, now.fallback_model or ""),
    }


def _context(now: DomainSettings) -> Wanted:
    """Draw how much the model is shown, and what of it."""
    one, two = st.columns(2)
    budget = one.number_input(
        "Tokens that the model is shown",
        500,
        2_000_000,
        now.context.budget,
        1000,
        key="s-budget",
        help="1,000 tokens are about 750 words",
    )
    policy = two.selectbox(
        "How examples are chosen",
        get_args(Policy),
        get_args(Policy).index(now.context.policy),
        key="s-policy",
        format_func=lambda one: POLICIES.get(one, one),
    )
    return {
        "context.budget": (str(budget), str(now.context.budget)),
        "context.policy": (policy, now.context.policy),
    }


def _answers(now: DomainSettings) -> Wanted:
    """Draw what an answer looks like."""
    one, two = st.columns(2)
    kind = one.selectbox(
        "What an answer is",
        get_args(AnswerKind),
        get_args(AnswerKind).index(now.answer.kind),
        key="s-kind",
        format_func=lambda one: KINDS.get(one, one),
    )
    abstain = two.text_input(
        "Words that mean “I can't tell”", value=now.answer.abstain or "", key="s-abstain"
    )
    return {
        "answer.kind": (kind, now.answer.kind),
        "answer.abstain": (abstain, now.answer.abstain or ""),
    }


def _rules(now: DomainSettings) -> Wanted:
    """Draw where its text may go, and who has to agree to a change."""
    one, two = st.columns(2)
    providers = one.text_input(
        "Providers that its text may go to, with commas between",
        ", ".join(now.providers_allowed or ()),
        key="s-providers",
        help="empty: any",
    )
    review = two.selectbox(
        "Who accepts a correction",
        list(REVIEWS),
        list(REVIEWS).index(now.review),
        key="s-review",
        format_func=REVIEWS.__getitem__,
    )
    return {
        "providers_allowed": (_listed(providers), list(now.providers_allowed or ())),
        "review": (review, now.review),
    }


def _save(harness: Harness, wanted: Mapping[str, tuple[Any, Any]]) -> None:
    changed = {key: new or None for key, (new, old) in wanted.items() if new != old}
    if not changed:
        st.info("Nothing was changed.")
        return
    try:
        harness.files.set(changed, by=visit.person())
    except HarnessError as error:
        show_error(error)
        return
    st.session_state["domain-said"] = f"Saved: {', '.join(map(plain, changed))}."
    st.rerun()


def _listed(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
