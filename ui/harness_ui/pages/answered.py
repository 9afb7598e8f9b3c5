"""A question answered in one call, on the Ask page: as it comes, and what is behind it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from harness import Harness, HarnessError
from harness.sdk.sources import Sources
from harness_ui import visit
from harness_ui.asked import turns_of
from harness_ui.cited import show_cited, show_shown
from harness_ui.desk import desk
from harness_ui.jobs import Asking
from harness_ui.keeping import show_save
from harness_ui.looks import FIRST, LATER, looking_words, waits_for_a_word
from harness_ui.pages.run_parts import show_asked
from harness_ui.seen import show_seen
from harness_ui.troubles import show_error
from harness_ui.words import cost_words, count, model_markdown, plain, since

__all__ = ["show_conversation", "show_verdict"]

BROKEN_OFF = {
    "stopped": "Stopped. What was there is kept.",
    "cut": "Cut off here: the program that answered has ended. What had come until then is kept.",
    "elsewhere": "Another program is answering this just now. Reload the page to see more of it.",
}
SHOWN = 12
"""Turns of a conversation that are drawn at first."""


def show_conversation(harness: Harness, job: Asking, again: Callable[..., None]) -> None:
    """Draw a conversation up to a question.

    Args:
        harness: The open domain.
        job: The newest question.
        again: Asks it once more, with other wishes.
    """
    most = st.session_state.get("turns", SHOWN)
    turns, earlier = turns_of(harness, job, most)
    if earlier and st.button("Show earlier", key="more-turns"):
        st.session_state["turns"] = most + 50
        st.rerun()
    for turn in turns[:-1]:
        _question(turn)
        st.markdown(model_markdown(turn.said) or "…")
    _question(job)
    if job.busy:
        st.fragment(_live, run_every=LATER)(job.id)
    else:
        _settled(harness, job, again)


def _question(job: Asking) -> None:
    show_asked(job.question, (path.name for path in job.files), key=f"asked-{job.id}")


def _live(name: str) -> None:
    """Draw an answer as it comes; once it is there, the whole page is drawn once more."""
    job = desk().jobs.get(name)
    if not isinstance(job, Asking) or not job.busy:
        st.rerun()
    if waits_for_a_word(job):
        st.fragment(_coming, run_every=FIRST)(name)
    else:
        _coming(name)
    if st.button("Stop", key="stop", help="Keeps what is there"):
        desk().jobs.stop(job)
        st.rerun()


def _coming(name: str) -> None:
    """Draw what has come of an answer, or what is done for it."""
    job = desk().jobs.get(name)
    if not isinstance(job, Asking):
        return
    if job.text:
        with st.container(key="coming"):
            st.markdown(model_markdown(job.text) + " ▌")
    else:
        st.markdown(f"*{_doing(job)}*")


def _doing(job: Asking) -> str:
    if job.packed is None:
        return looking_words(job)
    shown = len(job.packed.shown("example", "eval"))
    passages = len(job.packed.shown("passage"))
    return (
        f"Thinking, with {count(shown, 'example')} and {count(passages, 'passage')} in view … "
        f"({since(job.seconds)})"
    )


def _settled(harness: Harness, job: Asking, again: Callable[..., None]) -> None:
    if job.said:
        with st.container(key="answer"):
            st.markdown(model_markdown(job.said) + (" …" if job.state in BROKEN_OFF else ""))
    if job.state in BROKEN_OFF:
        st.caption(BROKEN_OFF[job.state])
        if st.button("Ask it again", key="ask-it-again"):
            again(model=job.model, tools=False, **job.how)
    if job.error is not None:
        show_error(job.error)
        if st.button("Ask the baseline instead", key="baseline"):
            again(model="baseline:nearest", tools=False)
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
    sources = _sources(harness, job)
    if sources is not None:
        show_cited(sources, sources.cited(job.said), job.id)
    if job.said:
        show_verdict(harness, job)
    _pack_again(harness, job)
    if sources is not None and job.packed is not None:
        show_shown(sources, sources.shown(job.packed.shown("passage")), job.id)
    if job.packed is not None:
        show_seen(job, again=again)


def _sources(harness: Harness, job: Asking) -> Sources | None:
    run = job.answer.run if job.answer else ""
    try:
        return harness.sources(run, files=[str(path) for path in job.files])
    except HarnessError:
        return None  # the run can't be read any more: its answer still stands here


def _pack_again(harness: Harness, job: Asking) -> None:
    """Offer to pack an old question once more, where the folder is as it was: it packs the same."""
    if job.packed is not None or job.answer is None or job.after or job.after_run:
        return
    if job.answer.version != harness.examples.domain.version:
        st.caption("The domain was changed since; ask again to see what the model is shown now.")
    elif st.button("What the model saw", key="pack-again", type="tertiary"):
        try:
            job.packed = harness.preview(job.question, **job.how)
        except HarnessError as error:
            show_error(error)


def show_verdict(harness: Harness, job: Asking) -> None:
    """Let the person say how good the answer is, mend it, take it away."""
    known = st.session_state.setdefault("verdicts", {})
    thumb_before, reason_before = known.get(job.id, (job.thumb, job.reason))
    with st.container(horizontal=True, vertical_alignment="center"):
        thumb = st.feedback("thumbs", key=f"thumb-{job.id}", default=thumb_before)
        if st.button(
            "Correct this answer", key="correct", type="primary" if thumb == 0 else "secondary"
        ):
            visit.go("correct", run=job.id)
        if job.answer is not None:
            show_save(harness, job.answer, job.answer.run, question=job.question, files=job.files)
    reason = reason_before
    if thumb == 0:
        reason = st.text_input(
            "What is wrong with it?", value=reason_before, key=f"reason-{job.id}", max_chars=500
        )
    if thumb is not None and (thumb, reason) != (thumb_before, reason_before):
        job.thumb, job.reason = thumb, reason
        known[job.id] = (thumb, reason)
        _note(harness, job)


def _note(harness: Harness, job: Asking) -> None:
    """Record what was thought of the answer."""
    run = job.answer.run if job.answer else ""
    harness.examples.log.add(
        "liked" if job.thumb else "disliked",
        run or job.id,
        by=visit.person(),
        reason=job.reason,
        run=run,
    )
