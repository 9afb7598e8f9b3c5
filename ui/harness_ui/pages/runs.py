"""Runs: long work with tools, followed live; what waits for a person, and what came of it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from harness import Harness, HarnessError
from harness.sdk.account import Account
from harness.sdk.run import Budget
from harness_ui import visit
from harness_ui.desk import desk
from harness_ui.follow import Watched, watched
from harness_ui.jobs import Working
from harness_ui.pages.run_controls import (
    at_work,
    show_artifacts,
    show_controls,
    show_left,
    show_waiting,
    together,
    wait_for_it,
)
from harness_ui.pages.run_parts import show_asked, show_cut_off, show_quotes
from harness_ui.run_words import STATES
from harness_ui.troubles import show_error
from harness_ui.words import cost_words, count, model_markdown, plain, short

__all__ = ["show"]

LOOK = 0.6
"""Seconds between looks at a run that is at work."""
SHOWN = 120
"""Events that are drawn at first, the newest."""
MARKS = {"pending": "○", "doing": "◐", "done": "●", "dropped": "-"}


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
    run = watched(harness, name)
    try:
        account = run.look()
    except HarnessError as error:
        if not wait_for_it(name):
            show_error(error)
        return
    if isinstance(job, Working) and job.error is not None:
        show_error(job.error)
    started = account.started
    show_asked(started.goal, (one.path for one in started.files), key="goal-shown")
    if at_work(account):
        st.fragment(_live, run_every=LOOK)(name)
    else:
        _drawn(harness, name, account, run)


def _live(name: str) -> None:
    """Follow a run that is at work."""
    harness = visit.opened()
    if harness is None:
        return
    run = watched(harness, name)
    account = run.look()
    if not at_work(account):
        st.rerun()
    job = desk().jobs.get(name)
    _drawn(harness, name, account, run, text=job.text if isinstance(job, Working) else "")


def _drawn(harness: Harness, name: str, account: Account, run: Watched, text: str = "") -> None:
    busy = at_work(account)
    _state(account, busy=busy)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _events(run)
        _saying(account, text or account.unfinished, busy=busy)
        show_waiting(harness, name, account)
        if account.finished is not None and account.finished.answer:
            with st.container(border=True, key="outcome"):
                st.markdown(model_markdown(account.finished.answer))
            show_quotes(harness, name, account.finished)
    with right:
        _plan(account)
        _spend(account)
        show_controls(harness, name, account)
        if busy:
            _files(account)
        else:
            show_artifacts(harness, name, account)


def _saying(account: Account, text: str, *, busy: bool) -> None:
    """Draw a message that is not whole: on its way, or cut off."""
    if busy:
        st.markdown(model_markdown(text) + " ▌" if text else "")
    else:
        show_cut_off(text, by_a_person=account.finished is not None)


def _files(account: Account) -> None:
    if account.files:
        st.markdown("**Files so far**")
        st.markdown("  \n".join(plain(path) for path in account.files))


def _state(account: Account, *, busy: bool) -> None:
    tally = account.summary.tally
    words = STATES.get(tally.state, tally.state)
    if not busy and account.finished is None:
        show_left(account)
    elif busy and (account.approvals or account.questions):
        st.info("It waits for you.")
    st.caption(
        f"{words} · {count(tally.steps, 'step')} · {tally.tokens:,} tokens · "
        f"{cost_words(tally.usd)} · {plain(tally.model)} · {plain(account.summary.run)}"
    )
    for notice in account.notices:
        st.caption(plain(notice))


def _events(run: Watched) -> None:
    most = st.session_state.get("events", SHOWN)
    hidden = len(run.lines) - most
    if hidden > 0 and st.button(f"Show earlier ({hidden:,})", key="more-events"):
        st.session_state["events"] = most + 500
        st.rerun(scope="app")
    with st.container(key="steps"):
        st.markdown(together(run.lines[-most:]))


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
