"""Evals: how good the answers are, how sure that is, and which are not right."""

from __future__ import annotations

import json
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from harness import Harness, HarnessError
from harness.evals import EvalRun, report
from harness_ui import visit
from harness_ui.desk import desk
from harness_ui.jobs import Evaluating
from harness_ui.pages.eval_history import show_history
from harness_ui.troubles import show_error
from harness_ui.words import cost_words, count, diff_markdown, plain, short, since

__all__ = ["show"]

LOOK = 0.5
SPLITS = {"dev": "for daily work (dev)", "holdout": "kept apart, to confirm (holdout)"}
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
            _result(job.run)
        elif job.state == "stopped":
            st.info("Stopped. The cases that were done are kept.")
    _start(harness)
    show_history(harness)


def _earlier(harness: Harness, name: str) -> None:
    """Draw a run that is kept."""
    try:
        _result(harness.evals.load(name))
    except HarnessError as error:
        show_error(error)


def _start(harness: Harness) -> None:
    domain = harness.examples.domain
    here = {split: sum(case.split == split for case in domain.cases) for split in SPLITS}
    if not any(here.values()):
        st.info("This domain has no test cases yet. They stand in evals/dev.* and evals/holdout.*.")
        return
    with st.container(border=True, key="start"):
        one, two, three = st.columns([2, 1, 2])
        split: Any = one.selectbox(
            "Test cases",
            [name for name in SPLITS if here[name]],
            key="split",
            format_func=lambda name: f"{SPLITS[name]}: {here[name]:,}",
        )
        most = two.number_input(
            "How many",
            1,
            here[split],
            min(50, here[split]),
            key=f"limit-{split}",
            help="Fewer are quicker and cheaper, and say less; always the same ones.",
        )
        usual = harness.models.name(domain.settings)
        model = three.selectbox(
            "Model",
            list(dict.fromkeys([usual, "baseline:nearest"])),
            key="eval-model",
            accept_new_options=True,
        )
        budget = st.number_input(
            "At most, US dollars",
            0.0,
            10_000.0,
            5.0,
            1.0,
            key="eval-budget",
            help="After that nothing more is asked; what is done is kept.",
        )
        if st.button("Start", type="primary", key="start-do", disabled=not visit.may("expert")):
            job = Evaluating(
                domain=visit.current(),
                by=visit.person(),
                how={"split": split, "limit": int(most), "budget_usd": budget or None},
                model="" if model in (usual, None) else str(model),
                of=int(most),
            )
            desk().jobs.evaluate(desk().harness(visit.current(), job.model), job)
            st.query_params["run"] = job.id
            st.rerun()


@st.fragment(run_every=LOOK)
def _live(name: str) -> None:
    job = desk().jobs.get(name)
    if not isinstance(job, Evaluating) or not job.busy:
        st.rerun()
    of = max(job.of, 1)
    st.progress(min(1.0, job.done / of), f"{job.done:,} of {of:,} cases · {since(job.seconds)}")
    if st.button("Stop", key="stop-eval", help="Keeps the cases that are done"):
        desk().jobs.stop(job)
        st.rerun()


def _result(run: EvalRun) -> None:
    sentence = report(run).split("\n", 1)[0]
    st.markdown(f"**{plain(sentence)}**")
    st.caption(
        f"{count(run.scored, 'case')} scored, {run.unscored} unscored · context: {run.policy}, "
        f"each case kept out of its own: {'yes' if run.guard else 'NO'} · "
        f"{cost_words(run.usage.cost_usd)} · {since(run.seconds)}"
    )
    for warning in run.warnings:
        st.warning(plain(warning))
    if run.score.mean is not None:
        st.altair_chart(
            _interval(run),
            alt=f"The score with its interval: {sentence}",
            key=f"interval-{run.run}",
        )
    _cases(run)


def _interval(run: EvalRun) -> alt.LayerChart:
    row = {"low": run.score.low, "mean": run.score.mean, "high": run.score.high, "name": "score"}
    base = alt.Chart(pd.DataFrame([row]), height=70)
    axis = alt.Axis(format="%", title=None)
    line = base.mark_rule(strokeWidth=4, color="#6ba3ba").encode(
        x=alt.X("low:Q", scale=alt.Scale(domain=[0, 1]), axis=axis), x2="high:Q"
    )
    chart: alt.LayerChart = line + base.mark_point(size=140, filled=True, color="#1f5c7a").encode(
        x="mean:Q",
        tooltip=[alt.Tooltip(f"{name}:Q", format=".1%") for name in ("low", "mean", "high")],
    )
    return chart


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
