"""Evals: how good the answers are, how sure that is, and which are not right."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import streamlit as st

from harness import Harness, HarnessError
from harness.evals import EvalRun, Standing, report
from harness_ui import visit
from harness_ui.desk import desk
from harness_ui.jobs import Evaluating
from harness_ui.pages.eval_history import show_history
from harness_ui.pages.eval_labels import show_labelling
from harness_ui.pages.eval_plots import Line, scores
from harness_ui.pages.eval_start import Watch, show_start
from harness_ui.troubles import show_error
from harness_ui.words import cost_words, count, diff_markdown, plain, short, since

__all__ = ["show"]

LOOK = 0.5
"""Seconds between looks at a run that goes on."""


def show() -> None:
    """Draw the page."""
    st.title("Evals", anchor=False)
    harness = visit.opened()
    if harness is None:
        return
    name = st.query_params.get("run", "")
    job = desk().jobs.get(name)
    if name and job is None:
        _earlier(harness, name)
    if isinstance(job, Evaluating) and job.domain == visit.current():
        if job.busy:
            _live(job.id)
        elif job.error is not None:
            show_error(job.error)
        elif job.run is not None:
            desk().jobs.put(job.run.run, job)
            st.query_params["run"] = job.run.run  # the address for good, after a restart, too
            _result(harness, job.run)
        elif job.state == "stopped":
            st.info("Stopped. The cases that were done are kept.")
    show_start(harness)
    show_history(harness)


def _earlier(harness: Harness, name: str) -> None:
    """Draw a run that is kept."""
    try:
        _result(harness, harness.evals.load(name))
    except HarnessError as error:
        show_error(error)


@st.fragment(run_every=LOOK)
def _live(name: str) -> None:
    job = desk().jobs.get(name)
    if not isinstance(job, Evaluating) or not job.busy:
        st.rerun()
    of = max(job.of, 1)
    st.progress(min(1.0, job.done / of), f"{job.done:,} of {of:,} cases · {since(job.seconds)}")
    if isinstance(watch := job.how.get("watch"), Watch) and (now := watch.now) is not None:
        st.caption(_standing(now))
    if st.button("Stop", key="stop-eval", help="Keeps the cases that are done"):
        desk().jobs.stop(job)
        st.rerun()


def _standing(now: Standing) -> str:
    parts = [] if now.score is None else [f"{now.score:.0%} right so far"]
    parts.append(cost_words(now.cost_usd))
    if now.unscored:
        parts.append(f"{now.unscored:,} not scored")
    if now.seconds_left is not None:
        parts.append(f"about {since(now.seconds_left)} to go")
    return " · ".join(parts)


def _result(harness: Harness, run: EvalRun) -> None:
    sentence = report(run).split("\n", 1)[0]
    st.markdown(f"**{plain(sentence)}**")
    opened = f" · sealed cases opened {run.openings:,} times" if run.split == "sealed" else ""
    st.caption(
        f"{count(run.scored, 'case')} scored, {run.unscored} unscored · context: {run.policy}, "
        f"each case kept out of its own: {'yes' if run.guard else 'NO'} · "
        f"{cost_words(run.usage.cost_usd)} · {since(run.seconds)}{opened}"
    )
    for warning in run.warnings:
        st.warning(plain(warning))
    lines = _lines(harness, run)
    if lines:
        scores(lines, key=run.run, alt_text=f"The score with its interval: {sentence}", of="Cases")
    views = ["Cases", "Label the judge"] if run.judge else ["Cases"]
    view = "Cases"
    if len(views) > 1:
        view = st.segmented_control(
            "Look at", views, default="Cases", required=True, key=f"eval-view-{run.run}"
        )
    if view == "Cases":
        _cases(run)
    else:
        show_labelling(harness, run)


def _lines(harness: Harness, run: EvalRun) -> list[Line]:
    """Return the score of all cases, and of those with each tag."""
    found = [("all", run.score), *((one.tag, one.score) for one in harness.evals.by_tag(run))]
    return [
        Line(name=name, mean=score.mean, low=score.low, high=score.high)
        for name, score in found
        if score.mean is not None and score.low is not None and score.high is not None
    ]


def _cases(run: EvalRun) -> None:
    order = sorted(run.cases, key=lambda case: (case.score is None, case.score == 1, case.id))
    table = pd.DataFrame(
        [
            [
                _verdict(case.score),
                case.id,
                _shown(case.expected, 80),
                short(" | ".join(case.answers), 80),
                short("; ".join(check.why for check in case.checks if check.met is False), 120)
                or short(case.error, 120),
            ]
            for case in order
        ],
        columns=["Verdict", "Case", "Expected", "Answer", "Why"],
    )
    st.caption("What is not right comes first. Choose a case to see it whole.")
    state = st.dataframe(
        table,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=f"cases-{run.run}",
        height=320,
        alt="The cases of this run",
    )
    rows = state.selection.rows
    if rows and rows[0] < len(order):
        case = order[rows[0]]
        with st.container(border=True, key="case"):
            st.markdown(f"**{plain(case.id)}** · {_verdict(case.score)}")
            expected, answer = _shown(case.expected, 4000), "\n".join(case.answers)
            one, two = st.columns(2)
            one.caption("Expected")
            one.markdown(plain(expected) or "by checks alone")
            two.caption("Answer")
            two.markdown(plain(answer) or "none")
            if expected and answer and expected != answer:
                st.caption("What differs")
                st.markdown(diff_markdown(expected, answer))


def _verdict(score: float | None) -> str:
    if score is None:
        return "not scored"
    return {1.0: "right", 0.0: "not right"}.get(score, f"{score:.0%}")


def _shown(value: Any, most: int) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
    return short(text, most) if most < 1000 else text
