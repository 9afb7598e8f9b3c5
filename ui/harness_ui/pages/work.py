"""A question worked on with tools, on the Ask page: steps, what waits for a word, the answer."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from harness import Harness, HarnessError
from harness.sdk.account import Account
from harness_ui import visit
from harness_ui.asked import as_asked
from harness_ui.cited import show_shown
from harness_ui.desk import desk
from harness_ui.follow import Stage, watched
from harness_ui.jobs import Asking, Working
from harness_ui.looks import FIRST, LATER, waits_for_a_word
from harness_ui.pages.run_controls import (
    at_work,
    show_files,
    show_left,
    show_waiting,
    take_up,
    together,
    wait_for_it,
)
from harness_ui.pages.run_parts import show_asked, show_cut_off, show_quotes
from harness_ui.run_words import STATES
from harness_ui.seen import show_seen
from harness_ui.troubles import show_error
from harness_ui.words import cost_words, count, model_markdown, plain, since

__all__ = ["show_work"]

SHOWN = 6
"""Stretches of a conversation that are drawn at first."""
STEPS = 60
"""Steps that are drawn at once, the newest."""


def show_work(
    harness: Harness, name: str, *, verdict: Callable[[Asking], None], again: Callable[..., None]
) -> None:
    """Draw a run as a conversation.

    Args:
        harness: The open domain.
        name: Id of the run.
        verdict: Draws what a person can say of the answer.
        again: Asks once more, with other wishes.
    """
    run = watched(harness, name)
    try:
        account = run.look()
    except HarnessError as error:
        if not wait_for_it(name):
            show_error(error)
        return
    most = st.session_state.get("stages", SHOWN)
    hidden = len(run.stages) - most
    if hidden > 0 and st.button(f"Show earlier ({hidden:,})", key="more-stages"):
        st.session_state["stages"] = most + 50
        st.rerun()
    for stage in run.stages[-most:-1]:
        _past(stage)
    stage = run.stages[-1]
    show_asked(stage.asked, stage.files)
    if at_work(account):
        st.fragment(_live, run_every=LATER)(name)
        return
    _settled(harness, name, account, stage)
    job = desk().jobs.get(name)
    packed = job.packed if isinstance(job, Working) else None
    told = as_asked(harness, visit.current(), name, account)
    if account.finished is not None and account.finished.answer:
        verdict(told)
    if packed is not None:
        told.packed = packed
        told.how = job.how if isinstance(job, Working) else {}
        _shown(harness, told)
        show_seen(told, again=again)


def _past(stage: Stage) -> None:
    show_asked(stage.asked, stage.files)
    if stage.finished is not None:
        st.markdown(model_markdown(stage.finished.answer) or "…")


def _live(name: str) -> None:
    """Draw the work as it goes on; once it has ended, the whole page is drawn once more."""
    harness = visit.opened()
    if harness is None:
        return
    run = watched(harness, name)
    account = run.look()
    if not at_work(account):
        st.rerun()
    _steps(run.stages[-1].steps)
    if not (account.approvals or account.questions):
        words = "At work" if run.stages[-1].steps else "Thinking"
        if waits_for_a_word(desk().jobs.get(name)):
            st.fragment(_coming, run_every=FIRST)(name, words)
        else:
            _coming(name, words)
    show_waiting(harness, name, account)
    _plan(account)
    if visit.may("expert") and st.button("Stop", key="stop", help="Keeps what is there"):
        try:
            harness.runs.cancel(name, by=visit.person())
        except HarnessError as error:
            show_error(error)


def _coming(name: str, words: str) -> None:
    """Draw what the model is saying, or what it does."""
    job = desk().jobs.get(name)
    if isinstance(job, Working) and job.text:
        st.markdown(model_markdown(job.text) + " ▌")
    else:
        st.markdown(f"*{words} …*")


def _plan(account: Account) -> None:
    done = sum(step.state == "done" for step in account.plan)
    if account.plan:
        doing = next((step.text for step in account.plan if step.state == "doing"), "")
        words = f"Plan: {done} of {count(len(account.plan), 'step')} done"
        st.caption(words + (f" · now: {plain(doing)}" if doing else ""))


def _steps(steps: list[str]) -> None:
    if steps:
        with st.container(key="steps"):
            st.markdown(together(steps[-STEPS:]))


def _settled(harness: Harness, name: str, account: Account, stage: Stage) -> None:
    finished, job = account.finished, desk().jobs.get(name)
    if stage.steps:
        title = f"How it was done ({count(len(stage.steps), 'line')})"
        with st.expander(title, key=f"how-{name}", on_change="rerun") as opened:
            if getattr(opened, "open", True) is not False:
                _steps(stage.steps)
    text = job.text if isinstance(job, Working) and job.text else account.unfinished
    show_cut_off(text, by_a_person=finished is not None)
    if finished is None:
        show_left(account)
        if isinstance(job, Working) and job.error is not None:
            show_error(job.error)
        show_waiting(harness, name, account)
        if visit.may("expert") and st.button("Take it up", key="take-up", type="primary"):
            take_up(harness, name, account)
        return
    if finished.answer and not account.unfinished:
        with st.container(key="answer"):
            st.markdown(model_markdown(finished.answer))
    if finished.stop == "cancelled":
        st.caption("Stopped. What was there is kept.")
    elif finished.stop != "completed":
        st.warning(
            "\n".join(
                [f"It {STATES[finished.stop]}.", *(f"- {plain(p)}" for p in finished.problems)]
            )
        )
    show_quotes(harness, name, finished)
    show_files(harness, name)
    usage = finished.usage
    st.caption(
        f"{plain(account.summary.tally.model)} · {count(finished.steps, 'step')} · "
        f"{usage.input_tokens:,} tokens read, {usage.output_tokens:,} written · "
        f"{cost_words(usage.cost_usd)} · {since(finished.seconds)}"
    )


def _shown(harness: Harness, job: Asking) -> None:
    if job.packed is not None:
        sources = harness.sources()
        show_shown(sources, sources.shown(job.packed.shown("passage")), job.id)
