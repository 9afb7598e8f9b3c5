"""Correct: what the answer should have been, and why; kept as a draft example."""

from __future__ import annotations

import streamlit as st

from harness import Harness, HarnessError
from harness.sdk.examples import Saved
from harness_ui import visit
from harness_ui.asked import read_back
from harness_ui.jobs import Asking
from harness_ui.troubles import show_error
from harness_ui.words import diff_markdown, plain, short

__all__ = ["answer_field", "show", "show_near"]

STATUSES = {"approved": "in use", "draft": "waits for review", "retired": "retired"}


def show() -> None:
    """Draw the page."""
    st.title("Correct", anchor=False)
    harness = visit.opened()
    if harness is None or not visit.needs("expert"):
        return
    if (saved := st.session_state.get("corrected")) is not None:
        _done(harness, *saved)
        return
    name = st.query_params.get("run", "")
    asked = read_back(harness, visit.current(), name) if name else None
    if asked is not None and asked.domain != visit.current():
        asked = None
    if asked is None:
        st.write(
            "Write down how a question should be answered. To correct an answer, ask first, and "
            "choose *Correct this answer* below it."
        )
    _form(harness, asked)


def _form(harness: Harness, job: Asking | None) -> None:
    key = job.id if job else "new"
    if job is not None:
        st.caption("The question")
        with st.container(border=True):
            st.markdown(plain(job.question))
        question = job.question
    else:
        question = st.text_area("The question", key=f"question-{key}", height=120)
    said = job.said.strip() if job else ""
    answer = answer_field(harness, said, key=f"answer-{key}")
    if job is not None and answer.strip() and answer.strip() != said:
        st.caption("What changes")
        with st.container(border=True, key="diff"):
            st.markdown(diff_markdown(said, answer.strip()))
    why = st.text_area(
        "Why is that right?",
        key=f"why-{key}",
        height=90,
        help="The model is shown this reason with the example.",
        value=job.reason if job else "",
    )
    with st.expander("Where it is from"):
        source = st.text_input(
            "Document, patient or contract",
            key=f"source-{key}",
            help="What comes from one source is never shown beside a test case from it.",
        )
        tags = st.text_input("Words for it, with commas between", key=f"tags-{key}")
    _look(harness, question, answer)
    if st.button("Save as draft", type="primary", key="save"):
        try:
            saved = harness.examples.propose(
                question,
                answer,
                why=why.strip(),
                source=source.strip(),
                tags=[word.strip() for word in tags.split(",") if word.strip()],
                run=job.answer.run if job and job.answer else "",
                by=visit.person(),
            )
        except HarnessError as error:
            show_error(error)
            return
        st.session_state["corrected"] = (saved, job.id if job else "")
        st.rerun()


def answer_field(harness: Harness, said: str, *, key: str) -> str:
    """Return the answer as the expert puts it: a label to choose, or a text to edit."""
    domain = harness.examples.domain
    labels = list(domain.labels)
    if domain.settings.answer.kind == "label" and labels:
        options = [
            *labels,
            *([domain.settings.answer.abstain or ""] if domain.settings.answer.abstain else []),
        ]
        if said and said not in options:
            options.insert(0, said)
        at = options.index(said) if said in options else None
        chosen = st.selectbox(
            "The right answer",
            options,
            index=at,
            key=key,
            accept_new_options=True,
            placeholder="Choose, or write a new one",
        )
        return str(chosen or "")
    return str(st.text_area("The right answer", value=said, key=key, height=220))


def _look(harness: Harness, question: str, answer: str) -> None:
    """Show what saving would find, while it is written."""
    if not question.strip() or not answer.strip():
        return
    try:
        found = harness.examples.check(question, answer)
    except HarnessError as error:
        show_error(error)
        return
    for problem in found.problems:
        st.warning(plain(problem.message))
    show_near(found)


def show_near(found: Saved, title: str = "Examples that are like it") -> None:
    """Show the examples nearest to one."""
    if not found.near:
        return
    twins = sum(one.twin for one in found.near)
    with st.expander(
        title + (f" ({twins} almost the same)" if twins else ""), expanded=bool(twins)
    ):
        for one in found.near:
            near = f"{one.similarity:.2f} · " if one.similarity is not None else ""
            mark = "**almost the same** · " if one.twin else ""
            st.markdown(
                f"{near}{mark}{plain(short(one.example.input, 140))} → "
                f"**{plain(short(one.example.output, 60))}** "
                f"({STATUSES[one.example.status]}, {plain(one.example.id)})"
            )


def _done(harness: Harness, saved: Saved, run: str) -> None:
    example = saved.example
    st.success(f"Saved as a draft: {plain(example.id)} in {plain(example.place.file)}.")
    st.write("It is not used yet. Once it is accepted, the next question is answered with it.")
    one, two, three = st.columns(3)
    if one.button("Review it now", type="primary", key="to-review", width="stretch"):
        st.session_state.pop("corrected")
        visit.go("review", id=example.id)
    if run and two.button("Back to the question", key="back", width="stretch"):
        st.session_state.pop("corrected")
        visit.go("ask", run=run)
    if three.button("Correct another", key="another", width="stretch"):
        st.session_state.pop("corrected")
        visit.go("correct")
    for problem in saved.problems:
        st.warning(plain(problem.message))
    show_near(saved)
    del harness
