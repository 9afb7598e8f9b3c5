"""Runs: long work with tools, followed live; what waits for a person, and what came of it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from harness import Harness, HarnessError
from harness.sdk.records import Account
from harness.sdk.run import Budget
from harness_ui import visit
from harness_ui.desk import desk
from harness_ui.jobs import Working
from harness_ui.pages.run_controls import show_artifacts, show_controls, show_waiting
from harness_ui.run_words import STATES, told
from harness_ui.troubles import show_error
from harness_ui.words import cost_words, count, model_markdown, plain, short

__all__ = ["show"]

LOOK = 0.6
"""Seconds between looks at a run that is at work."""
SHOWN = 120
"""Events that are drawn at first, the newest."""
MARKS = {"pending": "○", "doing": "◐", "done": "●", "dropped": "-"}
ALIVE = ("new", "running", "waiting")


def show() -> None:
    """Draw the page."""
    st.title("Runs", anchor=False)
    harness = visit.opened()
    if harness is None:
        return
    if said := st.session_state.pop("run-said", None):
        st.success(said)
    name = st.query_params.get("run", "")
    if name:
        _one(harness, name)
        return
    _start(harness)
    _list(harness)


# --- all of them --------------------------------------------------------------------------------


def _list(harness: Harness) -> None:
    domain = harness.examples.domain.name
    try:
        found = harness.runs.list(domain=domain)[:300]
    except HarnessError as error:
        show_error(error)
        return
    st.header("Runs so far", anchor=False)
    if not found:
        st.write("There are none yet. Questions on the Ask page are runs, too.")
        return
    state = st.dataframe(
        pd.DataFrame(
            [
                [
                    short(one.tally.goal, 120) or "erased",
                    STATES.get(one.tally.state, one.tally.state),
                    one.tally.steps,
                    one.tally.tokens,
                    None if one.tally.usd is None else float(one.tally.usd),
                    one.updated,
                    one.run,
                ]
                for one in found
            ],
            columns=["What", "How it stands", "Steps", "Tokens", "US dollars", "Changed", "Id"],
        ),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="runs",
        column_config={
            "US dollars": st.column_config.NumberColumn(format="%.4f"),
            "Changed": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
        },
        alt="The runs of this domain",
    )
    rows = state.selection.rows
    if rows and rows[0] < len(found):
        visit.go("runs", run=found[rows[0]].run)


def _start(harness: Harness) -> None:
    if not visit.may("expert"):
        return
    with st.form("new-run", clear_on_submit=True):
        goal = st.text_area(
            "What is to be done?",
            key="goal",
            height=110,
            placeholder="Check this lease against our terms, and list what differs.",
        )
        files = st.file_uploader("Files", accept_multiple_files=True, key="goal-files")
        one, two, three = st.columns(3)
        usd = one.number_input("At most, US dollars", 0.0, 1000.0, 2.0, 0.5, key="goal-usd")
        steps = two.number_input("At most, steps", 1, 10_000, 50, key="goal-steps")
        minutes = three.number_input("At most, minutes", 1, 10_000, 30, key="goal-minutes")
        begun = st.form_submit_button("Begin", type="primary", key="begin")
    if not begun:
        return
    if not goal.strip():
        st.warning("Say what is to be done.")
        return
    job = Working(
        domain=visit.current(),
        by=visit.person(),
        goal=goal,
        files=[desk().keep_upload(one.name, one.getvalue()) for one in files or ()],
        budget=Budget(usd=usd or None, steps=int(steps), minutes=float(minutes)),
    )
    desk().jobs.work(harness, job)
    visit.go("runs", run=job.id)


# --- one of them --------------------------------------------------------------------------------


def _one(harness: Harness, name: str) -> None:
    if st.button("All runs", key="all-runs", type="tertiary"):
        st.query_params.pop("run", None)
        st.rerun()
    job = desk().jobs.get(name)
    if isinstance(job, Working) and job.error is not None:
        show_error(job.error)
    try:
        account = harness.runs.show(name)
    except HarnessError as error:
        if isinstance(job, Working) and job.busy:
            _soon(name)
        elif not isinstance(job, Working):
            show_error(error)
        return
    with st.container(border=True, key="goal-shown"):
        st.markdown(plain(account.started.goal))
    state = account.summary.tally.state
    if state in ALIVE and (account.summary.worker or (isinstance(job, Working) and job.busy)):
        _live(name)
        return
    _drawn(harness, name, account)


@st.fragment(run_every=LOOK)
def _soon(name: str) -> None:
    """Wait until the run stands in the journal."""
    st.caption("Getting ready …")
    harness = visit.opened()
    job = desk().jobs.get(name)
    try:
        if harness is not None:
            harness.runs.show(name)
    except HarnessError:
        if job is not None and job.busy:
            return
    st.rerun()


@st.fragment(run_every=LOOK)
def _live(name: str) -> None:
    """Follow a run that is at work."""
    harness = visit.opened()
    if harness is None:
        return
    account = harness.runs.show(name)
    job = desk().jobs.get(name)
    held = isinstance(job, Working) and job.busy
    if account.summary.tally.state not in ALIVE or not (account.summary.worker or held):
        st.rerun()
    _drawn(harness, name, account, text=job.text if isinstance(job, Working) else "")


def _drawn(harness: Harness, name: str, account: Account, text: str = "") -> None:
    _state(account)
    left, right = st.columns([3, 2], gap="large")
    with left:
        show_waiting(harness, name, account)
        _events(harness, name)
        if text:
            st.markdown(model_markdown(text) + " ▌")
        if account.finished is not None and account.finished.answer:
            with st.container(border=True, key="outcome"):
                st.markdown(model_markdown(account.finished.answer))
            _citations(account)
    with right:
        _plan(account)
        _spend(account)
        show_controls(harness, name, account)
        show_artifacts(harness, name, account)


def _state(account: Account) -> None:
    tally = account.summary.tally
    words = STATES.get(tally.state, tally.state)
    if tally.state in ("new", "running") and not account.summary.worker:
        st.warning("Nobody works on it: the process that did has ended. *Take it up* goes on.")
    elif account.approvals or account.questions:
        st.info("It waits for you.")
    st.caption(
        f"{words} · {count(tally.steps, 'step')} · {tally.tokens:,} tokens · "
        f"{cost_words(tally.usd)} · {plain(tally.model)} · {plain(account.summary.run)}"
    )
    for notice in account.notices:
        st.caption(plain(notice))


def _events(harness: Harness, name: str) -> None:
    lines = [words for one in harness.runs.events(name) if (words := told(one.event))]
    most = st.session_state.get("events", SHOWN)
    hidden = len(lines) - most
    if hidden > 0:
        if st.button(f"Show earlier ({hidden:,})", key="more-events"):
            st.session_state["events"] = most + 500
            st.rerun(scope="app")
        lines = lines[-most:]
    for line in lines:
        st.markdown(line)


def _plan(account: Account) -> None:
    if not account.plan:
        return
    st.markdown("**Plan**")
    st.markdown("  \n".join(f"{MARKS[step.state]} {plain(step.text)}" for step in account.plan))


def _spend(account: Account) -> None:
    tally, limits = account.summary.tally, account.started.limits
    kinds: list[tuple[str, Any, Any]] = [
        ("steps", tally.steps, limits.steps),
        ("tokens", tally.tokens, limits.tokens),
        ("US dollars", tally.usd, limits.usd),
    ]
    shown = [(name, used or 0, limit) for name, used, limit in kinds if limit]
    if shown:
        st.markdown("**Spent**")
    for name, used, limit in shown:
        words = (
            f"{used:,} of {limit:,} {name}"
            if name != "US dollars"
            else (rf"\${float(used):.2f} of \${float(limit):.2f}")
        )
        st.progress(min(1.0, float(used) / float(limit)), words)


def _citations(account: Account) -> None:
    if account.finished is None or not account.finished.citations:
        return
    with st.expander(f"Where it is from ({len(account.finished.citations)})", expanded=False):
        for one in account.finished.citations:
            found = "found there" if one.verified else "**not found there**"
            where = f", {plain(one.where)}" if one.where else ""
            st.markdown(f"{plain(one.document)}{where} ({found})  \n> {plain(one.quote)}")
