"""What a person can do with a run: decide, answer, steer, stop, take up, fork, verify, fetch."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from harness import Harness, HarnessError
from harness.journal.events import ApprovalRequested, QuestionAsked
from harness.sdk.records import Account
from harness_ui import visit
from harness_ui.desk import desk
from harness_ui.jobs import Working
from harness_ui.keeping import show_save
from harness_ui.run_words import EFFECTS
from harness_ui.troubles import show_error
from harness_ui.words import plain

__all__ = ["show_artifacts", "show_controls", "show_waiting"]

ENDED = ("completed", "unverified", "needs_input", "budget", "loop", "cancelled", "failed")
MOST_BYTES = 20 * 1024 * 1024


def show_waiting(harness: Harness, name: str, account: Account) -> None:
    """Draw what waits for a person's word, with the exact change."""
    for call in account.approvals:
        with st.container(border=True, key=f"approval-{call.call}"):
            _approval(harness, name, call)
    for asked in account.questions:
        with st.container(border=True, key=f"asks-{asked.question}"):
            _question(harness, name, asked)


def _approval(harness: Harness, name: str, call: ApprovalRequested) -> None:
    st.markdown(f"**May it use {plain(call.tool)}?** It {EFFECTS.get(call.effect, call.effect)}.")
    st.code(call.preview or json.dumps(dict(call.arguments), ensure_ascii=False, indent=1),
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


def show_controls(harness: Harness, name: str, account: Account) -> None:
    """Draw what can be done with the run as it stands."""
    if not visit.may("expert"):
        return
    state = account.summary.tally.state
    busy = state not in ENDED and bool(account.summary.worker)
    if busy:
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
    if on or fork:
        job = Working(
            domain=visit.current(),
            by=visit.person(),
            goal=account.started.goal,
            message=words,
            takes_up="" if fork else name,
            forks=name if fork else "",
        )
        if not fork:
            job.id = name
        desk().jobs.work(harness, job)
        visit.go("runs", run=job.id)


def show_artifacts(harness: Harness, name: str, account: Account) -> None:
    """Draw the files that the run made, its record, and whether that is sound."""
    folder = harness.home / "workspaces" / name / "files"
    made = [path for path in account.files if (folder / path).is_file()]
    if made:
        st.markdown("**Files**")
    for path in made:
        file = folder / path
        inside = file.resolve().is_relative_to(folder.resolve())
        if inside and file.stat().st_size <= MOST_BYTES:
            st.download_button(
                plain(path),
                file.read_bytes(),
                file_name=file.name,
                key=f"file-{path}",
                on_click="ignore",
            )
        else:
            st.caption(f"{plain(path)} is too big to fetch here: {plain(str(file))}")
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
