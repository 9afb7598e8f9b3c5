"""What a person can do with a run: decide, answer, steer, stop, take up, fork, verify, fetch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import streamlit as st

from harness import Harness, HarnessError
from harness.journal.events import ApprovalRequested, QuestionAsked
from harness.sdk.account import Account
from harness_ui import visit
from harness_ui.desk import desk
from harness_ui.follow import watched
from harness_ui.jobs import Working
from harness_ui.keeping import show_save
from harness_ui.looks import FIRST, looking_words
from harness_ui.run_words import EFFECTS, change_words, may_it
from harness_ui.troubles import show_error
from harness_ui.words import plain, size

__all__ = [
    "at_work",
    "show_artifacts",
    "show_controls",
    "show_files",
    "show_left",
    "show_waiting",
    "take_up",
    "together",
    "wait_for_it",
]

ALIVE = ("new", "running", "waiting")
MOST_BYTES = 20 * 1024 * 1024


# --- how a run stands ---------------------------------------------------------------------------


def at_work(account: Account) -> bool:
    """Say whether somebody works on a run: this process, or another one."""
    job = desk().jobs.get(account.summary.run)
    held = isinstance(job, Working) and job.busy
    return held or (account.summary.tally.state in ALIVE and bool(account.summary.worker))


def wait_for_it(name: str) -> bool:
    """Wait until a run that was begun here stands in the journal; say whether there is one."""
    job = desk().jobs.get(name)
    if not isinstance(job, Working):
        return False
    if job.error is not None:
        show_error(job.error)
    elif job.busy:
        st.fragment(_look_for_it, run_every=FIRST)(name)
    return True


def _look_for_it(name: str) -> None:
    harness, job = visit.opened(), desk().jobs.get(name)
    if isinstance(job, Working):
        st.markdown(f"*{looking_words(job)}*")
    try:
        if harness is not None:
            watched(harness, name).look()
    except HarnessError:
        if job is not None and job.busy:
            return
    st.rerun()


def show_left(account: Account) -> None:
    """Say that nobody works on a run that has not ended."""
    if account.approvals or account.questions:
        st.info("It waits for you, and for somebody to take it up.")
    else:
        st.warning(
            "Nobody works on it: the program that did has ended. All that was done is kept, and "
            "*Take it up* goes on from there."
        )


def take_up(
    harness: Harness, name: str, account: Account, message: str = "", *, model: str = ""
) -> None:
    """Go on with a run in this process."""
    job = Working(
        id=name,
        domain=visit.current(),
        by=visit.person(),
        goal=account.started.goal,
        message=message,
        takes_up=name,
        model=model,
    )
    before = desk().jobs.get(name)
    if isinstance(before, Working):
        job.packed, job.how = before.packed, before.how
    desk().jobs.work(harness, job)
    st.rerun()


def together(lines: Sequence[str]) -> str:
    """Return pieces of Markdown as one: none of them can leave a block of code open."""
    closed = (line + "\n```" if line.count("```") % 2 else line for line in lines)
    return "\n\n".join(closed)


# --- what waits ---------------------------------------------------------------------------------


def show_waiting(harness: Harness, name: str, account: Account) -> None:
    """Draw what waits for a person's word, with the exact change."""
    for call in account.approvals:
        with st.container(border=True, key=f"approval-{call.call}"):
            _approval(harness, name, call)
    for asked in account.questions:
        with st.container(border=True, key=f"asks-{asked.question}"):
            _question(harness, name, asked)


def _approval(harness: Harness, name: str, call: ApprovalRequested) -> None:
    st.markdown(f"**{may_it(call.tool)}** It {EFFECTS.get(call.effect, call.effect)}.")
    head, change = change_words(call.preview)
    if head:
        st.markdown(head)
    st.code(change or json.dumps(dict(call.arguments), ensure_ascii=False, indent=1),
            language="diff" if call.preview else "json", wrap_lines=True)  # fmt: skip
    if not visit.may("expert"):
        st.caption("Somebody with the role expert decides.")
        return
    reason = st.text_input("Reason", key=f"why-{call.call}", placeholder="for the record")
    written = json.dumps(dict(call.arguments), ensure_ascii=False, indent=1)
    with st.expander("Change it first"):
        edited = st.text_area(
            "What it is called with", written, key=f"args-{call.call}", height=140
        )
    try:
        arguments = json.loads(edited) if edited != written else None
    except ValueError:
        st.error("This is no JSON any more: keep the quotes and brackets.")
        return
    ways: dict[str, tuple[str, Any]] = {
        "Allow": ("allow", "once"),
        "Allow for this run": ("allow", "run"),
        "Refuse": ("deny", "once"),
    }
    with st.container(horizontal=True):
        for title, (decision, scope) in ways.items():
            key = f"{decision}-{scope}-{call.call}"
            if st.button(title, key=key, type="primary" if title == "Allow" else "secondary"):
                how = {"arguments": arguments} if arguments is not None else {}
                _send(
                    lambda decision=decision, scope=scope, how=how: harness.runs.decide(
                        name,
                        call.call,
                        decision,
                        scope=scope,
                        reason=reason,
                        by=visit.person(),
                        **how,
                    )
                )


def _question(harness: Harness, name: str, asked: QuestionAsked) -> None:
    st.markdown(f"**It asks:** {plain(asked.text)}")
    answer = (
        st.radio("Answer", asked.choices, key=f"choice-{asked.question}")
        if asked.choices
        else st.text_input("Answer", key=f"answer-{asked.question}")
    )
    if st.button("Answer it", type="primary", key=f"respond-{asked.question}", disabled=not answer):
        _send(lambda: harness.runs.respond(name, asked.question, str(answer), by=visit.person()))


def _send(deed: Any) -> None:
    try:
        deed()
    except HarnessError as error:
        show_error(error)
        return
    st.rerun(scope="app")


# --- what can be done ---------------------------------------------------------------------------


def show_controls(harness: Harness, name: str, account: Account) -> None:
    """Draw what can be done with the run as it stands."""
    if not visit.may("expert"):
        return
    if at_work(account):
        with st.form(f"steer-{name}", clear_on_submit=True):
            words = st.text_input("Say something to it", key=f"steer-words-{name}")
            if st.form_submit_button("Send", key="steer") and words.strip():
                _send(lambda: harness.runs.steer(name, words, by=visit.person()))
        if st.button("Stop it", key="cancel", help="What it has done is kept"):
            _send(lambda: harness.runs.cancel(name, by=visit.person()))
        return
    with st.form(f"resume-{name}", clear_on_submit=True):
        words = st.text_area("Something to add", key=f"resume-words-{name}", height=70)
        one, two = st.columns(2)
        on = one.form_submit_button("Take it up", key="resume", width="stretch")
        fork = two.form_submit_button(
            "Go another way",
            key="fork",
            width="stretch",
            help="A run of its own from here on; this one stays as it is",
        )
    if on and account.finished is not None and not words.strip():
        st.warning("It has ended. Say what is still to be done, and it goes on.")
    elif on:
        take_up(harness, name, account, words)
    elif fork:
        _fork(harness, name, account, words)


def _fork(harness: Harness, name: str, account: Account, words: str) -> None:
    job = Working(
        domain=visit.current(),
        by=visit.person(),
        goal=account.started.goal,
        message=words,
        forks=name,
    )
    desk().jobs.work(harness, job)
    visit.go("runs", run=job.id)


def show_files(harness: Harness, name: str) -> None:
    """Draw the files that a run made, each to fetch."""
    try:
        files = harness.runs.files(name)
        made = list(files)
    except HarnessError as error:
        show_error(error)
        return
    if not made:
        return
    st.markdown("**Files**")
    for one in made:
        if one.bytes > MOST_BYTES:
            st.caption(
                f"{plain(one.path)} is too big to fetch here; "
                f"`harness runs show {name} --out DIR` saves it."
            )
            continue
        st.download_button(
            f"{plain(one.path)} ({size(one.bytes)})",
            files.read(one.path),
            file_name=PurePosixPath(one.path).name,
            mime=one.media_type,
            key=f"file-{one.path}",
            on_click="ignore",
        )


def show_artifacts(harness: Harness, name: str, account: Account) -> None:
    """Draw the files that the run made, its record, and whether that is sound."""
    show_files(harness, name)
    if account.finished is not None:
        show_save(harness, name, name)
    with st.expander("The record"):
        if st.button("Is it sound?", key="verify"):
            verdict = harness.runs.verify(name)[0]
            problems = [str(one) for one in verdict.findings]
            if problems:
                st.error("\n".join(f"- {plain(one)}" for one in problems))
            else:
                st.success("Nothing was changed since it was written.")
        if st.button("Prepare it to save", key="prepare"):
            text = "".join(harness.runs.export(name, "markdown"))
            st.download_button(
                "Save it (Markdown)", text, file_name=f"{name}.md", key="export", on_click="ignore"
            )
