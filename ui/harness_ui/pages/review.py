"""Review: one draft at a time, with the domain's instructions beside it."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import streamlit as st

from harness import Harness, HarnessError
from harness.sdk.examples import Saved, Waiting
from harness_ui import visit
from harness_ui.held import field_key, held, let_go
from harness_ui.pages.correct import answer_field, show_near
from harness_ui.troubles import show_error
from harness_ui.words import model_markdown, plain

__all__ = ["show"]

FIELDS = {"output": "output", "why": "why"}
"""What can be mended of a draft, by the first word of the field's key."""
DEEDS = {
    "proposed": "wrote it",
    "edited": "changed it",
    "accepted": "accepted it",
    "imported": "imported it",
    "rejected": "rejected it",
    "retired": "retired it",
}


def show() -> None:
    """Draw the page."""
    st.title("Review", anchor=False)
    harness = visit.opened()
    if harness is None:
        return
    if said := st.session_state.pop("reviewed", None):
        st.success(said)
    if (question := st.session_state.get("accepted_question")) and st.button(
        "Ask its question again", key="ask-again"
    ):
        _ask_again(harness, question)
    waiting = harness.examples.review()
    if not waiting:
        st.info("Nothing waits for review. Corrections come here as drafts.")
        return
    at = _position(waiting)
    _steps(waiting, at)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _draft(harness, waiting[at])
    with right:
        _beside(harness, waiting[at])


def _position(waiting: list[Waiting]) -> int:
    ids = [one.example.id for one in waiting]
    asked = st.query_params.get("id", "")
    return ids.index(asked) if asked in ids else 0


def _steps(waiting: list[Waiting], at: int) -> None:
    last = at + 1 >= len(waiting)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Previous", key="previous", disabled=at == 0, shortcut="left"):
            visit.go("review", id=waiting[at - 1].example.id)
        if st.button("Next", key="next", disabled=last, shortcut="right"):
            visit.go("review", id=waiting[at + 1].example.id)
        st.markdown(f"**{at + 1} of {len(waiting)}** that wait", width="content")


def _draft(harness: Harness, draft: Waiting) -> None:
    example = held(draft.example, FIELDS)
    st.caption(f"{plain(example.id)} · {plain(example.author or 'nobody named')} · {example.date}")
    st.markdown("**The question**")
    with st.container(border=True):
        st.markdown(plain(example.input))
    answer = answer_field(harness, example.output, key=field_key("output", example))
    why = st.text_area("Why", value=example.why, key=field_key("why", example), height=110)
    if example.steps:
        with st.expander(f"How it was worked: {len(example.steps)} steps", expanded=True):
            for number, step in enumerate(example.steps, start=1):
                st.caption(f"Step {number}")
                st.code(step, language=None, wrap_lines=True)
    for problem in draft.problems:
        st.warning(plain(problem.message))
    show_near(Saved(example=example, near=draft.near))
    mended = {}
    if answer.strip() != example.output.strip():
        mended["output"] = answer
    if why.strip() != example.why.strip():
        mended["why"] = why
    if visit.needs("reviewer"):
        _decide(harness, replace(draft, example=example), mended)


def _decide(harness: Harness, draft: Waiting, mended: dict[str, Any]) -> None:
    name = draft.example.id
    two_people = harness.examples.domain.settings.review == "two_people"
    if two_people:
        who = ", ".join(map(plain, draft.agreed)) or "nobody"
        st.caption(f"Two people have to stand behind it. So far: {who}.")
    accept = "Mend and accept" if mended else "Accept"
    one, two = st.columns(2)
    if one.button(accept, type="primary", key="accept", shortcut="alt+a", width="stretch"):
        _do(
            harness,
            name,
            lambda: harness.examples.accept(name, seen=draft.example, by=visit.person(), **mended),
        )
    with two.popover("Reject …", width="stretch"):
        reason = st.text_input("Why?", key=f"reject-{name}", help="Whoever wrote it reads this.")
        if st.button("Reject", key="reject", disabled=not reason.strip()):
            _do(harness, name, lambda: harness.examples.reject(name, reason, by=visit.person()))
    st.caption("Alt + A accepts; the arrow keys turn to the next draft.")


def _do(harness: Harness, which: str, deed: Any) -> None:
    try:
        saved: Saved = deed()
    except HarnessError as error:
        show_error(error)
        return
    let_go(which)
    name = plain(saved.example.id)
    if saved.beside:
        said = f"Somebody changed {plain(saved.beside)} meanwhile; yours is kept as {name}."
    elif saved.example.status == "approved":
        said = f"{name} is accepted. The next question is answered with it."
        st.session_state["accepted_question"] = saved.example.input
        threading.Thread(target=_index, args=(harness,), daemon=True).start()
    elif saved.example.status == "retired":
        said = f"{name} is rejected, with your reason on record."
    else:
        said = f"Your word on {name} is recorded. It waits for {plain(saved.waits_for)}."
    st.session_state["reviewed"] = said
    st.query_params.pop("id", None)
    st.rerun()


def _index(harness: Harness) -> None:
    """Bring the index up to date now, so that nobody waits for it at the next question."""
    try:
        harness.index()
    except HarnessError:
        return  # the next question says what is wrong


def _ask_again(harness: Harness, question: str) -> None:
    from harness_ui.desk import desk
    from harness_ui.jobs import Asking

    st.session_state.pop("accepted_question")
    job = Asking(domain=visit.current(), by=visit.person(), question=question)
    desk().jobs.ask(harness, job)
    visit.go("ask", run=job.id)


def _beside(harness: Harness, draft: Waiting) -> None:
    domain = harness.examples.domain
    if draft.history:
        st.markdown("**What was done with it**")
        for one in draft.history:
            reason = f": {plain(one.reason)}" if one.reason else ""
            when, deed = one.at[:16].replace("T", " "), DEEDS.get(one.deed, one.deed)
            st.caption(f"{when} · {plain(one.by)} {deed}{reason}")
    st.markdown("**The domain's instructions**")
    with st.container(border=True, key="instructions"):
        st.markdown(_lowered(model_markdown(domain.instructions)) or "There are none.")


def _lowered(text: str) -> str:
    """Return Markdown with its headings as bold lines: a page has one order of headings."""
    lines = []
    for line in text.split("\n"):
        head = line.lstrip("#")
        lines.append(f"**{head.strip()}**" if line.startswith("#") and head.strip() else line)
    return "\n".join(lines)
