"""Ask: a question, its answer as it comes, and what the model saw."""

from __future__ import annotations

from typing import Any

import streamlit as st

from harness import Harness, HarnessError
from harness_ui import visit
from harness_ui.asked import asked_before, read_back
from harness_ui.desk import desk
from harness_ui.jobs import Asking
from harness_ui.keeping import show_save
from harness_ui.seen import show_seen
from harness_ui.troubles import show_error
from harness_ui.words import cost_words, count, model_markdown, plain, short, since

__all__ = ["show"]

LOOK = 0.25
"""Seconds between looks at an answer that is being written."""
SHOWN = 12
"""Turns of a conversation that are drawn at first."""
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
    asked = _asked_for(harness)
    job = asked if asked is not None and asked.domain == visit.current() else None
    with right:
        how = _above(harness, job)
    if job is not None:
        _conversation(job)
    else:
        _welcome(harness)
    _entry(job, how)


def _asked_for(harness: Harness) -> Asking | None:
    """Return the question that the address names: in hand, or read back from the journal."""
    name = st.query_params.get("run", "")
    job = desk().jobs.get(name)
    if isinstance(job, Asking):
        if job.answer is not None and name != job.answer.run:
            st.query_params["run"] = job.answer.run
        return job
    return read_back(harness, visit.current(), name) if name else None


def _above(harness: Harness, job: Asking | None) -> dict[str, Any]:
    """Draw what stands beside the title; return what is wanted of model and context."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        with st.popover("Model and context"):
            how = _wishes(harness)
        if job is not None and st.button("New question", key="new"):
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
    errors = [one for one in harness.lint() if one.severity == "error"]
    if errors:
        st.warning(
            f"This domain can't answer as it is: it has {count(len(errors), 'error')}. "
            "The Domain page shows where and how to mend them."
        )
    earlier = asked_before(harness, visit.current())
    if earlier:
        st.header("Asked before", anchor=False)
        for name, question in earlier:
            if st.button(plain(short(question)), key=f"earlier-{name}", type="tertiary"):
                visit.go("ask", run=name)


# --- the conversation ---------------------------------------------------------------------------


def _turns(job: Asking) -> list[Asking]:
    """Return the turns up to this one, oldest first."""
    turns = [job]
    while turns[0].after:
        before = desk().jobs.get(turns[0].after)
        if not isinstance(before, Asking):
            break
        turns.insert(0, before)
    return turns


def _conversation(job: Asking) -> None:
    turns = _turns(job)
    most = st.session_state.get("turns", SHOWN)
    if len(turns) > most:
        hidden = len(turns) - most
        if st.button(f"Show earlier ({hidden:,})", key="more-turns"):
            st.session_state["turns"] = most + 50
            st.rerun()
    for turn in turns[-most:-1]:
        _question(turn)
        st.markdown(model_markdown(turn.said) or "…")
    _question(job)
    if job.busy:
        _live(job.id)
    else:
        _settled(job)


def _question(job: Asking) -> None:
    with st.container(border=True, key=f"asked-{job.id}"):
        st.markdown(plain(job.question))
        if job.files:
            st.caption("with " + ", ".join(plain(path.name) for path in job.files))


@st.fragment(run_every=LOOK)
def _live(name: str) -> None:
    """Draw an answer as it comes; once it is there, the whole page is drawn once more."""
    job = desk().jobs.get(name)
    if not isinstance(job, Asking) or not job.busy:
        st.rerun()
    if job.text:
        st.markdown(model_markdown(job.text) + " ▌")
    else:
        st.markdown(f"*{_doing(job)}*")
    if st.button("Stop", key="stop", help="Keeps what is there"):
        desk().jobs.stop(job)
        st.rerun()


def _doing(job: Asking) -> str:
    if job.packed is None:
        return "Looking for the examples that are like your question …"
    shown = len(job.packed.shown("example", "eval"))
    passages = len(job.packed.shown("passage"))
    return (
        f"Thinking, with {count(shown, 'example')} and {count(passages, 'passage')} in view … "
        f"({since(job.seconds)})"
    )


def _settled(job: Asking) -> None:
    if job.said:
        with st.container(key="answer"):
            st.markdown(model_markdown(job.said))
    if job.state == "stopped":
        st.caption("Stopped. What was there is kept.")
    if job.error is not None:
        show_error(job.error)
        if st.button("Ask the baseline instead", key="baseline"):
            _ask(job.question, job, model="baseline:nearest", files=job.files)
    answer = job.answer
    if answer is not None:
        for warning in answer.warnings:
            st.warning(plain(warning))
        usage = answer.usage
        cached = (
            f" ({usage.cached_input_tokens:,} from the cache)" if usage.cached_input_tokens else ""
        )
        st.caption(
            f"{plain(answer.model)} · {usage.input_tokens:,} tokens read{cached}, "
            f"{usage.output_tokens:,} written · {cost_words(usage.cost_usd)} · "
            f"{since(answer.seconds)}"
        )
    if job.said:
        _verdict(job)
    if job.packed is not None:
        show_seen(job, again=lambda **how: _ask(job.question, job, files=job.files, **how))


def _verdict(job: Asking) -> None:
    """Let the person say how good the answer is, and mend it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        thumb = st.feedback("thumbs", key=f"thumb-{job.id}", default=job.thumb)
        if thumb is not None and thumb != job.thumb:
            job.thumb = thumb
            _note(job)
        if st.button(
            "Correct this answer", key="correct", type="primary" if job.thumb == 0 else "secondary"
        ):
            visit.go("correct", run=job.id)
        harness = visit.opened()
        if job.answer is not None and harness is not None:
            show_save(harness, job.answer, job.answer.run, question=job.question, files=job.files)
    if job.thumb == 0:
        reason = st.text_input(
            "What is wrong with it?", value=job.reason, key=f"reason-{job.id}", max_chars=500
        )
        if reason != job.reason:
            job.reason = reason
            _note(job)


def _note(job: Asking) -> None:
    """Record what was thought of the answer."""
    harness = visit.opened()
    if harness is not None:
        harness.examples.log.add(
            "liked" if job.thumb else "disliked",
            job.answer.run if job.answer else job.id,
            by=visit.person(),
            reason=job.reason,
            run=job.answer.run if job.answer else "",
        )


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
    model = how.pop("model", "")
    _ask(text, job, files=files, model=model, **how)


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
    how: dict[str, Any] = {"model": "" if model in (usual, None) else model}
    if policy:
        how["policy"] = policy
    return how


def _ask(
    question: str, before: Asking | None, *, files: Any = (), model: str = "", **how: Any
) -> None:
    """Begin to answer, and turn to it."""
    try:
        harness = desk().harness(visit.current(), model)
    except HarnessError as error:
        show_error(error)
        return
    again = before is not None and before.question == question
    after = (before.after if again else before.id) if before else ""
    told = desk().jobs.get(after)
    job = Asking(
        domain=visit.current(),
        by=visit.person(),
        question=question,
        files=list(files),
        model=model,
        how=how,
        after=after,
        after_run=told.answer.run if isinstance(told, Asking) and told.answer else "",
    )
    desk().jobs.ask(harness, job)
    st.query_params["run"] = job.id
    st.rerun()
