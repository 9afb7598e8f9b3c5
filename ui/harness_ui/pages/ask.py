"""Ask: a question, the work on it as it goes on, its answer, and what the model saw."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

import streamlit as st

from harness import Harness, HarnessError
from harness_ui import visit
from harness_ui.asked import asked_before, is_work, read_back
from harness_ui.desk import desk
from harness_ui.follow import watched
from harness_ui.jobs import Asking, Working
from harness_ui.pages.answered import show_conversation, show_verdict
from harness_ui.pages.run_controls import at_work, take_up
from harness_ui.pages.work import show_work
from harness_ui.troubles import show_error
from harness_ui.words import count, plain, short

__all__ = ["show"]

POLICIES = {
    "": "as the domain says",
    "balanced": "balanced",
    "nearest": "the most similar",
    "diverse": "as different as possible",
    "everything": "as many as fit",
    "none": "none",
}


def show() -> None:
    """Draw the page."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    left.title("Ask", anchor=False)
    harness = visit.opened()
    if harness is None:
        return
    name = st.query_params.get("run", "")
    work = is_work(harness, name)
    job = None if work else _asked_for(harness, name)
    with right:
        how = _above(harness, begun=work or job is not None)
    if work:
        again = partial(_ask_again, harness, name)
        show_work(harness, name, verdict=partial(show_verdict, harness), again=again)
        _work_entry(harness, name, how)
        return
    if job is not None:
        show_conversation(harness, job, partial(_ask, job.question, job, files=job.files))
    else:
        _welcome(harness)
    _entry(job, how)


def _asked_for(harness: Harness, name: str) -> Asking | None:
    """Return the question that the address names: in hand, or read back from the journal."""
    job = desk().jobs.get(name)
    if not isinstance(job, Asking):
        return read_back(harness, visit.current(), name) if name else None
    if job.domain != visit.current():
        return None
    return job


def _above(harness: Harness, *, begun: bool) -> dict[str, Any]:
    """Draw what stands beside the title; return what is wanted of model and context."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        with st.popover("Model and context"):
            how = _wishes(harness)
        if begun and st.button("New question", key="new"):
            st.query_params.pop("run", None)
            st.rerun()
    return how


def _welcome(harness: Harness) -> None:
    desk().warm(harness)
    name = st.query_params.get("run")
    if name:
        st.info(f"The question {plain(name)} is not here any more. Ask it again below.")
    domain = harness.examples.domain
    st.markdown(f"**{plain(domain.title)}**  \n{plain(domain.description)}")
    errors = desk().errors(harness)
    if errors:
        st.warning(
            f"This domain can't answer as it is: it has {count(errors, 'error')}. "
            "The Domain page shows where and how to mend them."
        )
    earlier = asked_before(harness)
    if earlier:
        st.header("Asked before", anchor=False)
        for name, question in earlier:
            if st.button(plain(short(question)), key=f"earlier-{name}", type="tertiary"):
                visit.go("ask", run=name)


# --- asking -------------------------------------------------------------------------------------


def _entry(job: Asking | None, how: dict[str, Any]) -> None:
    said: Any = st.chat_input(
        "Your question" if job is None else "Ask on",
        key="question",
        accept_file="multiple",
        disabled=not visit.may("reader"),
    )
    if said is None:
        return
    text = said.text if hasattr(said, "text") else str(said)
    if not text.strip():
        st.warning("The question is empty. Say what you want to know.")
        return
    files = [desk().keep_upload(one.name, one.getvalue()) for one in getattr(said, "files", ())]
    _ask(text, job, files=files, **how)


def _work_entry(harness: Harness, name: str, how: dict[str, Any]) -> None:
    """Say something to a run at work, or go on with one that has ended."""
    try:
        account = watched(harness, name).look()
    except HarnessError:
        return  # it is only just beginning
    busy = at_work(account)
    text = st.chat_input(
        "Say something to it" if busy else "Ask on",
        key="question",
        disabled=not visit.may("expert" if busy else "reader"),
    )
    if text is None or not str(text).strip():
        return
    try:
        if busy:
            harness.runs.steer(name, str(text), by=visit.person())
        else:
            take_up(harness, name, account, str(text), model=how["model"])
    except HarnessError as error:
        show_error(error)


def _wishes(harness: Harness) -> dict[str, Any]:
    """Return what the person wants of this question's model and context."""
    settings = harness.examples.domain.settings
    usual = harness.models.name(settings)
    names = list(dict.fromkeys([usual, "baseline:nearest"]))
    model = st.selectbox(
        "Model",
        names,
        key="model",
        accept_new_options=True,
        help="provider:model, as openai:gpt-5; baseline:nearest needs no key",
    )
    policy = st.selectbox(
        "Which examples it is shown", list(POLICIES), format_func=POLICIES.__getitem__, key="policy"
    )
    able = not (model or usual).startswith("baseline:")
    tools = st.toggle(
        "Work with tools, step by step",
        value=bool(settings.tools),
        key=f"tools-{visit.current()}",
        disabled=not able,
        help="It looks things up, calculates, reads and writes files, and asks you where it has "
        "to. Without: one answer at once.",
    )
    how: dict[str, Any] = {"model": "" if model in (usual, None) else model}
    if how["model"]:
        with suppress(HarnessError):  # whoever asks it is told what is wrong
            desk().warm(desk().harness(visit.current(), how["model"]))
    how["tools"] = tools and able
    if policy:
        how["policy"] = policy
    return how


def _ask_again(harness: Harness, name: str, *, model: str = "", **how: Any) -> None:
    """Work on the request of a run once more, with other wishes."""
    job = desk().jobs.get(name)
    files = job.files if isinstance(job, Working) else ()
    goal = watched(harness, name).stages[0].asked
    _ask(goal, None, files=files, model=model, tools=True, **how)


def _ask(
    question: str,
    before: Asking | None,
    *,
    files: Any = (),
    model: str = "",
    tools: bool = False,
    **how: Any,
) -> None:
    """Begin to answer, and turn to it."""
    try:
        harness = desk().harness(visit.current(), model)
    except HarnessError as error:
        show_error(error)
        return
    if tools and before is None:
        work = Working(
            domain=visit.current(),
            by=visit.person(),
            goal=question,
            files=list(files),
            how=how,
        )
        desk().jobs.work(harness, work)
        st.query_params["run"] = work.id
        st.rerun()
    again = before is not None and before.question == question
    after, run = _goes_on_from(before, again=again)
    job = Asking(
        domain=visit.current(),
        by=visit.person(),
        question=question,
        files=list(files),
        model=model,
        how=how,
        after=after,
        after_run=run,
    )
    desk().jobs.ask(harness, job)
    st.query_params["run"] = job.id
    st.rerun()


def _goes_on_from(before: Asking | None, *, again: bool) -> tuple[str, str]:
    """Return the question that another goes on from: its id, and the run that answered it."""
    if before is None:
        return "", ""
    if again:
        return before.after, before.after_run
    return before.id, before.answer.run if before.answer else before.after_run
