"""Evals: what begins a run, with a budget, and what goes on with one that was stopped early."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from harness import Harness, HarnessError
from harness.evals import Standing
from harness.sdk.eval_unfinished import Unfinished
from harness.values import Split
from harness_ui import visit
from harness_ui.desk import desk
from harness_ui.jobs import Evaluating
from harness_ui.troubles import show_error
from harness_ui.words import count, plain

__all__ = ["Watch", "show_start"]

SPLITS = {
    "dev": "for daily work (dev)",
    "holdout": "kept apart, to confirm (holdout)",
    "sealed": "sealed; each opening is counted",
}


@dataclass
class Watch:
    """How a run stands, as it tells itself."""

    now: Standing | None = None

    def __call__(self, standing: Standing) -> None:
        """Take in how it stands."""
        self.now = standing


def show_start(harness: Harness) -> None:
    """Draw what begins a run, and the runs that were stopped early."""
    domain = harness.examples.domain
    here = {split: sum(case.split == split for case in domain.cases) for split in SPLITS}
    here["sealed"] = _sealed(harness)
    if not any(here.values()):
        st.info("This domain has no test cases yet. They stand in evals/dev.* and evals/holdout.*.")
        return
    usual = harness.models.name(domain.settings)
    st.header("New run", anchor=False)
    with st.container(border=True, key="start"):
        one, two, three = st.columns([2, 1, 2])
        split: Any = one.selectbox(
            "Test cases",
            [name for name in SPLITS if here[name]],
            key="split",
            format_func=lambda name: f"{SPLITS[name]}: {here[name]:,}",
        )
        most = two.number_input(
            "How many",
            1,
            here[split],
            min(50, here[split]),
            key=f"limit-{split}",
            help="Fewer are quicker and cheaper, and say less; always the same ones.",
        )
        model = three.selectbox(
            "Model",
            list(dict.fromkeys([usual, "baseline:nearest"])),
            key="eval-model",
            accept_new_options=True,
        )
        budget = st.number_input(
            "At most, US dollars",
            0.0,
            10_000.0,
            5.0,
            1.0,
            key="eval-budget",
            help="After that nothing more is asked; what is done is kept. 0: no limit.",
        )
        judge = _judge(harness, split)
        allowed = visit.may("reviewer" if split == "sealed" else "expert")
        if split == "sealed":
            st.warning(
                "Sealed cases are for the last word. Each time they are opened is on record, and "
                "the more often they are, the less they show."
            )
        if st.button("Start", type="primary", key="start-do", disabled=not allowed):
            chosen = "" if model in (usual, None) else str(model)
            how = {"split": split, "limit": int(most), "budget_usd": budget or None}
            _begin(how | ({"judge": judge} if judge else {}), chosen, of=int(most))
    _left(harness, usual, budget or None)


def _judge(harness: Harness, split: Split) -> str:
    """Return the model that judges, where cases are graded by one; who starts a run can name it."""
    usual = harness.evals.judge(split)
    if usual is None:
        return ""
    chosen = st.selectbox(
        "Model that judges the answers by the rubrics",
        [usual] if usual else [],
        index=0 if usual else None,
        key="eval-judge",
        accept_new_options=True,
        placeholder="Write one",
        help="provider:model, as openai:gpt-5. `judge_model` in domain.yaml names one for good.",
    )
    return str(chosen or "")


def _left(harness: Harness, usual: str, budget: float | None) -> None:
    """Draw the runs that were stopped early; each can go on."""
    if any(job.busy for job in desk().jobs.of(visit.current(), Evaluating)):
        return  # the one at work would stand among them
    try:
        left = harness.evals.unfinished()
    except HarnessError as error:
        show_error(error)
        return
    if not left:
        return
    st.header("Stopped early", anchor=False)
    st.caption(
        "What is done of them is kept. The budget above holds anew for what is still to be asked."
    )
    for one in left:
        with st.container(horizontal=True, vertical_alignment="center", key=f"left-{one.run}"):
            if st.button("Go on", key=f"go-on-{one.run}", disabled=not _may_go_on(one)):
                model = "" if one.model == usual else one.model
                _begin({**one.how, "budget_usd": budget}, model, of=one.of)
            st.markdown(_of_run(one))


def _may_go_on(one: Unfinished) -> bool:
    return one.same and visit.may("reviewer" if one.split == "sealed" else "expert")


def _of_run(one: Unfinished) -> str:
    words = (
        f"{one.done:,} of {one.of:,} answers · {one.split} · {plain(one.model)} · "
        f"begun {one.started[:16].replace('T', ' ')}"
    )
    if one.same:
        return words
    return f"{words}  \n*The domain was changed since: it can't go on. Start a new one.*"


def _begin(how: dict[str, Any], model: str, *, of: int) -> None:
    job = Evaluating(
        domain=visit.current(),
        by=visit.person(),
        how=how | {"watch": Watch()},
        model=model,
        of=of,
    )
    try:
        desk().jobs.evaluate(desk().harness(visit.current(), model), job)
    except HarnessError as error:
        show_error(error)
        return
    st.query_params["run"] = job.id
    st.rerun()


def _sealed(harness: Harness) -> int:
    """Say how many sealed cases there are and how often they were opened; return how many."""
    try:
        number, opened = harness.evals.sealed_cases(), harness.evals.openings()
    except HarnessError as error:
        show_error(error)
        return 0
    if not number and not opened:
        return 0
    last = f"; the last time by {plain(opened[-1].who)}, {opened[-1].at[:10]}" if opened else ""
    times = {0: "never opened", 1: "opened once"}.get(len(opened), f"opened {len(opened):,} times")
    st.caption(f"{count(number, 'sealed case')}, {times}{last}.")
    return number
